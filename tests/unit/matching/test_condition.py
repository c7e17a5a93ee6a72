"""`when`: what is true of an event, and what has no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookrt.errors import ExpressionError
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Mentions, Names
from hookrt.model.hook import Scope

USER = {"user": {"primaryEmail": "ann@acme.com", "name": None, "age": 30, "tags": ["a", "b"]}, "items": [{"sku": "x"}]}

Holds = Callable[..., bool]
WhyNot = Callable[..., str]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('event.type == "User.Created"', True),
        ('event.data.user.primaryEmail.endsWith("@acme.com")', True),
        ('${{ event.data.user.primaryEmail.endsWith("@acme.com") }}', True),
        ('get(event, "data.user.primaryEmail", "").endsWith("@acme.com")', True),
        ('get(event, "data.user.phone", "") == ""', True),
        ('get(event, "data.user.name", "nobody") == "nobody"', True),
        ('get(event.data, "user.age", 0) > 18', True),
        ('get(event, "data.items.0.sku", "") == "x"', True),
        ('get(event, "data.items.7.sku", "none") == "none"', True),
        ('get(event, "data.user.primaryEmail.deeper", 1) == 1', True),
        ('event.data.?user.?phone.orValue("none") == "none"', True),
        ("has(event.data.user.phone)", False),
        ("has(event.data.user.name)", True),
        ("event.data.user.name == null", True),
        ("event.data.items.exists(i, i.sku == 'x')", True),
        ("event.data.user.tags.filter(t, t != 'a').map(t, t + '!') == ['b!']", True),
        ("event.data.user.age > 18.5", True),
        ("type(event.data.user.age) == int", True),
        ("'b' in event.data.user.tags", True),
        ("event.subject == null", True),
        ("timestamp(event.time) > timestamp('2026-01-01T00:00:00Z')", True),
        ("timestamp(event.time).getHours('Europe/Berlin') == 4", True),
        ("event.data.user.primaryEmail.matches('^[a-z]+@')", True),
        ("optional.of(event.data.user.age).optMap(a, a + 1).orValue(0) == 31", True),
        ("true || event.data.nothing.here", True),
    ],
)
def test_a_condition_is_true_or_false_of_an_event(text: str, expected: bool, holds: Holds) -> None:
    assert holds(text, USER) is expected


def test_get_with_no_data_at_all_gives_the_default(holds: Holds) -> None:
    assert holds('get(event.data, "user.age", 0) == 0', None)
    assert holds('get(event, "data.user.age", 0) == 0', None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("event.data.user.phone == '1'", "event.data.user.phone is missing"),
        ("event.data.account.id == 1", "event.data.account is missing"),
        ("event.data.user.name.endsWith('x')", "event.data.user.name is null"),
        ("event.data.user.name.first == 'x'", "event.data.user.name is null"),
        ("event.data.user.age.endsWith('x')", "endsWith() cannot take int and string: event.data.user.age is 30"),
        ("event.data.user.age + 'x' == ''", "'+' cannot take int and string: event.data.user.age is 30"),
        ("event.data.user.age.years == 1", "event.data.user.age is 30, not an object"),
        ("event.data.items[3].sku == 'x'", "event.data.items[3] is missing: the list has 1 elements"),
        ("event.data.items[0].name == 'x'", "event.data.items[0].name is missing"),
        ("event.data['user']['last name'] == 'x'", 'event.data.user["last name"] is missing'),
        ("event.data.user.age && true", "event.data.user.age is 30, not true or false"),
        ("!event.data.user.name", "event.data.user.name is null"),
        ("event.data.user.age", "event.data.user.age is 30, not true or false"),
        ("get(event, 'data.user.age', false)", "the condition is 30, not true or false"),
        ("event.data.user.age.exists(x, x == 1)", "event.data.user.age is 30, not a list"),
        ("event.data.items.exists(i, i.name == 'x')", '"name" is missing'),
        ("'x' in event.data.user.age", "event.data.user.age is 30, not a list or an object"),
        ("event.data.?user.?name.?first.orValue('') == ''", "event.data.user.name is null"),
        ("has(event.data.account.id)", "event.data.account is missing"),
        ("env.MISSING == 'x'", "env.MISSING is missing"),
        ("event.attributes.tenant == 'x'", "event.attributes.tenant is missing"),
        ("event.subject.startsWith('x')", "event.subject is null"),
        ("1 / (event.data.user.age - 30) == 1", "divide by zero"),
    ],
)
def test_an_evaluation_error_counts_as_false_and_names_the_part(text: str, why: str, why_not: WhyNot) -> None:
    assert why_not(text, USER) == why


@pytest.mark.parametrize("kind", ["text", 5, 1.5, [], {}, None])
def test_a_value_whose_type_is_known_only_at_run_time_has_to_be_bool_then(kind: Any, why_not: WhyNot) -> None:
    assert why_not("event.data.flag", {"flag": kind}).endswith("not true or false")


def test_a_hooks_condition_sees_event_env_and_hook(holds: Holds) -> None:
    assert holds('event.id == "e1" && event.source == "http" && env.REGION == "eu" && hook == "welcome"')
    assert holds('event.attributes.tenant == "t1" && event.subject == "s"', attributes={"tenant": "t1"}, subject="s")
    assert holds('event.data_base64 == "AP8="', binary=True, content=b"\x00\xff")


def test_a_steps_condition_sees_steps_too(scope: Callable[..., Scope]) -> None:
    names = Names(steps=("first", "second"), all_steps=("first", "second"), with_steps=True)
    condition = compile_condition('steps.first.output.total == 3 && steps.second.status == "failed"', names)
    assert condition.holds(scope())
    assert condition.mentions == Mentions(steps=frozenset({"first", "second"}))


def test_naming_steps_as_a_whole_mentions_every_earlier_one() -> None:
    names = Names(steps=("first", "second"), all_steps=("first", "second", "third"), with_steps=True)
    assert compile_condition("size(steps) == 2", names).mentions.steps == {"first", "second"}
    assert compile_condition("get(steps, 'first.output', 0) == 2", names).mentions.steps == {"first"}


def test_a_condition_keeps_its_text_as_written() -> None:
    assert compile_condition("${{ true }}", Names()).text == "${{ true }}"


def test_a_condition_with_a_comment_and_line_breaks_is_one_expression(holds: Holds) -> None:
    assert holds('event.type == "User.Created"  // the type\n  && true\n')


def test_no_condition_ever_raises_anything_but_an_expression_error(scope: Callable[..., Scope]) -> None:
    for text in ("{'a': 1, 'a': 2} == {}", "{event.data.k: 1} == {}", "get({'d': duration('1s')}, 'd', 1) == 1"):
        with pytest.raises(ExpressionError):
            compile_condition(text, Names()).holds(scope({"k": None}))
