from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hookrt.model.policy import AFTER_CRASH, DEFAULT_EXPIRES, DEFAULT_TIMEOUT, NO_RETRY, STANDARD

HOOK = "hooks:\n  one:\n    on: User.Created\n    {}\n    steps:\n      - say: hello\n"


def test_a_hook_has_what_was_written(bench: Any) -> None:
    hook = bench.hook(
        """
version: 1
sources:
  clock: {ticker: 5s}
hooks:
  one-hook_2:
    on: [Tick.Tock, User.*, User.**, "**"]
    from: clock
    when: get(event, "data.a", 0) > 1
    enabled: false
    description: what it is for
    timeout: 3s
    retry: none
    expires: 2h
    steps:
      - say: hello
"""
    )
    assert hook.name == "one-hook_2"
    assert hook.patterns == ("Tick.Tock", "User.*", "User.**", "**")
    assert (hook.source, hook.enabled, hook.description) == ("clock", False, "what it is for")
    assert hook.when.text == 'get(event, "data.a", 0) > 1'
    assert hook.expires == timedelta(hours=2)
    assert str(hook.place) == "hooks.yaml:6:3"
    [step] = hook.steps
    assert (step.timeout, step.retry) == (timedelta(seconds=3), NO_RETRY)


def test_on_takes_one_type(bench: Any) -> None:
    assert bench.hook(HOOK.format("enabled: true")).patterns == ("User.Created",)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("wen", "when"),
        ("event", "on"),
        ("if", "when"),
        ("source", "from"),
        ("retries", "retry"),
        ("Enabled", "enabled"),
    ],
)
def test_an_unknown_key_is_an_error_with_a_did_you_mean(bench: Any, key: str, meant: str) -> None:
    assert bench.errors(HOOK.format(f"{key}: x")) == [f"4:5 hook 'one' has no key '{key}' | did you mean '{meant}'?"]


@pytest.mark.parametrize("name", ["Upper", "-dash", "a" * 65, "sp ace", "ü", "a.b"])
def test_a_hook_name_has_lower_case_letters_digits_dash_and_underscore(bench: Any, name: str) -> None:
    [error] = bench.errors(HOOK.format("enabled: true").replace("one:", f"{name}:"))
    assert error.startswith("2:3 ")
    assert "is no name for a hook" in error


def test_a_hook_needs_on_and_steps(bench: Any) -> None:
    assert bench.errors("hooks:\n  one: {}\n") == ["2:3 hook 'one' needs `on`", "2:3 hook 'one' needs `steps`"]


@pytest.mark.parametrize(
    ("on", "place", "message"),
    [
        ("x..y", "3:11", "an empty segment"),
        ("User.**.x", "3:14", "'**' can only be the last segment"),
        ("User.Cre*", "3:17", "'*' stands for a whole segment"),
        ("12", "3:9", "must be text"),
        ("true", "3:9", "must be text"),
        ("[]", "3:9", "1 to 1000 event types"),
        ("{a: b}", "3:9", "must be an event type or a list"),
        ("[[a]]", "3:10", "must be text, this is a list"),
        ("''", "3:9", "cannot be empty"),
    ],
)
def test_a_bad_event_type_is_an_error_at_its_place(bench: Any, on: str, place: str, message: str) -> None:
    [error] = bench.errors(HOOK.format("enabled: true").replace("User.Created", on))
    assert error.startswith(place)
    assert message in error


@pytest.mark.parametrize("written", ["yes", "on", "True", '"true"', "1", "[]"])
def test_enabled_is_true_or_false_and_nothing_else(bench: Any, written: str) -> None:
    [error] = bench.errors(HOOK.format(f"enabled: {written}"))
    assert error.startswith("4:14 `enabled` must be true or false")


def test_a_disabled_hook_is_checked_too(bench: Any) -> None:
    assert bench.errors(HOOK.format("enabled: false\n    when: nonsense")) == [
        "5:11 unknown name 'nonsense'; there are event, hook, env"
    ]


# Policy


def step_of(bench: Any, text: str) -> Any:
    return bench.hook(text).steps[0]


def test_policy_resolves_step_then_hook_then_defaults_then_the_actions_own(bench: Any) -> None:
    step = "hooks:\n  one:\n    on: A\n{hook}    steps:\n      - post: https://a.example\n{step}"
    plain = step_of(bench, step.format(hook="", step=""))
    assert (plain.timeout, plain.retry) == (DEFAULT_TIMEOUT, STANDARD)
    defaults = "defaults: {timeout: 1s, retry: none, expires: 1h}\n"
    by_default = bench.hook(defaults + step.format(hook="", step=""))
    assert (by_default.steps[0].timeout, by_default.steps[0].retry) == (timedelta(seconds=1), NO_RETRY)
    assert by_default.expires == timedelta(hours=1)
    by_hook = bench.hook(defaults + step.format(hook="    timeout: 2s\n    retry: [5s]\n    expires: 2h\n", step=""))
    assert by_hook.steps[0].timeout == timedelta(seconds=2)
    assert by_hook.steps[0].retry.delays == (timedelta(seconds=5),)
    assert by_hook.expires == timedelta(hours=2)
    by_step = step_of(bench, defaults + step.format(hook="    timeout: 2s\n", step="        timeout: 3s\n"))
    assert by_step.timeout == timedelta(seconds=3)
    assert by_step.retry == NO_RETRY


def test_a_snippet_is_not_retried_but_once_after_a_crash(bench: Any) -> None:
    assert bench.step("- snippet: x = 1").retry == AFTER_CRASH


