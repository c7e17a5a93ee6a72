"""`by`: the key of an event, compiled and typed when the file is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hookrt.errors import ExpressionError
from hookrt.matching.key import MAX_KEY, compile_key, key_text
from hookrt.matching.names import Names
from hookrt.matching.router import Router
from hookrt.model.event import Event
from hookrt.model.hook import Dedupe, Finding, Hook, Keyed, Order, Scope

MakeScope = Callable[..., Scope]


@pytest.mark.parametrize(
    ("by", "data", "key"),
    [
        ("event.data.id", {"id": "u1"}, "u1"),
        ("${{ event.data.id }}", {"id": "u1"}, "u1"),
        ("event.data.id", {"id": 7}, "7"),
        ("event.data.id", {"id": 7.0}, "7"),
        ("event.data.id", {"id": 7.5}, "7.5"),
        ("event.data.id", {"id": 2**70}, str(2**70)),
        ("event.data.id", {"id": True}, "true"),
        ("event.data.id", {"id": ""}, ""),
        ('event.data.a + "/" + event.data.b', {"a": "x", "b": "y"}, "x/y"),
        ("event.data.n + 1", {"n": 1}, "2"),
        ("event.data.n > 1", {"n": 1}, "false"),
        ('get(event, "data.id", "none")', {}, "none"),
        ("event.type", None, "User.Created"),
        ("hook", None, "welcome"),
        ("env.REGION", None, "eu"),
    ],
)
def test_a_key_is_text_a_number_or_a_bool(scope: MakeScope, by: str, data: Any, key: str) -> None:
    assert compile_key(by, Names()).of(scope(data)) == key


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "event.data.id is missing"),
        ({"id": None}, "event.data.id is null: a key is text, a number, true or false"),
        ({"id": [1]}, "event.data.id is [1]: a key is text, a number, true or false"),
        ({"id": {}}, "event.data.id is {}: a key is text, a number, true or false"),
    ],
)
def test_what_is_no_key_says_so(scope: MakeScope, data: Any, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_key("event.data.id", Names()).of(scope(data))
    assert raised.value.message.startswith(message)


@pytest.mark.parametrize(
    ("by", "column", "message"),
    [
        ("evnt.data.id", 1, "evnt"),
        ("event.data.", 11, ""),
        ("event.data.id +", 15, ""),
        ("nope(event.data.id)", 1, "nope"),
        ("event", 1, "a key is text, a number, true or false; this is an object"),
        ("[event.data.id]", 1, "a key is text, a number, true or false; this is an array"),
        ("null", 1, "a key is text, a number, true or false; this is null"),
        ("secrets.KEY", 1, "secrets"),
        ("steps.one.output", 1, "steps"),
        ("${{ event.data.id }}-x", 21, "a key is one expression"),
    ],
)
def test_a_key_is_compiled_and_typed_at_load_with_its_own_column(by: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_key(by, Names())
    assert message in raised.value.message
    assert raised.value.line == 1
    assert abs(raised.value.column - column) <= 1


def test_a_long_or_unprintable_key_is_kept_as_its_hash() -> None:
    fit = "é" * MAX_KEY
    assert key_text(fit) == fit
    hashed = {key_text(text) for text in (fit + "x", fit + "y", "a\nb", "\0", "\ud800")}
    assert len(hashed) == 5
    assert all(text.startswith("sha256:") and len(text) == 71 for text in hashed)


def test_explain_shows_the_keys_of_a_hook_that_fires(hook: Callable[..., Hook], event: Callable[..., Event]) -> None:
    by = compile_key(" event.data.id ", Names())
    keyed = Keyed(order=Order(by), dedupe=Dedupe(compile_key("event.data.n", Names()), timedelta(hours=1)))
    router = Router([replace(hook("a", "User.*"), keyed=keyed), replace(hook("b", "Role.*"), keyed=keyed)])
    found, other = router.explain(event({"id": "u1"}), {})
    assert found.fires
    assert found.keys[0] == Finding("order by event.data.id", "u1")
    assert (found.keys[1].expression, found.keys[1].value) == ("dedupe by event.data.n", "no key")
    assert "event.data.n is missing" in (found.keys[1].problem or "")
    assert other.keys == ()
