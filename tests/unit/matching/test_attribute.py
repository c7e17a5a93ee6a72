"""`type`, `subject` and `id` of a source: CEL over the request that came in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hookrt.errors import ExpressionError
from hookrt.matching.attribute import compile_attribute
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.model.event import Event
from hookrt.model.hook import Scope

EVENT = Event("id-1", "said.type", "shop", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "sub", b'{"n": 1}')
BODY = {
    "action": "opened",
    "n": 3,
    "big": 2**70,
    "half": 1.5,
    "whole": 2.0,
    "yes": True,
    "none": None,
    "list": [1, {"a": "x"}],
}


@pytest.fixture
def value() -> Callable[[str], Any]:
    scope = Scope(EVENT, "", request={"body": BODY, "headers": {"x-kind": "pull"}, "query": {"a": "b"}})
    return lambda text: compile_attribute(text).of(scope)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("body.action", "opened"),
        ("${{ body.action }}", "opened"),
        ('headers["x-kind"] + "." + body.action', "pull.opened"),
        ("query.a", "b"),
        ("event.type", "said.type"),
        ("event.id", "id-1"),
        ("event.time", "2026-01-02T03:04:05Z"),
        ("string(event.data.n)", "1"),
        ('"fixed.type"', "fixed.type"),
        ("body.n", "3"),
        ("body.big", str(2**70)),
        ("body.half", "1.5"),
        ("body.whole", "2"),
        ("body.yes", "true"),
        ("body.none", None),
        ("null", None),
        ("body.list[1].a", "x"),
        ('get(body, "a.b", "c")', "c"),
        ('body.list.filter(one, one == 1).size() == 1 ? "one" : "none"', "one"),
    ],
)
def test_the_value_is_a_text_or_null(value: Callable[[str], Any], text: str, found: str | None) -> None:
    assert value(text) == found


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("body.missing", "body.missing is missing"),
        ("body.list", "which is no text"),
        ("body", "which is no text"),
        ('headers["x-other"]', "is missing"),
        ("body.n + 1 + body.action", "cannot take int and string"),
    ],
)
def test_without_a_value_the_part_is_named(value: Callable[[str], Any], text: str, part: str) -> None:
    with pytest.raises(ExpressionError, match=part):
        value(text)


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("bdy.action", 1, "did you mean 'body'"),
        ("header.x", 1, "did you mean 'headers'"),
        ("data.x", 1, "did you mean 'event.data', or 'body'"),
        ("a.b", 1, "a fixed text stands in quotes"),
        ("hook", 1, "unknown name 'hook'"),
        ("env.HOME", 1, "unknown name 'env'"),
        ("secrets.KEY", 1, "unknown name 'secrets'"),
        ("body.list.map(body, body)", 11, "'body' has a meaning of its own"),
        ("event.dta", 1, "an event has no field 'dta'"),
        ("[body.a]", 1, "this has to be a text; it is an array"),
        ("  ${{ bdy.x }}", 7, "unknown name 'bdy'"),
    ],
)
def test_what_is_wrong_is_told_before_the_first_request(text: str, column: int, part: str) -> None:
    with pytest.raises(ExpressionError, match=part) as error:
        compile_attribute(text)
    assert (error.value.line, error.value.column) == (1, column)


def test_a_condition_knows_nothing_of_a_request() -> None:
    with pytest.raises(ExpressionError, match="unknown name 'body'"):
        compile_condition('body.action == "x"', Names())


def test_two_of_the_same_text_are_equal() -> None:
    assert compile_attribute("body.a") == compile_attribute("body.a")
    assert compile_attribute("body.a") != compile_attribute("body.b")
