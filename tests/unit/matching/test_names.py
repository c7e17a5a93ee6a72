"""One list of names and functions is published, and what it says is so."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.errors import ExpressionError
from hookrt.matching.attribute import compile_attribute
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import (
    EVENT_FIELDS,
    FUNCTIONS,
    REQUEST_VARIABLES,
    VARIABLES,
    Names,
    Published,
    suggest,
    variables_for,
)
from hookrt.matching.template import compile_template
from hookrt.model.event import Event

EVERYWHERE = Names(steps=("ID",), all_steps=("ID",), secrets=True, with_steps=True)
STAND_INS = {
    r"\btext\b": '"abc"',
    r"\blist\b": "event.data.list",
    r"\bobject\b": "event",
    r"\boptional\.(?=or|optF)": "event.data.?name.",
    r"\bother\b": "event.data.?other",
    r"\btime\b": "timestamp(event.time)",
    r"\b(part|pattern|separator|old|new|default|a)\b(?!\()": '"b"',
    r"\b(start|index|b)\b(?!\()": "1",
    r"\bend\b": "2",
    r"\bx\b": "event.data.x",
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_every_published_function_compiles_as_it_is_said_to_be_written(function: Published) -> None:
    text = function.form
    if function.name not in ("all", "exists", "exists_one", "filter", "map", "optMap", "optFlatMap"):
        for pattern, stand_in in STAND_INS.items():
            text = re.sub(pattern, stand_in, text)
    else:
        text = text.replace("list", "event.data.list").replace("optional.", "event.data.?name.")
    text = text.replace('"dotted.path"', '"data.path"').replace('timestamp("abc")', 'timestamp("2026-01-02T03:04:05Z")')
    compile_condition(f"[{text}] == [{text}]" if not _gives_optional(function) else f"({text}) == ({text})", EVERYWHERE)


def _gives_optional(function: Published) -> bool:
    return function.name.startswith("optional.") or function.name in ("or", "optMap", "optFlatMap")


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_published_name_compiles_as_it_is_said_to_be_written(variable: Published) -> None:
    assert compile_template(f"${{{{ {variable.form} }}}}", EVERYWHERE) is not None


@pytest.mark.parametrize("variable", REQUEST_VARIABLES, ids=lambda variable: variable.name)
def test_every_published_name_of_a_source_compiles_as_it_is_said_to_be_written(variable: Published) -> None:
    assert compile_attribute(variable.form).text == variable.form


def test_a_function_that_is_not_published_does_not_compile() -> None:
    with pytest.raises(ExpressionError):
        compile_condition("[1, 2].first().orValue(1) == 1", Names())


def test_the_fields_of_an_event_are_those_of_the_model() -> None:
    from datetime import UTC, datetime

    event = Event("1", "T", "s", datetime(2026, 1, 1, tzinfo=UTC), content=b"x", binary=True)
    assert set(event.as_dict()) == set(EVENT_FIELDS)


def test_names_exist_only_where_they_may_be_used() -> None:
    assert variables_for(Names()) == ("event", "hook", "env")
    assert variables_for(Names(with_steps=True)) == ("event", "steps", "hook", "env")
    assert variables_for(EVERYWHERE) == ("event", "steps", "hook", "env", "secrets")
    assert variables_for(Names(request=True)) == ("body", "headers", "query", "event")


def test_a_suggestion_is_made_only_when_something_is_close() -> None:
    assert suggest("tpye", EVENT_FIELDS) == "; did you mean 'type'?"
    assert suggest("STARTSWITH", ["startsWith"]) == "; did you mean 'startsWith'?"
    assert suggest("zzz", EVENT_FIELDS) == ""


def refusal(text: str, compile_any: Callable[[str, Names], object]) -> ExpressionError | None:
    try:
        compile_any(text, EVERYWHERE)
    except ExpressionError as error:
        return error
    return None


@given(st.text(max_size=80))
def test_any_text_compiles_or_is_an_expression_error_with_a_place(text: str) -> None:
    for error in (refusal(text, compile_condition), refusal(f"a ${{{{ {text}", compile_template)):
        assert error is None or (error.message and error.line and error.column)


PIECES = ["event", ".data", ".x", "(", ")", "[", "]", "{", "}", "'", '"', "${{", "}}", "&&", "||", "!", "==", "1"]
PIECES += [
    "'a'",
    ".?",
    "?",
    ":",
    ",",
    "get",
    "has",
    ".all(x,",
    "true",
    ".exists(i,",
    "i",
    ".orValue(",
    "//",
    "\n",
    "r'",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_pieces_of_expressions_compile_or_are_an_expression_error(text: str) -> None:
    for error in (refusal(text, compile_condition), refusal(text, compile_template)):
        assert error is None or (error.message and error.line and error.column)
