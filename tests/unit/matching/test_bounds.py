"""RULES, "The file", Bounds of expressions: what a hostile event or a careless expression may cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Holds = Callable[..., bool]
WhyNot = Callable[..., str]
Refused = Callable[..., tuple[int | None, str]]
HUGE = 2**70


def test_an_expression_has_at_most_4_kib_of_text(refused: Refused, holds: Holds) -> None:
    fitting = "true || '" + "é" * ((4096 - 19) // 2) + "' == 'x'"
    assert len(fitting.encode()) <= 4096
    assert holds(fitting)
    column, said = refused("true" + " " * 4093)
    assert (column, said) == (1, "the expression has 4,097 bytes: 4,096 at most")


@pytest.mark.parametrize("opening", ["(", "[", "!(", "1 + ", "size("])
def test_nesting_is_bounded_and_told_so(opening: str, refused: Refused) -> None:
    assert "nested too deep" in refused(opening * 200)[1]


@pytest.mark.parametrize("text", ["event.data.a.all(x, x.all(y, y))", "[1].map(x, [2].exists(y, y == x)) == [true]"])
def test_nested_macros_are_errors_with_a_column(text: str, refused: Refused) -> None:
    column, said = refused(text)
    assert "a macro inside a macro" in said
    assert column == text.index(".", text.index(",")) + 2


def test_macros_one_after_another_are_not_nested(holds: Holds) -> None:
    assert holds("event.data.a.filter(x, x > 1).map(x, x * 2) == [4, 6]", {"a": [1, 2, 3]})


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("event.type.matches('(')", 20),
        ('event.type.matches("a(?=b)")', 20),
        ("true && event.type.matches('[z-a]')", 28),
        ("event.data.all(k, k.matches('*'))", 29),
    ],
)
def test_a_bad_regex_literal_is_an_error_with_its_column(text: str, column: int, refused: Refused) -> None:
    found, said = refused(text)
    assert found == column
    assert said.startswith("this is no RE2 pattern")


def test_a_bad_pattern_from_an_event_is_no_answer(why_not: WhyNot) -> None:
    assert "invalid regular expression" in why_not("event.type.matches(event.data.pattern)", {"pattern": "("})


def test_a_list_under_a_macro_has_at_most_1000_elements(holds: Holds, why_not: WhyNot) -> None:
    assert holds("event.data.a.exists(x, x == 999)", {"a": list(range(1000))})
    said = "event.data.a has 1,001 elements: a macro goes over 1,000 at most"
    assert why_not("event.data.a.exists(x, x == 999)", {"a": list(range(1001))}) == said
    assert why_not("get(event, 'data.a', []).exists(x, x == 1)", {"a": list(range(1001))}) == said
    assert why_not("event.data.?a.orValue([]).exists(x, x == 1)", {"a": list(range(1001))}) == said
    assert why_not("(true ? event.data.a : []).exists(x, x == 1)", {"a": list(range(1001))}) == said
    assert "1,001 elements" in why_not("event.data.a.all(k, k != '')", {"a": {str(n): n for n in range(1001)}})


def test_a_list_that_no_macro_goes_over_may_be_longer(holds: Holds) -> None:
    assert holds("size(event.data.a) == 5000 && 4999 in event.data.a", {"a": list(range(5000))})


def test_the_list_of_a_macro_cannot_hide_behind_an_index(why_not: WhyNot) -> None:
    data = {"a": [list(range(2000))], "n": 0, "k": "a"}
    assert "2,000 elements" in why_not("event.data.a[event.data.n].exists(x, x == 1)", data)
    assert "2,000 elements" in why_not("event.data.a[0].exists(x, x == 1)", data)
    assert "2,000 elements" in why_not("event.data.a.filter(x, true)[0].exists(x, x == 1)", data)


@pytest.mark.parametrize(
    "text",
    ["(event.data.a + event.data.a).all(x, x)", "event.data.s.split(',').all(x, x == '')"],
)
def test_a_computed_list_under_a_macro_is_refused(text: str, refused: Refused) -> None:
    assert "macro" in refused(text)[1]


def test_a_split_with_a_limit_may_stand_under_a_macro(holds: Holds) -> None:
    assert holds("event.data.s.split(',', 100).exists(x, x == 'b')", {"s": "a,b"})


def test_what_is_looked_at_for_every_element_is_bounded(why_not: WhyNot, holds: Holds) -> None:
    long_text, long_list = {"a": ["x"], "b": "y" * 20_000}, {"a": [1], "b": list(range(2000))}
    assert "20,000 characters" in why_not("event.data.a.exists(x, event.data.b.contains(x))", long_text)
    assert "2,000 elements" in why_not("event.data.a.exists(x, x in event.data.b)", long_list)
    whole = "size(event.data) > 0 && event.data.a.exists(x, x in event.data.b)"
    assert "2,000 elements" in why_not(whole, long_list)
    assert holds("event.data.a.exists(x, x.contains('y'))", {"a": ["y" * 20_000]})


@pytest.mark.parametrize(
    "text", ["event.data.a.replace('x', event.data.b) == ''", "event.data.a.join(event.data.b) == ''"]
)
def test_two_texts_of_an_event_cannot_multiply(text: str, refused: Refused) -> None:
    assert "literal" in refused(text)[1]


def test_integers_of_2_to_the_64_that_are_not_mentioned_do_no_harm(holds: Holds) -> None:
    data = {"huge": HUGE, "deep": {"huge": -HUGE}, "name": "ann"}
    assert holds("event.data.name == 'ann' && has(event.data.deep.huge)", data)


def test_a_mentioned_large_integer_is_equal_to_its_like_and_no_number_to_calculate_with(
    holds: Holds, why_not: WhyNot
) -> None:
    data = {"a": HUGE, "b": HUGE, "c": 2**64 - 1, "d": -(2**63), "list": [{"id": HUGE}]}
    assert holds("event.data.a == event.data.b && event.data.a != event.data.c", data)
    assert holds(f"string(event.data.a) == '{HUGE}'", data)
    assert holds(f"event.data.c == {2**64 - 1}u && event.data.d == {-(2**63)}", data)
    assert holds("event.data.list.exists(i, i.id == event.data.a)", data)
    assert why_not("event.data.a > 1", data) == f"event.data.a is {HUGE}, too large to calculate with"


@pytest.mark.parametrize("data", [{"s": "ann\0@acme.com"}, {"s": {"k\0": 1}}, {"s": ["a\0"]}])
def test_a_nul_character_is_no_answer_since_the_library_would_cut_the_text_there(data: Any, why_not: WhyNot) -> None:
    assert why_not("event.data.s == 'ann'", data) == "event.data.s holds a NUL character"


def test_a_nul_character_elsewhere_does_no_harm(holds: Holds) -> None:
    assert holds("event.data.a == 1", {"a": 1, "s": "x\0"})


def test_depth_is_bounded_before_the_library_sees_it(why_not: WhyNot) -> None:
    nested: Any = 1
    for _ in range(80):
        nested = {"a": nested}
    assert "more than 64 levels" in why_not("event.data.top == 1", {"top": nested})


@pytest.mark.parametrize(
    "text",
    [
        "[event.data.?x] == []",
        "{'a': event.data.?x} == {}",
        "{'a': event.data.list[?0]} == {}",
        "get(event, 'data', event.data.?x) == 1",
        "dyn(event.data.?x) == 1",
        "event.data.list.map(i, i.?x) == []",
        "[true ? event.data.list[?0] : optional.none()] == []",
        "[event.data.?x.orValue(event.data.?y)] == []",
        "[optional.of(1).optFlatMap(v, event.data.list[?0])] == []",
    ],
)
def test_an_optional_that_would_crash_the_library_is_an_error(text: str, refused: Refused) -> None:
    assert "an optional has to be unwrapped here" in refused(text)[1]
