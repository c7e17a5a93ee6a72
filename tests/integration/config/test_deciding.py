"""`mode: decide`: what such a hook says, and what it cannot have, each problem at its place."""

from __future__ import annotations

from typing import Any

import pytest

from hookrt.config.schema import build_schema
from hookrt.model.policy import NO_RETRY

HOOK = "hooks:\n  one:\n    on: PreRegister\n{}    steps:\n      - say: hello\n"


def hook_with(*lines: str) -> str:
    return HOOK.format("".join(f"    {line}\n" for line in lines))


def test_a_hook_without_a_mode_is_fired_by_events(bench: Any) -> None:
    assert not bench.hook(hook_with()).decides
    assert bench.hook(hook_with("mode: deliver")).on_error is None


def test_a_deciding_hook_denies_when_it_cannot_answer_unless_it_says_otherwise(bench: Any) -> None:
    assert bench.hook(hook_with("mode: decide")).on_error == "deny"
    assert bench.hook(hook_with("mode: decide", "on_error: deny")).on_error == "deny"
    assert bench.hook(hook_with("mode: decide", "on_error: allow")).on_error == "allow"


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("retry", "[1s]", "one attempt"),
        ("retry", "none", "one attempt"),
        ("max_retry_after", "1s", "one attempt"),
        ("expires", "1h", "deadline"),
        ("order", "{by: hook}", "by itself"),
        ("dedupe", "{by: hook, within: 1h}", "by itself"),
        ("debounce", "{by: hook, wait: 1s}", "by itself"),
        ("throttle", "{by: hook, every: 1s}", "by itself"),
    ],
)
def test_what_has_no_meaning_is_refused(bench: Any, key: str, value: str, why: str) -> None:
    [error] = bench.errors(hook_with("mode: decide", f"{key}: {value}"))
    assert error.startswith(f"5:5 `{key}` means nothing with `mode: decide`: ")
    assert why in error


def test_nor_can_its_steps_be_retried(bench: Any) -> None:
    [error] = bench.errors(hook_with("mode: decide") + "        retry: [1s]\n")
    assert error.startswith("7:9 `retry` means nothing with `mode: decide`: ")


def test_the_retry_of_defaults_is_not_its_own(bench: Any) -> None:
    assert bench.hook("defaults: {retry: [1s], expires: 1h}\n" + hook_with("mode: decide")).steps[0].retry == NO_RETRY


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("mode: decides",), "4:11 `mode` cannot be 'decides' | did you mean 'decide'?"),
        (("mode: decide", "on_error: alow"), "5:15 `on_error` cannot be 'alow' | did you mean 'allow'?"),
        (("on_error: allow",), "4:5 `on_error` is for a hook with `mode: decide` only | a delivery has `retry`"),
        (("mode: deliver", "on_error: allow"), "5:5 `on_error` is for a hook with `mode: decide` only"),
        (("mode: [decide]",), "4:11 `mode` must be text"),
    ],
)
def test_what_a_mode_and_an_on_error_cannot_be(bench: Any, lines: tuple[str, ...], says: str) -> None:
    [error] = bench.errors(hook_with(*lines))
    assert error.startswith(says)


def test_the_schema_knows_it(bench: Any) -> None:
    properties = build_schema(bench.registry)["$defs"]["hook"]["properties"]
    assert properties["mode"]["enum"] == ["deliver", "decide"]
    assert properties["on_error"]["default"] == "deny"


def test_no_source_has_to_send_what_is_decided_about(bench: Any) -> None:
    sources = "sources:\n  users: {ticker: {every: 1m, type: PreRegisters}}\n"
    assert bench.warnings(sources + hook_with("mode: decide")) == []
    assert bench.warnings(sources + hook_with()) == [
        "5:9 no declared source sends 'PreRegister' | did you mean 'PreRegisters'?"
    ]
