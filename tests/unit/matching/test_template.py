"""RULES, "The file", `${{ }}` and Secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookrt.errors import ExpressionError, SecretMissing
from hookrt.matching.names import Mentions, Names
from hookrt.matching.template import compile_template, find_expression, find_faults, unescape
from hookrt.model.hook import Scope

Render = Callable[..., Any]
HUGE = 2**70


def failure(render: Render, text: str, data: Any = None) -> tuple[int | None, int | None, str]:
    with pytest.raises(ExpressionError) as caught:
        render(text, data)
    return caught.value.line, caught.value.column, caught.value.message


@pytest.mark.parametrize("text", ["plain", "", "{{ x }}", "$ {{ x }}", "$$ {", "a }} b"])
def test_a_text_without_an_expression_is_no_template(text: str, names_in_settings: Names) -> None:
    assert compile_template(text, names_in_settings) is None


@pytest.mark.parametrize("value", [1, 1.0, True, None, "text", [1, None], {"a": {"b": 1}}, HUGE])
def test_a_whole_value_expression_keeps_its_json_type(value: Any, render: Render) -> None:
    rendered = render("${{ event.data.x }}", {"x": value})
    assert rendered == value
    assert type(rendered) is type(value)


def test_an_expression_that_is_only_a_path_copies_the_value_untouched(render: Render, event: Any) -> None:
    data = event(None, content=b'{"x": {"z": 18446744073709551616, "a": [{"y": 1.0, "b": "\\u0000"}], "m": null}}')
    for text in ("${{ event.data.x }}", "${{event.data['x']}}", "${{ (event.data.x) }}"):
        rendered = render(text, content=data.content)
        assert rendered == {"z": 2**64, "a": [{"y": 1.0, "b": "\0"}], "m": None}
        assert list(rendered) == ["z", "a", "m"]
    assert render("${{ event.data.x.a[0].y }}", content=data.content) == 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{ event.data.n + 1 }}", 3),
        ("${{ event.data.n > 1 ? 'many' : 'few' }}", "many"),
        ("${{ {'z': event.data.huge, 'a': [event.data.n, 1.5]} }}", {"a": [2, 1.5], "z": HUGE}),
        ("${{ event.data.items.map(i, {'sku': i.sku}) }}", [{"sku": "x"}]),
        ("${{ get(event, 'data.missing', 'none') }}", "none"),
        ("${{ get(event, 'data.huge', 0) }}", HUGE),
        ("${{ timestamp('2026-01-02T03:04:05Z') }}", "2026-01-02T03:04:05Z"),
        ("${{ duration('90s') }}", "90s"),
        ("${{ duration('-1500ms') }}", "-1.5s"),
        ("${{ 18446744073709551615u }}", 2**64 - 1),
        ("${{ [?event.data.?missing, 1] }}", [1]),
        ("${{ event.data.items[0].sku + '!' }}", "x!"),
    ],
)
def test_a_computed_value_comes_back_as_plain_json(text: str, expected: Any, render: Render) -> None:
    assert render(text, {"n": 2, "huge": HUGE, "items": [{"sku": "x"}]}) == expected


def test_the_keys_of_a_computed_object_have_one_order(render: Render) -> None:
    assert list(render("${{ {'b': 1, 'c': 2, 'a': 3} }}")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${{ [b'a'] }}", "bytes"),
        ("${{ [type(1)] }}", "a type"),
        ("${{ {1: 2} }}", "the key 1"),
        ("${{ 1.0 / 0.0 }}", "inf"),
    ],
)
def test_what_json_does_not_have_is_an_error(text: str, said: str, render: Render) -> None:
    assert said in failure(render, text)[2]


def test_inside_a_text_strings_stand_as_they_are_and_the_rest_as_json(render: Render) -> None:
    data = {"s": 'é"x', "n": 1, "f": 1.0, "b": True, "o": {"z": 1, "a": [None]}, "huge": HUGE}
    text = "<" + "|".join(f"${{{{ event.data.{name} }}}}" for name in data) + ">"
    assert render(text, data) == f'<é"x|1|1.0|true|{{"z":1,"a":[null]}}|{HUGE}>'


def test_inside_a_text_null_is_an_error_at_its_place(render: Render) -> None:
    line, column, said = failure(render, "Hello\n dear ${{ event.data.name }}", {"name": None})
    assert (line, column) == (2, 11)
    assert said.startswith("event.data.name is null")


def test_white_space_around_makes_it_a_text(render: Render) -> None:
    assert render(" ${{ event.data.n }}", {"n": 1}) == " 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$${{ x }}", "${{ x }}"),
        ("$$${{ x }}", "$${{ x }}"),
        ("a $${{ x }} ${{ event.id }}", "a ${{ x }} e1"),
        ("${{ event.id }}$${{", "e1${{"),
        ("${{ '$${{' }}", "$${{"),
    ],
)
def test_two_dollars_make_a_literal(text: str, expected: str, render: Render) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{ '}}' }}", "}}"),
        ('${{ "it\'s }} fine" }}', "it's }} fine"),
        ("${{ 'a\\'}}' }}", "a'}}"),
        ("${{ r'\\d}}' }}", "\\d}}"),
        ('${{ \'\'\'x}}\'\'\' + """y"}}""" }}', 'x}}y"}}'),
        ("${{ {'a': {'b': 1}}}}", {"a": {"b": 1}}),
        ("${{ {'a': '}'} }}", {"a": "}"}),
        ("${{ event.id // it's }}", "e1"),
        ("${{ event.id }} }}", "e1 }}"),
        ("${{ 1 }}${{ 2 }}", "12"),
    ],
)
def test_braces_within_strings_or_braces_do_not_close(text: str, expected: Any, render: Render) -> None:
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a\n b ${{ event.id", 2, 4, "is not closed"),
        ("${{ }}", 1, 5, "ends too early"),
        ("a\n b ${{ event.id }} ${{ evnt.x }}", 2, 24, "did you mean 'event'?"),
        ("${{ 1 +\n evnt.x }}", 2, 2, "did you mean 'event'?"),
        ("x ${{ 'abc }}", 1, 7, "has no end"),
        ("${{ a } }}", 1, 7, "unexpected '}'"),
        ("${{ b'abc' }}", 1, 5, "JSON does not have"),
        ("${{ type(1) }}", 1, 5, "JSON does not have"),
        ("${{ event.data.?x }}", 1, 5, "unwrap it"),
        ("${{ steps.third.output }}", 1, 5, "not an earlier step"),
    ],
)
def test_a_bad_expression_is_placed_in_the_whole_text(
    text: str, line: int, column: int, said: str, names_in_settings: Names
) -> None:
    with pytest.raises(ExpressionError, match=said.replace("?", r"\?")) as caught:
        compile_template(text, names_in_settings)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{ event.id }}", "string"),
        ("${{ event.time }}", "string"),
        ("${{ event.attributes }}", "object"),
        ("${{ event.data }}", None),
        ("${{ event.type.size() }}", "integer"),
        ("${{ event.type == 'x' }}", "boolean"),
        ("${{ 1.5 }}", "number"),
        ("${{ null }}", "null"),
        ("${{ ['a'] }}", "array"),
        ("${{ {'a': 1} }}", "object"),
        ("${{ steps.first.status }}", "string"),
        ("${{ steps.first.output }}", None),
        ("${{ secrets.KEY }}", "string"),
        ("${{ duration('1s') }}", "string"),
        ("a ${{ event.data }}", "string"),
        ("$${{", "string"),
    ],
)
def test_the_static_type_is_known_where_it_can_be(text: str, expected: str | None, names_in_settings: Names) -> None:
    template = compile_template(text, names_in_settings)
    assert template is not None
    assert template.static_type == expected


