"""RULES "The file": `order`, `dedupe`, `debounce`, `throttle`, each problem at its place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

HOOK = "hooks:\n  one:\n    on: User.Created\n{}\n    steps:\n      - say: hello\n"


def hook_with(text: str) -> str:
    return HOOK.format("\n".join("    " + line for line in text.splitlines()))


def test_a_hook_without_them_goes_by_no_keys(bench: Any) -> None:
    assert bench.hook(hook_with("enabled: true")).keyed is None


def test_a_hook_has_what_was_written(bench: Any) -> None:
    keyed = bench.hook(
        hook_with(
            "order: {by: event.data.id, blocked: skip}\n"
            "dedupe:\n  by: ${{ event.data.order }}\n  within: 1h\n"
            "debounce: {by: hook, wait: 5s, max: 1m}"
        )
    ).keyed
    assert [(name, key.text) for name, key in keyed.rules()] == [
        ("order", "event.data.id"),
        ("dedupe", "${{ event.data.order }}"),
        ("debounce", "hook"),
    ]
    assert keyed.order.skip
    assert keyed.dedupe.within == timedelta(hours=1)
    assert (keyed.debounce.wait, keyed.debounce.max) == (timedelta(seconds=5), timedelta(minutes=1))
    throttle = bench.hook(hook_with("throttle: {by: event.source, every: 500ms}")).keyed.throttle
    assert throttle.every == timedelta(milliseconds=500)


def test_order_waits_unless_it_says_skip_and_a_debounce_needs_no_maximum(bench: Any) -> None:
    keyed = bench.hook(hook_with("order: {by: hook}\ndebounce: {by: hook, wait: 5s}")).keyed
    assert not keyed.order.skip
    assert not bench.hook(hook_with("order: {by: hook, blocked: wait}")).keyed.order.skip
    assert keyed.debounce.max is None


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("order:", ["4:5 `order` needs `by`"]),
        ("order: event.data.id", ["4:12 `order` must be a mapping of keys to values, this is text"]),
        ("dedupe: {}", ["4:5 `dedupe` needs `by`", "4:5 `dedupe` needs `within`"]),
        ("debounce: {by: hook}", ["4:5 `debounce` needs `wait`"]),
        ("throttle: {by: hook}", ["4:5 `throttle` needs `every`"]),
        ("order: {by: hook, blocked: maybe}", ["4:32 `blocked` cannot be 'maybe' | it can be skip, wait"]),
        ("order: {by: hook, blocked: skp}", ["4:32 `blocked` cannot be 'skp' | did you mean 'skip'?"]),
        ("order: {by: hook, within: 5s}", ["4:23 `order` has no key 'within' | it can be blocked, by"]),
        (
            "dedupe: {key: hook, within: 5s}",
            ["4:5 `dedupe` needs `by`", "4:14 `dedupe` has no key 'key' | did you mean 'by'?"],
        ),
        ("dedupe: {by: hook, within: soon}", None),
        ("dedupe: {by: hook, within: 0s}", None),
        ("order: {by: [a]}", ["4:17 `by` must be an expression, this is a list"]),
        ("order: {by: }", ["4:17 `by` has no value"]),
        ("debounce: {by: hook, wait: 10s, max: 5s}", ["4:42 `max` must be at least `wait`, 10s"]),
        (
            "expires: 1m\ndebounce: {by: hook, wait: 1m}",
            ["5:32 `wait` must be shorter than the hook's `expires`, 1m | else nothing would ever be delivered"],
        ),
        (
            "debounce: {by: hook, wait: 1m}\nthrottle: {by: hook, every: 1m}",
            [
                "5:5 a hook has `debounce` or `throttle`, not both"
                " | the first of a burst is what `throttle` lets pass, the last what `debounce` does"
            ],
        ),
    ],
)
def test_what_is_wrong_is_reported_at_its_place(bench: Any, text: str, errors: list[str] | None) -> None:
    found = bench.errors(hook_with(text))
    if errors is None:
        assert len(found) == 1
    else:
        assert sorted(found) == sorted(errors)


@pytest.mark.parametrize(
    ("by", "column", "message"),
    [
        ("event.dta.id", 17, "dta"),
        ("user.id", 17, "user"),
        ("event.data", None, None),
        ("event.attributes", 17, "a key is text, a number, true or false; this is an object"),
        ('"${{ evnt.id }}"', 22, "evnt"),
    ],
)
def test_a_bad_key_is_reported_at_its_own_column(bench: Any, by: str, column: int | None, message: str | None) -> None:
    found = bench.errors(hook_with(f"order: {{by: {by}}}"))
    if message is None:
        assert found == []
        return
    [error] = found
    assert message in error
    assert error.startswith(f"4:{column} ")
