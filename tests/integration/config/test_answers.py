"""`success`, `retry_on` and `max_retry_after` in hooks.yaml, with the installed webhook action."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hookrt.config.schema import build_schema
from hookrt.model.policy import MAX_DELAY, STANDARD
from hookrt.plugin.manager import load_plugins


@pytest.fixture
def webhooks(bench: Any) -> Any:
    """A bench with the actions that are really installed."""
    bench.registry = load_plugins()
    return bench


def hook_with(setting: str, *, hook: str = "", defaults: str = "") -> str:
    top = f"defaults: {{{defaults}}}\n" if defaults else "\n"
    middle = f"    {hook}\n" if hook else "\n"
    steps = f"    steps:\n      - webhook: https://a.example\n        {setting}\n"
    return f"{top}hooks:\n  one:\n    on: A\n{middle}{steps}"


def settings_errors(webhooks: Any, settings: str) -> list[str]:
    text = "hooks:\n  one:\n    on: A\n    steps:\n      - webhook:\n          url: https://a.example\n"
    return webhooks.errors(text + f"          {settings}\n")


def test_success_and_retry_on_are_read_in_all_their_forms(webhooks: Any) -> None:
    forms = ["success: 2xx", "success: 404", "success: 200-204", "success: [2xx, 404]", "retry_on: timeout"]
    forms += ["retry_on: 5xx", "retry_on: [5xx, 429, 408, timeout, connect]", "success: ${{ event.data.ok }}"]
    for form in forms:
        assert settings_errors(webhooks, form) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("success: [2xx, 5x]", "7:26 `success.1`: '5x' is no status | did you mean '5xx'?"),
        ("success: true", "7:20 `success`: 'true' is no status | write it like 2xx, 404 or 200-204"),
        ("success: []", "7:20 `success`: the list is empty"),
        ("retry_on: [5xx, tmout]", "7:27 `retry_on.1`: 'tmout' is no status and no failure | did you mean 'timeout'?"),
        ("retry_on: conect", "7:21 `retry_on`: 'conect' is no status and no failure | did you mean 'connect'?"),
        ("retry_on: [bad-url]", "7:22 `retry_on.0`: 'bad-url' is never tried again: another try would end the same"),
        ("retyr_on: 5xx", "7:11 `webhook` has no setting 'retyr_on' | did you mean 'retry_on'?"),
    ],
)
def test_a_wrong_word_is_told_with_its_line_and_column_and_what_was_meant(
    webhooks: Any, settings: str, said: str
) -> None:
    assert settings_errors(webhooks, settings) == [said]


def test_what_belongs_to_the_policy_is_kept_as_it_was_written(webhooks: Any) -> None:
    [hook] = webhooks.configuration(
        "hooks: {one: {on: A, steps: [{webhook: {url: 'https://a.example', success: [2xx, 404], headers: {a: b}}}]}}"
    ).hooks
    assert hook.steps[0].shown == {"success": ["2xx", 404]}


def test_max_retry_after_resolves_from_step_to_hook_to_defaults(webhooks: Any) -> None:
    def ceiling(setting: str, **levels: str) -> timedelta:
        return webhooks.hook(hook_with(setting, **levels)).steps[0].retry.max_retry_after

    all_levels = {"hook": "max_retry_after: 2h", "defaults": "max_retry_after: 3h"}
    assert ceiling("max_retry_after: 1h", **all_levels) == timedelta(hours=1)
    assert ceiling("retry: [5s]", **all_levels) == timedelta(hours=2)
    assert ceiling("retry: none", defaults="max_retry_after: 3h") == timedelta(hours=3)
    assert ceiling("timeout: 5s") == MAX_DELAY == timedelta(hours=24)
    assert ceiling("max_retry_after: 0s", **all_levels) == timedelta(0)


def test_max_retry_after_leaves_the_retry_policy_as_it_is(webhooks: Any) -> None:
    retry = webhooks.hook(hook_with("timeout: 5s", defaults="max_retry_after: 1h")).steps[0].retry
    assert (retry.name, retry.delays, retry.jitter) == (STANDARD.name, STANDARD.delays, STANDARD.jitter)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("max_retry_after: 25h", "8:26 `max_retry_after` is 1d at most"),
        (
            "max_retry_after: 5",
            "8:26 `max_retry_after` must be a duration, and '5' is none | "
            "write a number with a unit, like 250ms, 15s, 5m, 2h or 1h30m",
        ),
        ("max_retry_afer: 5m", "8:9 a step has no key 'max_retry_afer' | did you mean 'max_retry_after'?"),
    ],
)
def test_a_wrong_ceiling_is_told_with_its_place(webhooks: Any, setting: str, said: str) -> None:
    assert webhooks.errors(hook_with(setting)) == [said]


def test_the_settings_with_an_expression_are_known_by_their_first_key(webhooks: Any) -> None:
    text = "hooks: {one: {on: A, steps: [{webhook: {url: '%s', headers: {a: '%s'}, query: {q: '%s'}}}]}}"
    [hook] = webhooks.configuration(text % ("https://a.example", "${{ event.id }}", "b")).hooks
    assert hook.steps[0].rendered == {"headers"}
    [hook] = webhooks.configuration(text % ("https://a.example/${{ event.id }}", "b", "${{ event.id }}")).hooks
    assert hook.steps[0].rendered == {"url", "query"}
    [hook] = webhooks.configuration("hooks: {one: {on: A, steps: [{webhook: 'https://a/${{ event.id }}'}]}}").hooks
    assert hook.steps[0].rendered == {"url"}


def test_the_json_schema_knows_them() -> None:
    schema = Draft202012Validator(build_schema(load_plugins()))

    def fits(**settings: Any) -> bool:
        step = {"webhook": {"url": "https://a.example", **settings}}
        return schema.is_valid({"hooks": {"one": {"on": "A", "max_retry_after": "1h", "steps": [step]}}})

    assert fits(success="2xx")
    assert fits(success=404)
    assert fits(success=["2xx", 404, "200-204"], retry_on=["5xx", 429, "timeout", "connect"])
    assert fits(retry_on="${{ event.data.x }}")
    assert not fits(success=["timeout"])
    assert not fits(success="6xx")
    assert not fits(retry_on=["timout"])
    assert not fits(retry_on=[])