def test_a_template_tells_what_it_mentions(names_in_settings: Names) -> None:
    text = "${{ steps.first.output }} ${{ secrets.KEY + env.REGION }} ${{ get(steps, 'second.error', '') }}"
    template = compile_template(text, names_in_settings)
    assert template is not None
    assert template.mentions == Mentions(frozenset({"first", "second"}), frozenset({"KEY"}), frozenset({"REGION"}))
    assert template.text == text


def test_step_results_are_status_output_and_error(render: Render) -> None:
    assert render("${{ steps.first }}") == {
        "status": "succeeded",
        "output": {"total": 3, "names": ["ann", "bob"]},
        "error": None,
    }
    assert render("${{ steps.first.output.names[1] }} ${{ steps.second.error }}") == "bob refused"
    assert render("${{ steps.second.output }}") is None


def test_secrets_are_put_in_by_their_literal_name_only(render: Render, names_in_settings: Names) -> None:
    assert render("${{ secrets.KEY }}") == "s3cret"
    assert render("Bearer ${{ secrets.KEY }}") == "Bearer s3cret"
    for text in (
        "secrets",
        "secrets['KEY']",
        "has(secrets.KEY)",
        "get(secrets, 'KEY', '')",
        "secrets.?KEY",
        "size(secrets)",
    ):
        with pytest.raises(ExpressionError, match=r"secrets\.NAME"):
            compile_template(f"${{{{ {text} }}}}", names_in_settings)


