"""What `check` says of a condition that cannot be right, and at which column."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hookrt.errors import ExpressionError
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names

Refused = Callable[..., tuple[int | None, str]]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("evnt.type == 'x'", 1, "unknown name 'evnt'; did you mean 'event'?"),
        ("data.user == 1", 1, "did you mean 'event.data'?"),
        ("event.data.x == None", 17, "did you mean 'null'?"),
        ("true && user.name == 1", 9, "unknown name 'user'; there are event, steps, hook, env"),
        ("event.tpye == 'x'", 1, "an event has no field 'tpye'; did you mean 'type'?"),
        ("has(event.user)", 1, "an event has no field 'user'"),
        ("event['user'] == 1", 6, "an event has no field 'user'"),
        ("event.?user.orValue(1) == 1", 1, "an event has no field 'user'"),
        ("get(event, 'user.name', '') == ''", 12, "an event has no field 'user'"),
        ("get(event, 'data..name', '') == ''", 12, "without empty segments"),
        ("event.data.mail.endswith('x')", 17, "unknown function 'endswith'; did you mean 'endsWith'?"),
        ("len(event.data.list) > 1", 1, "did you mean 'size'?"),
        ("event.data.name.toLowerCase() == 'x'", 17, "did you mean 'lowerAscii'?"),
        ("get(event, 'data.x') == 1", 1, 'write get(object, "dotted.path", default)'),
        ("event.type.startsWith(1)", 12, "write text.startsWith(part)"),
        ("1 + 'a' == 2", 3, "'+' cannot take int and string"),
        ("google.protobuf.Int32Value{value: 1} == 1", 1, "cannot be used here"),
    ],
)
def test_unknown_names_and_functions_are_errors_with_a_suggestion(
    text: str, column: int, said: str, refused: Refused
) -> None:
    found = refused(text)
    assert found[0] == column
    assert said in found[1]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("event.data.x = 1", 14, "write '=='"),
        ("event.data.x and true", 14, "did you mean '&&'?"),
        ("not event.data.x", 5, "did you mean '!'?"),
        ("event.data.user?.name == ''", None, "'a.?b'"),
        ("(true", 6, "')' is missing"),
        ("true &&", 8, "ends too early"),
        ("'abc", 1, "has no end"),
        ("if true", 1, "reserved word"),
        ("event.data.x ; true", 14, "unexpected ';'"),
        ("", 1, "ends too early"),
        ("event.type == ${{ x }}", 15, "'${{' has no place inside an expression"),
        ("true\x00", 5, "NUL"),
        ("'\ud800' == ''", 1, "Unicode"),
    ],
)
def test_a_syntax_error_is_told_in_words_with_its_column(
    text: str, column: int | None, said: str, refused: Refused
) -> None:
    found = refused(text)
    assert said in found[1]
    assert column is None or found[0] == column


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 + 1", "this is an integer"),
        ("'a'", "this is a string"),
        ("event.type", "this is a string"),
        ("steps.first", "this is an object"),
        ("{'a': 1}", "this is an object"),
        ("[true]", "this is an array"),
        ("null", "this is a null"),
        ("event.data.?x", "unwrap it"),
    ],
)
def test_a_condition_whose_static_type_is_not_bool_is_an_error(text: str, said: str, refused: Refused) -> None:
    assert said in refused(text)[1]


def test_naming_a_later_or_an_unknown_step_is_an_error(refused: Refused) -> None:
    assert "'third' is not an earlier step" in refused("steps.third.output == 1")[1]
    assert "there is no step 'frist'; did you mean 'first'?" in refused("steps.frist.output == 1")[1]
    assert "there is no step 'fourth'" in refused("has(steps.fourth)")[1]
    assert "'third' is not an earlier step" in refused("get(steps, 'third.output', 1) == 1")[1]
    assert "did you mean 'output'?" in refused("steps.first.outptu == 1")[1]
    assert "as in .output.total" in refused("steps.first.total == 1")[1]


def test_the_condition_of_a_hook_sees_no_steps(refused: Refused) -> None:
    assert "'steps' cannot be used here" in refused("steps.first.output == 1", Names())[1]


def test_secrets_have_no_place_in_a_condition(refused: Refused) -> None:
    assert "only settings of a step can mention a secret" in refused("secrets.KEY == 'x'")[1]


@pytest.mark.parametrize(
    "text",
    ["env.HOOKRT_TOKEN == ''", "env['HOOKRT_SECRET_X'] == ''", "has(env.HOOKRT_X)", "get(env, 'hookrt_x', '') == ''"],
)
def test_hookrts_own_variables_are_refused(text: str, refused: Refused) -> None:
    assert "is hookrt's own" in refused(text)[1]


@pytest.mark.parametrize("text", ["env[event.type] == ''", "size(env) == 1", "'A' in env", "get(env, hook, '') == ''"])
def test_a_variable_is_named_literally_or_not_at_all(text: str, refused: Refused) -> None:
    assert "env.NAME" in refused(text)[1]


def test_line_and_column_count_in_the_text_as_written() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition("  ${{ true &&\n   'é' == evnt.x }}", Names())
    assert (caught.value.line, caught.value.column) == (2, 11)
    with pytest.raises(ExpressionError) as caught:
        compile_condition("${{ evnt.x }}", Names())
    assert (caught.value.line, caught.value.column) == (1, 5)


def test_a_wrapped_condition_is_one_expression_and_closed(refused: Refused) -> None:
    assert refused("${{ true") == (1, "this '${{' is not closed by '}}'")
    assert "one expression" in refused("${{ true }} && true")[1]


def test_a_macro_variable_cannot_take_a_published_name(refused: Refused) -> None:
    assert "meaning of its own" in refused("[1].all(event, event > 0)")[1]
