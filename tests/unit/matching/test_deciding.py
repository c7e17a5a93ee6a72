"""Hooks of `mode: decide` stand beside the others: no event fires them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.matching.router import Router
from hookrt.model.event import Event
from hookrt.model.hook import Hook


def an_event(type: str = "A.B", source: str = "app", content: bytes = b"{}") -> Event:
    return Event("e1", type, source, datetime(2026, 1, 1, tzinfo=UTC), content=content)


def a_hook(name: str, *patterns: str, **options: Any) -> Hook:
    return Hook(name, patterns or ("A.B",), (), **{"on_error": "deny", **options})


def names(hooks: Any) -> list[str]:
    return [hook.name for hook in hooks]


def test_no_event_fires_a_deciding_hook() -> None:
    router = Router([a_hook("asks"), a_hook("fires", on_error=None)])
    assert names(router.match(an_event(), {}).hooks) == ["fires"]
    assert names(router.deciding(an_event())) == ["asks"]
    assert not Router([a_hook("asks")]).listens_to("A.B")


def test_deciding_hooks_come_in_definition_order_by_type_and_source() -> None:
    router = Router(
        [
            a_hook("second", "A.*"),
            a_hook("first"),
            a_hook("other", "C"),
            a_hook("elsewhere", source="logto"),
            a_hook("off", enabled=False),
            a_hook("all", "**"),
        ]
    )
    assert names(router.deciding(an_event())) == ["second", "first", "all"]
    assert names(router.deciding(an_event(source="logto"))) == ["second", "first", "elsewhere", "all"]


def test_a_hook_can_change_its_mode_and_go() -> None:
    router = Router([a_hook("one"), a_hook("two")])
    router.replace("file", [a_hook("one", on_error=None), a_hook("two", "C")])
    assert names(router.match(an_event(), {}).hooks) == ["one"]
    assert names(router.deciding(an_event())) == []
    router.replace("file", [a_hook("one")])
    assert names(router.match(an_event(), {}).hooks) == []
    assert names(router.deciding(an_event())) == ["one"]
    router.remove("one")
    assert router.deciding(an_event()) == []


def test_a_set_that_is_adopted_brings_its_deciding_hooks() -> None:
    router = Router([a_hook("old"), replace(a_hook("mine"), origin="code")])
    router.adopt("file", router.prepare("file", [a_hook("new")]))
    assert names(router.deciding(an_event())) == ["new", "mine"]


def test_explain_says_that_only_decisions_ask_it() -> None:
    when = compile_condition("event.data.age > 17", Names())
    router = Router([a_hook("asks", when=when)])
    [found] = router.explain(an_event(content=b'{"age": 18}'), {})
    assert (found.fires, found.reason) == (False, "decide")
    [found] = router.explain(an_event(content=b'{"age": 1}'), {})
    assert found.reason == "condition"
    [found] = router.explain(an_event(), {})
    assert found.reason == "unanswerable"
    assert found.detail.endswith("in a decision its on_error answers: deny")