def test_a_failing_expression_with_a_secret_never_shows_its_value(render: Render) -> None:
    for text in ("int(secrets.NUMBER)", "event.data[secrets.KEY]", "'a'.matches('(' + secrets.KEY)"):
        said = failure(render, f"${{{{ {text} }}}}", {})[2]
        assert "12x" not in said
        assert "s3cret" not in said
    assert failure(render, "${{ secrets.KEY + event.data.q }}", {})[2] == "event.data.q is missing"


def test_a_secret_that_is_not_provided_is_an_expression_error(
    names_in_settings: Names, scope: Callable[..., Scope]
) -> None:
    def missing(name: str) -> str:
        raise SecretMissing(f"the secret '{name}' is not provided")

    plain = scope()
    for secrets, said in ((missing, "'KEY' is not provided"), (None, "cannot be used here")):
        template = compile_template("${{ secrets.KEY + 'x' }}", names_in_settings)
        assert template is not None
        with pytest.raises(ExpressionError, match=said):
            template.render(Scope(plain.event, "welcome", {}, {}, secrets))


def test_every_expression_of_a_text_that_does_not_compile_is_found_with_its_place(names_in_settings: Names) -> None:
    text = "${{ evnt.id }} ${{ event.id }} $${{\n  ${{ event.id + }} ${{ nope(1) }} ${{ event.id"
    found = [(fault.line, fault.column) for fault in find_faults(text, names_in_settings)]
    assert found == [(1, 5), (2, 18), (2, 25), (2, 36)]
    with pytest.raises(ExpressionError) as caught:
        compile_template(text, names_in_settings)
    assert (caught.value.line, caught.value.column) == (1, 5)
    assert list(find_faults("${{ event.id }} $${{", names_in_settings)) == []


def test_an_expression_that_fails_names_the_part_and_its_place(render: Render) -> None:
    assert failure(render, "a ${{ event.data.user.name }}", {}) == (1, 7, "event.data.user is missing")


@pytest.mark.parametrize(
    ("text", "place"),
    [("a\nb ${{ x }}", (2, 3)), ("${{", (1, 1)), ("$${{ x }}", None), ("plain", None), ("$${{ ${{", (1, 6))],
)
def test_an_expression_in_a_static_field_is_found_with_its_place(text: str, place: tuple[int, int] | None) -> None:
    assert find_expression(text) == place


def test_a_static_field_may_hold_an_escaped_opening() -> None:
    assert unescape("f'$${{x}}'") == "f'${{x}}'"
