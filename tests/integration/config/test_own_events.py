"""What hooks.yaml says of hookrt's own events, and of hooks that are disabled at run time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

HOOK = "hooks:\n  one:\n    on: {}\n    {}\n    steps: [{{say: x}}]\n"
SERVICE = "service: {}\nhooks: {{one: {{on: A, steps: [{{say: x}}]}}}}\n"


@pytest.mark.parametrize("written", ["hookrt.delivery.dead", "hookrt.hook.*", "hookrt.**", "[A.B, hookrt.*.rejected]"])
@pytest.mark.parametrize("source", ["enabled: true", "from: hookrt"])
def test_hooks_may_listen_to_own_events(bench: Any, written: str, source: str) -> None:
    if source == "enabled: true" or "A.B" not in written:
        assert bench.warnings(HOOK.format(written, source)) == []


@pytest.mark.parametrize(
    ("written", "source", "told"),
    [
        (
            "hookrt.delivery.ded",
            "",
            "3:9 hookrt itself sends nothing like 'hookrt.delivery.ded' | did you mean 'hookrt.delivery.dead'?",
        ),
        (
            "hookrt.delivery.dead",
            "from: http",
            "3:9 only hookrt itself sends 'hookrt.delivery.dead', not 'http' | write `from: hookrt`, or leave it out",
        ),
    ],
)
def test_a_type_that_hookrt_never_sends_gets_a_warning(bench: Any, written: str, source: str, told: str) -> None:
    assert bench.warnings(HOOK.format(written, source)) == [told]


@pytest.mark.parametrize("written", ["hookrt.delivery.*.now", '"**"'])
def test_a_pattern_that_no_own_event_matches_gets_a_warning(bench: Any, written: str) -> None:
    [told] = bench.warnings(HOOK.format(written, "from: hookrt"))
    assert "hookrt itself sends nothing like" in told
    assert "hookrt.delivery.dead" in told


@pytest.mark.parametrize(
    ("written", "span"),
    [("{}", timedelta(days=5)), ("{disable_after: 12h}", timedelta(hours=12)), ("{disable_after: off}", None)],
)
def test_how_long_a_hook_may_fail_can_be_set_or_switched_off(bench: Any, written: str, span: timedelta | None) -> None:
    assert bench.configuration(SERVICE.format(written)).service.disable_after == span


def test_how_long_a_hook_may_fail_can_be_a_variable(bench: Any) -> None:
    bench.env = {"HOOKRT_DISABLE_AFTER": "off"}
    assert bench.configuration(SERVICE.format("{}")).service.disable_after is None


@pytest.mark.parametrize("written", ["5", "never", "0s"])
def test_what_is_no_length_of_time_is_an_error_that_says_how_to_write_one(bench: Any, written: str) -> None:
    [told] = bench.errors(SERVICE.format(f"{{disable_after: {written}}}"))
    assert told.startswith("1:26 `disable_after`")
    assert "like 250ms" in told or "write `off`" in told


def test_what_is_held_for_disabled_hooks_has_limits_that_can_be_set(bench: Any) -> None:
    found = bench.configuration(SERVICE.format("{}")).service
    assert (found.limits.held, found.disabled_hook_hold) == (100_000, timedelta(days=30))
    found = bench.configuration(SERVICE.format("{limits: {held: 5}, disabled_hook_hold: 1d}")).service
    assert (found.limits.held, found.disabled_hook_hold) == (5, timedelta(days=1))


def test_a_hook_is_defined_alike_wherever_it_stands_and_another_one_when_its_text_changes(bench: Any) -> None:
    before = bench.hook(HOOK.format("A.B", "timeout: 3s")).definition
    assert before
    moved = "\n# a comment\n\n" + HOOK.format("A.B", "timeout:   3s")
    assert bench.hook(moved).definition == before
    assert bench.hook(HOOK.format("A.B", "timeout: 4s")).definition != before
