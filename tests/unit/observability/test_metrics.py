"""Metrics: what is counted, and that no sender can make up series without end."""

import re

import pytest

from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status
from hookrt.observability.metrics import MAX_REASONS, MAX_SOURCES, Load, Metrics, Words
from hookrt.plugin import AttemptRecorded, Observer


def recorded(outcome="done", reason=None, status=Status.SUCCEEDED, hook="welcome", microseconds=20_000):
    attempt = Attempt(1, "webhook", 0, microseconds, outcome, reason)
    return AttemptRecorded("dlv_1", hook, "crm", "webhook", attempt, status)


def samples(metrics):
    """All samples as {name{labels}: value}."""
    text = metrics.render()[0].decode()
    found = re.findall(r"^(hookrt_\S+?(?:\{.*\})?) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found if "_created" not in name}


def test_readings_of_the_configuration_are_counted_by_result_and_the_last_good_one_has_a_time():
    metrics = Metrics()
    found = samples(metrics)
    began = found["hookrt_config_last_accepted_timestamp_seconds"]
    assert began > 0
    assert found['hookrt_config_reloads_total{result="rejected"}'] == 0
    metrics.configuration_read(accepted=False)
    assert samples(metrics)["hookrt_config_last_accepted_timestamp_seconds"] == began
    metrics.configuration_read(accepted=True)
    found = samples(metrics)
    assert found["hookrt_config_last_accepted_timestamp_seconds"] > began
    assert found['hookrt_config_reloads_total{result="accepted"}'] == 1
    assert found['hookrt_config_reloads_total{result="rejected"}'] == 1


def test_an_attempt_is_counted_by_hook_outcome_and_reason_and_timed_by_action():
    metrics = Metrics()
    metrics.attempt_recorded(recorded())
    metrics.attempt_recorded(recorded("retry", "status", Status.WAITING))
    metrics.attempt_recorded(recorded("retry", "status", Status.WAITING))
    found = samples(metrics)
    assert found['hookrt_attempts_total{hook="welcome",outcome="done",reason=""}'] == 1
    assert found['hookrt_attempts_total{hook="welcome",outcome="retry",reason="status"}'] == 2
    assert found['hookrt_attempt_seconds_count{action="webhook"}'] == 3
    assert found['hookrt_attempt_seconds_sum{action="webhook"}'] == pytest.approx(0.06)
    assert found['hookrt_attempt_seconds_bucket{action="webhook",le="0.025"}'] == 3
    assert found['hookrt_attempt_seconds_bucket{action="webhook",le="0.01"}'] == 0


def test_what_a_rule_drops_and_what_has_no_key_is_counted():
    metrics = Metrics()
    for _ in range(2):
        metrics.delivery_dropped("welcome", "debounce")
    metrics.key_missing("welcome", "order")
    found = samples(metrics)
    assert found['hookrt_dropped_total{hook="welcome",reason="debounce"}'] == 2
    assert found['hookrt_missing_keys_total{hook="welcome",rule="order"}'] == 1


def test_what_actions_say_of_themselves_is_shown_with_how_many_warnings_they_have():
    load = Load(facts={"python": {"isolation": "core"}, "pump": {}}, warnings={"python": 0, "pump": 2})
    found = samples(Metrics(lambda: load))
    assert found['hookrt_action_info{action="python",fact="isolation",value="core"}'] == 1
    assert found['hookrt_action_warnings{action="python"}'] == 0
    assert found['hookrt_action_warnings{action="pump"}'] == 2


def test_hooks_that_are_disabled_and_enabled_are_counted_and_those_of_the_moment_shown():
    metrics = Metrics(lambda: Load(disabled=["welcome"]))
    metrics.hook_disabled("welcome", "endpoint")
    metrics.hook_enabled("welcome", "by-hand")
    found = samples(metrics)
    assert found['hookrt_hook_switches_total{hook="welcome",reason="endpoint",state="disabled"}'] == 1
    assert found['hookrt_hook_switches_total{hook="welcome",reason="by-hand",state="enabled"}'] == 1
    assert found['hookrt_hook_disabled{hook="welcome"}'] == 1


def test_a_delivery_is_counted_when_it_ends():
    metrics = Metrics()
    metrics.attempt_recorded(recorded("retry", "status", Status.WAITING))
    metrics.attempt_recorded(recorded())
    assert not any("deliveries_total" in name for name in samples(metrics))
    for status in (Status.SUCCEEDED, Status.DEAD, Status.CANCELLED):
        metrics.delivery_ended("welcome", status)
    found = samples(metrics)
    for status in ("succeeded", "dead", "cancelled"):
        assert found[f'hookrt_deliveries_total{{hook="welcome",status="{status}"}}'] == 1


def test_events_duplicates_condition_errors_and_plugin_errors_are_counted():
    metrics = Metrics()
    metrics.event_accepted("http")
    metrics.event_accepted("http")
    metrics.event_accepted("http", duplicate=True)
    metrics.condition_failed("welcome")
    metrics.plugin_failed(2)
    metrics.attempt_recorded(recorded("retry", "exception", Status.WAITING))
    found = samples(metrics)
    assert found['hookrt_events_total{source="http"}'] == 2
    assert found["hookrt_duplicates_total"] == 1
    assert found['hookrt_condition_errors_total{hook="welcome"}'] == 1
    assert found["hookrt_plugin_errors_total"] == 3


def test_gauges_are_asked_for_when_the_metrics_are_read():
    asked = []

    def load():
        asked.append(1)
        return Load({"pending": 7, "waiting": 2}, {"crm": 3})

    metrics = Metrics(load)
    assert asked == []
    found = samples(metrics)
    assert found['hookrt_open_deliveries{status="pending"}'] == 7
    assert found['hookrt_lane_in_flight{lane="crm"}'] == 3
    assert asked == [1]


def test_breakers_rests_and_refusals_are_shown_by_lane_but_not_by_origins_that_events_name():
    metrics = Metrics(lambda: Load(breakers={"crm": "open", "shop": "half-open", "mail": "closed"}))
    for lane in ("crm", None, None):
        metrics.breaker_changed(lane, "open")
        metrics.lane_rested(lane)
        metrics.start_refused(lane, "breaker-open")
    found = samples(metrics)
    assert [found[f'hookrt_breaker_state{{lane="{lane}"}}'] for lane in ("mail", "shop", "crm")] == [0, 1, 2]
    for lane, count in (("crm", 1), ("other", 2)):
        assert found[f'hookrt_breaker_changes_total{{lane="{lane}",state="open"}}'] == count
        assert found[f'hookrt_lane_rests_total{{lane="{lane}"}}'] == count
        assert found[f'hookrt_lane_refusals_total{{lane="{lane}",reason="breaker-open"}}'] == count


def test_a_load_that_cannot_be_told_leaves_the_counters():
    metrics = Metrics(lambda: 1 / 0)
    metrics.event_accepted("http")
    found = samples(metrics)
    assert found['hookrt_events_total{source="http"}'] == 1
    assert not any("open_deliveries" in name for name in found)


def test_senders_cannot_make_up_sources_without_end():
    metrics = Metrics()
    for number in range(MAX_SOURCES + 50):
        metrics.event_accepted(f"source-{number}")
    for odd in ("", "a b", 'x"}\n', "x" * 101, "\x1b", "ünï"):
        metrics.event_accepted(odd)
    found = {name: value for name, value in samples(metrics).items() if name.startswith("hookrt_events_total")}
    assert len(found) == MAX_SOURCES + 1
    assert found['hookrt_events_total{source="other"}'] == 56


def test_plugins_cannot_make_up_reasons_without_end():
    metrics = Metrics()
    for number in range(MAX_REASONS + 10):
        metrics.attempt_recorded(recorded("retry", f"code-{number}", Status.WAITING))
    metrics.attempt_recorded(recorded("retry", "Not A Reason", Status.WAITING))
    found = samples(metrics)
    assert sum(name.startswith("hookrt_attempts_total") for name in found) == MAX_REASONS + 1
    assert found['hookrt_attempts_total{hook="welcome",outcome="retry",reason="other"}'] == 11


def test_a_known_word_stays_known_when_the_bound_is_reached():
    words = Words(re.compile("[a-z]"), 2)
    assert [words.word(text) for text in "abcab"] == ["a", "b", "other", "a", "b"]


def test_every_runtime_has_metrics_of_its_own():
    from prometheus_client import REGISTRY

    first, second = Metrics(), Metrics()
    first.event_accepted("http")
    assert 'hookrt_events_total{source="http"}' not in samples(second)
    assert not any(name.startswith("hookrt") for name in REGISTRY._names_to_collectors)


def test_metrics_are_an_observer():
    assert isinstance(Metrics(), Observer)


def test_the_format_is_the_one_that_is_asked_for():
    metrics = Metrics()
    assert metrics.render()[1].startswith("text/plain")
    body, kind = metrics.render("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