def test_a_delivery_expires_after_seven_days_by_default(bench: Any) -> None:
    assert bench.hook(HOOK.format("enabled: true")).expires == DEFAULT_EXPIRES == timedelta(days=7)


@pytest.mark.parametrize(
    ("retry", "seconds", "jitter"),
    [
        ("standard", [delay.total_seconds() for delay in STANDARD.delays], 0.2),
        ("none", [], 0.0),
        ("[5s, 1m, 10m]", [5, 60, 600], 0.2),
        ("[]", [], 0.2),
        ("{fixed: {every: 1m, attempts: 3}}", [60, 60], 0.2),
        ("{fixed: {every: 1m, attempts: 1, jitter: 0}}", [], 0.0),
        ("{exponential: {initial: 1s, factor: 3, max: 5s, attempts: 4, jitter: 0.5}}", [1, 3, 5], 0.5),
        ("{exponential: {attempts: 3}}", [10, 20], 0.2),
    ],
)
def test_retry_is_standard_none_a_list_exponential_or_fixed(
    bench: Any, retry: str, seconds: list[float], jitter: float
) -> None:
    policy = step_of(bench, HOOK.format(f"retry: {retry}")).retry
    assert [delay.total_seconds() for delay in policy.delays] == seconds
    assert policy.jitter == jitter
    assert policy.attempts == len(seconds) + 1


def test_exponential_alone_has_its_defaults(bench: Any) -> None:
    assert step_of(bench, HOOK.format("retry: exponential")).retry.attempts == 8


@pytest.mark.parametrize(
    ("retry", "place", "message"),
    [
        ("standart", "4:12", "is no retry policy | did you mean 'standard'?"),
        ("5", "4:12", "is no retry policy | write standard, none"),
        ("[5]", "4:13", "a wait must be a duration"),
        ("[12:30]", "4:13", "a wait must be a duration"),
        ("[5s, 25h]", "4:17", "24h at most, this is 1d1h"),
        ("{exponental: {}}", "4:13", "did you mean 'exponential'?"),
        ("{fixed: {every: 1m}}", "4:13", "`fixed` needs `attempts`"),
        ("{fixed: {every: 2d, attempts: 3}}", "4:28", "24h at most, this is 2d"),
        ("{fixed: {evry: 1m, every: 1m, attempts: 3}}", "4:21", "did you mean 'every'?"),
        ("{fixed: 5s}", "4:20", "takes a mapping of settings"),
        ("{}", "4:12", "has one key, this has 0"),
        ("{exponential: {attempts: 101}}", "4:37", "less than or equal to 100"),
        ("{exponential: {factor: 0.5}}", "4:35", "greater than or equal to 1"),
        ("{exponential: {jitter: 2}}", "4:35", "less than or equal to 1"),
    ],
)
def test_a_bad_retry_policy_is_an_error_at_its_place(bench: Any, retry: str, place: str, message: str) -> None:
    [error] = bench.errors(HOOK.format(f"retry: {retry}"))
    assert error.startswith(place)
    assert message in error


@pytest.mark.parametrize("written", ["15", "12:30", "0s", "2d", "-5s", "[5s]", "1.10", "fast", ""])
def test_a_timeout_is_a_duration_with_a_unit_above_zero_and_a_day_at_most(bench: Any, written: str) -> None:
    [error] = bench.errors(HOOK.format(f"timeout: {written}"))
    assert error.startswith("4:1")
    assert "`timeout` must be" in error


def test_defaults_take_policies_only(bench: Any) -> None:
    [error] = bench.errors("defaults: {when: x}\n" + HOOK.format("enabled: true"))
    assert "`defaults` has no key 'when'" in error


# Events that nobody sends


def test_a_type_that_the_hooks_source_never_sends_gets_a_warning(bench: Any) -> None:
    text = "sources: {clock: {ticker: 5s}}\n" + HOOK.format("from: clock").replace("User.Created", "Tick.Tok")
    assert bench.warnings(text) == ["4:9 the source 'clock' sends nothing like 'Tick.Tok' | did you mean 'Tick.Tock'?"]
    assert bench.warnings(text.replace("Tick.Tok", "Tick.*")) == []
    assert len(bench.warnings(text.replace("Tick.Tok", "Tack.*"))) == 1


def test_a_type_that_is_nearly_a_published_one_gets_a_warning(bench: Any) -> None:
    text = "sources: {clock: {ticker: 5s}}\n" + HOOK.format("enabled: true").replace("User.Created", "Tick.Tok")
    assert bench.warnings(text) == ["4:9 no declared source sends 'Tick.Tok' | did you mean 'Tick.Tock'?"]
    assert bench.warnings(text.replace("Tick.Tok", "Quite.Other")) == []


def test_from_names_a_declared_source_or_http_or_app(bench: Any) -> None:
    for name in ("http", "app"):
        assert bench.hook(HOOK.format(f"from: {name}")).source == name
    text = "sources: {clock: {ticker: 5s}}\n" + HOOK.format("from: clok")
    assert bench.errors(text) == ["5:11 there is no source 'clok' | did you mean 'clock'?"]


def test_a_duration_that_is_too_long_is_said_to_be_one(bench: Any) -> None:
    [error] = bench.errors("hooks: {a: {on: A, expires: 99999d, steps: [{say: x}]}}\n")
    assert "is too long: '99999d' is longer than ten years" in error


def test_an_action_beside_on_is_told_where_it_belongs(bench: Any) -> None:
    [problem] = bench.errors("hooks:\n  a:\n    on: A.B\n    say: hello\n")
    assert problem == "4:5 hook 'a' has no key 'say' | `say` is an action: write `- say: ...` below `steps`"
