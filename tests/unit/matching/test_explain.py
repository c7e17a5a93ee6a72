"""`explain`: for every hook whether it fires, and if not why, with the values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hookrt.errors import ExpressionError
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.matching.router import HookExplanation, Router
from hookrt.model.event import Event
from hookrt.model.hook import Finding, Hook, Scope

MakeHook = Callable[..., Hook]
MakeEvent = Callable[..., Event]
MakeScope = Callable[..., Scope]


def explained(hook: Hook, event: Event) -> HookExplanation:
    [only] = Router([hook]).explain(event, {})
    return only


def test_every_hook_is_explained_in_definition_order(hook: MakeHook, event: MakeEvent) -> None:
    hooks = [hook("z", "Role.*"), hook("a", "User.*"), hook("m", "User.*", enabled=False)]
    reasons = [(one.hook, one.fires, one.reason) for one in Router(hooks).explain(event(), {})]
    assert reasons == [("z", False, "type"), ("a", True, "fires"), ("m", False, "disabled")]


def test_the_type_is_named_and_so_is_a_difference_of_case_only(hook: MakeHook, event: MakeEvent) -> None:
    assert (
        explained(hook("a", "Role.*", "PostSignIn"), event()).detail == "Role.*, PostSignIn does not match User.Created"
    )
    assert "case-sensitive" in explained(hook("a", "user.created"), event()).detail


def test_the_source_is_named(hook: MakeHook, event: MakeEvent) -> None:
    found = explained(hook("a", "User.*", source="logto"), event())
    assert (found.reason, found.detail) == ("source", "it takes events from 'logto' only, this one is from 'http'")


def test_a_false_condition_names_the_part_and_its_values(hook: MakeHook, event: MakeEvent) -> None:
    condition = 'event.type == "User.Created" && event.data.user.primaryEmail.endsWith("@acme.com")'
    found = explained(hook("a", "User.*", when=condition), event({"user": {"primaryEmail": "ann@other.org"}}))
    assert found.reason == "condition"
    assert found.detail == (
        'event.data.user.primaryEmail.endsWith("@acme.com") is false, event.data.user.primaryEmail is "ann@other.org"'
    )
    assert found.findings == (
        Finding('event.type == "User.Created"', "true"),
        Finding("event.type", '"User.Created"'),
        Finding('event.data.user.primaryEmail.endsWith("@acme.com")', "false"),
        Finding("event.data.user.primaryEmail", '"ann@other.org"'),
    )


def test_an_unanswerable_condition_names_the_missing_part(hook: MakeHook, event: MakeEvent) -> None:
    condition = 'event.data.user.primaryEmail.endsWith("@acme.com")'
    found = explained(hook("a", "User.*", when=condition), event({"user": {}}))
    assert (found.fires, found.reason) == (False, "unanswerable")
    assert found.detail == "event.data.user.primaryEmail is missing"
    assert found.findings[0] == Finding(condition, "unanswerable", "event.data.user.primaryEmail is missing")
    assert found.findings[1].value == "missing"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("true", ["true"]),
        ("true && false", ["true", "false"]),
        ("true || (false && !true)", ["true", "false", "!true"]),
        ("!(true && false)", ["true", "false"]),
        ("!true", ["!true"]),
        ("(true)", ["true"]),
        ("true ? true : false", ["true ? true : false"]),
        ("'&&' == '||' && true", ["'&&' == '||'", "true"]),
        ("[true].all(x, x && true) || false", ["[true].all(x, x && true)", "false"]),
        ("true // && false\n && true", ["true // && false", "true"]),
        ("event.data.?a.orValue(true) && true", ["event.data.?a.orValue(true)", "true"]),
    ],
)
def test_the_outermost_operators_split_a_condition_into_parts(text: str, parts: list[str], scope: MakeScope) -> None:
    findings = compile_condition(text, Names()).explain(scope({}))
    shown = [found.expression for found in findings if found.expression != "event.data.a"]
    assert shown == parts


def test_a_wrapped_condition_is_explained_like_a_bare_one(scope: MakeScope) -> None:
    found = compile_condition("${{ event.data.n > 1 }}", Names()).explain(scope({"n": 0}))
    assert found == [Finding("event.data.n > 1", "false"), Finding("event.data.n", "0")]


def test_long_values_are_shortened(scope: MakeScope) -> None:
    condition = compile_condition('event.data.text == "x" || size(event.data.list) == 0', Names())
    by_path = {
        found.expression: found.value for found in condition.explain(scope({"text": "y" * 500, "list": [1] * 500}))
    }
    assert by_path["event.data.text"] == '"' + "y" * 77 + '..." (500 characters)'
    assert by_path["event.data.list"] == "a list of 500"


def test_the_data_of_an_event_without_data_is_null_and_said_to_be(scope: MakeScope) -> None:
    condition = compile_condition('event.data.user.name == "x"', Names())
    with pytest.raises(ExpressionError, match=r"event\.data is null"):
        condition.holds(scope(None))
