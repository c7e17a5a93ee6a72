from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hookrt.delivery.limits import Limits
from hookrt.model.retention import Retention
from hookrt.runtime.wiring import limits_of


def service_of(text: str) -> str:
    return f"service: {text}\nhooks: {{one: {{on: A, steps: [{{say: x}}]}}}}\n"


def test_without_a_word_what_has_ended_is_kept_for_the_default_ages(bench: Any) -> None:
    configuration = bench.configuration(service_of("{}"))
    assert configuration.service.retention.ages == Retention() == Limits().retention


def test_the_engine_keeps_what_was_written(bench: Any) -> None:
    configuration = bench.configuration(
        service_of("{retention: {succeeded: 24h, dead: 90d, payload: 0s, max_events: 5, max_deliveries: 6}}")
    )
    assert limits_of(configuration).retention == Retention(
        succeeded=timedelta(days=1), dead=timedelta(days=90), payload=timedelta(0), max_events=5, max_deliveries=6
    )


@pytest.mark.parametrize("name", ["succeeded", "cancelled", "dead", "unmatched"])
def test_less_than_the_window_of_identity_is_refused(bench: Any, name: str) -> None:
    [problem] = bench.errors(service_of(f"{{retention: {{{name}: 23h59m}}}}"))
    assert "an event is kept for 1d at least" in str(problem)
    assert name in str(problem)


@pytest.mark.parametrize("text", ["{max_events: 0}", "{payload: 3}", "{held: 1d}", "{dead: null}"])
def test_what_is_no_setting_of_retention_is_a_problem(bench: Any, text: str) -> None:
    assert len(bench.errors(service_of(f"{{retention: {text}}}"))) == 1
