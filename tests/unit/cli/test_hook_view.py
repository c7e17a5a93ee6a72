"""How a hook looks: the resolved policy of every step, and the times of its attempts."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hookrt.cli.hook_view import MAX_ROWS, show_hook, show_hooks
from hookrt.cli.render import Screen
from hookrt.model.hook import Hook, Step
from hookrt.model.policy import AFTER_CRASH, NO_RETRY, STANDARD, RetryPolicy, fixed, listed
from hookrt.store.contract import HookStats
from hookrt.web.api.show import show_hook as as_the_api_shows

FIVE = timedelta(seconds=5)


def a_hook(retry: RetryPolicy, expires: timedelta = timedelta(days=7), **step: Any) -> dict[str, Any]:
    """What the API says of a hook with one step of this policy."""
    steps = (Step("send", "webhook", settings=None, lane="crm", retry=retry, **step),)
    hook = Hook("welcome", ("PostRegister", "User.*"), steps, source="logto", expires=expires)
    shown = as_the_api_shows(hook, HookStats(5, 1, 2, 9, None, None), 0)
    return shown.model_dump(mode="json", by_alias=True)


def view(hook: dict[str, Any]) -> list[str]:
    stream = io.StringIO()
    show_hook(Screen(stream), hook)
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def test_the_standard_schedule_is_told_attempt_by_attempt_with_its_range_of_jitter() -> None:
    lines = view(a_hook(STANDARD))
    assert "retry standard: 10 attempts at most, each wait ±20%" in lines
    first = lines.index("attempt wait at with jitter") + 1
    assert lines[first : first + 10] == [
        "1 0s 0s",
        "2 5s 5s 4s - 6s",
        "3 5m 5m5s 4m4s - 6m6s",
        "4 30m 35m5s 28m4s - 42m6s",
        "5 2h 2h35m5s 2h4m4s - 3h6m6s",
        "6 5h 7h35m5s 6h4m4s - 9h6m6s",
        "7 10h 17h35m5s 14h4m4s - 21h6m6s",
        "8 14h 1d7h35m5s 1d1h16m4s - 1d13h54m6s",
        "9 20h 2d3h35m5s 1d17h16m4s - 2d13h54m6s",
        "10 1d 3d3h35m5s 2d12h28m4s - 3d18h42m6s",
    ]
    assert "timeout 15s for each attempt" in lines
    assert "expires after 7d" in lines
    assert "from logto" in lines


def test_the_api_gives_the_same_times() -> None:
    [step] = a_hook(STANDARD)["steps"]
    assert step["timeout"] == "15s"
    assert (step["retry"]["jitter"], step["retry"]["max_retry_after"]) == (0.2, "1d")
    assert step["retry"]["times"][2] == {
        "attempt": 3,
        "wait": "5m",
        "after": "5m5s",
        "earliest": "4m4s",
        "latest": "6m6s",
        "expired": False,
    }


def test_an_attempt_that_the_deliverys_end_would_come_before_is_marked() -> None:
    lines = view(a_hook(listed((FIVE, timedelta(hours=1)), jitter=0), expires=timedelta(minutes=30)))
    assert "2 5s 5s" in lines
    assert "3 1h 1h5s not made: the delivery has expired" in lines


def test_the_durations_of_rules_about_keys_read_as_all_others_do() -> None:
    keyed = {
        "dedupe": {"by": "${{ event.data.1s200ms }}", "within": "1s200ms"},
        "debounce": {"by": "event.id", "wait": "250ms", "max": "1m1s50ms"},
    }
    lines = view({**a_hook(STANDARD), **keyed})
    assert "dedupe by ${{ event.data.1s200ms }}, within 1.2s" in lines
    assert "debounce by event.id, wait 250ms, max 1m1.05s" in lines


def test_of_very_many_attempts_the_first_and_the_last_are_told() -> None:
    lines = view(a_hook(fixed(FIVE, 100, jitter=0)))
    told = lines[lines.index("attempt wait at with jitter") + 1 :]
    assert told[MAX_ROWS - 2 : MAX_ROWS + 1] == ["19 5s 1m30s", "…", "100 5s 8m15s"]


def test_the_ceiling_of_retry_after_is_told() -> None:
    told = "longer where the endpoint asks for it (Retry-After), 1h at most"
    assert told in view(a_hook(replace(STANDARD, max_retry_after=timedelta(hours=1))))
    deaf = view(a_hook(replace(STANDARD, max_retry_after=timedelta(0))))
    assert "a Retry-After of the endpoint is not listened to" in deaf


def test_settings_that_belong_to_the_policy_are_told_as_written() -> None:
    lines = view(a_hook(STANDARD, shown={"success": "2xx", "retry_on": ["5xx", 429, "timeout"]}))
    assert "success 2xx" in lines
    assert "retry_on 5xx, 429, timeout" in lines


def test_without_retries_there_are_no_times() -> None:
    lines = view(a_hook(NO_RETRY, continue_on_error=True))
    assert "retry none: 1 attempt at most" in lines
    assert "attempt wait at with jitter" not in lines
    assert "on error the hook goes on with its next step" in lines


def test_a_policy_for_certain_failures_only_says_for_which() -> None:
    lines = view(a_hook(AFTER_CRASH))
    assert "retry none, but after crashed: 2 attempts at most" in lines


def test_a_list_of_hooks_is_a_table() -> None:
    stream = io.StringIO()
    show_hooks(Screen(stream), [a_hook(STANDARD)])
    assert stream.getvalue().splitlines()[1].split()[:4] == ["welcome", "PostRegister,", "User.*", "send"]
