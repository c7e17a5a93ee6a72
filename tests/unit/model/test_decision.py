"""What counts as a hook's answer, and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hookrt.model.decision import MAX_REASON, Answer, Decision

MOST = 1000


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ({"decision": "allow"}, Answer("allow")),
        ({"decision": "deny", "reason": "too young"}, Answer("deny", "too young")),
        ({"decision": "allow", "reason": None, "patch": None}, Answer("allow")),
        ({"decision": "allow", "patch": {"a": None}}, Answer("allow", None, {"a": None})),
        ({"status": 200, "headers": {}, "body": {"decision": "deny"}}, Answer("deny")),
    ],
)
def test_an_answer_is_a_decision_with_a_reason_and_a_patch(output: Any, answer: Answer) -> None:
    assert Answer.read(output) == answer


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (None, "empty"),
        ("", "empty"),
        ("allow", "text"),
        (True, "true or false"),
        ([{"decision": "allow"}], "a list"),
        ({}, "neither"),
        ({"decision": "Allow"}, "neither"),
        ({"decision": True}, "neither"),
        ({"decision": ["allow"]}, "neither"),
        ({"decision": "allow", "pacth": {}}, "'pacth'"),
        ({"decision": "deny", "reason": 7}, "reason"),
        ({"decision": "deny", "reason": "x" * (MAX_REASON + 1)}, "reason"),
        ({"decision": "allow", "patch": ["c"]}, "a list"),
        ({"decision": "allow", "patch": "c"}, "text"),
        ({"decision": "allow", "patch": {"a": [{"__proto__": {"admin": True}}]}}, "__proto__"),
        ({"status": 200, "headers": {}, "body": "<html>"}, "text"),
        ({"status": 200, "headers": {}, "body": {"status": 200, "headers": {}, "body": {}}}, "'status'"),
    ],
)
def test_everything_else_is_no_answer(output: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Answer.read(output)


def test_a_patch_changes_the_data() -> None:
    answer = Answer("allow", patch={"a": {"b": None, "c": 2}})
    assert json.loads(answer.apply({"a": {"b": 1}, "d": 3}, MOST)) == {"a": {"c": 2}, "d": 3}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"n": value}
    return value


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        ({"x": "y" * MOST}, "bytes"),
        ({"x": float("inf")}, "NaN"),
        (nested(65), "64 levels"),
        (nested(120), "64 levels"),
    ],
)
def test_patched_data_keeps_the_limits_of_an_event(patch: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Answer("allow", patch=patch).apply({}, MOST)


def test_a_decision_is_true_exactly_when_it_allows() -> None:
    assert Decision("1", "allow", None)
    assert not Decision("1", "deny", None)
