from __future__ import annotations

from typing import Any

import pytest

from hookrt.errors import ExpressionError


@pytest.mark.parametrize(
    ("settings", "place", "message"),
    [
        ("{level: info}", "6:9", "`say` needs `text`"),
        ("{txt: x, text: y}", "6:15", "`say` has no setting 'txt' | did you mean 'text'?"),
        ("{text: 5}", "6:21", '`text` must be text, this is a number | quote it: "5"'),
        ("{text: true}", "6:21", '`text` must be text, this is true | quote it: "true"'),
        ("{text: }", "6:21", "`text` must be text, this is nothing"),
        ("{text: [a]}", "6:21", "`text` must be text, this is a list"),
        ("{text: 1.10}", "6:21", "1.10 is a number that would become 1.1 | quote it"),
        ("{text: x, loud: yes}", "6:30", "`loud` must be true or false, this is text | write true or false"),
        ('{text: x, count: "5"}', "6:31", "`count` must be a whole number, this is text | write it without quotes"),
        ("{text: x, count: 1.5}", "6:31", "`count` must be a whole number"),
        ("{text: x, count: 0}", "6:31", "`count` must be greater than or equal to 1"),
        ("{text: x, wait: 15}", "6:30", "`wait`: 15 is no duration"),
        ("{text: x, wait: 12:30}", "6:30", "`wait`: '12:30' is no duration"),
        ("{text: x, level: warn}", "6:31", "`level` must be 'info' or 'warning' | did you mean 'warning'?"),
        ("{text: x, parts: 5}", "6:31", "`parts` must be a list, this is a number"),
        ("{text: x, parts: [{nme: a, name: b}]}", "6:33", "has no setting 'nme' | did you mean 'name'?"),
        ("{text: x, parts: [{name: a}, {size: 2}]}", "6:43", "`parts.1` of `say` needs `name`"),
        ("{text: x, parts: [{name: a, size: b}]}", "6:48", "`parts.0.size` must be a whole number"),
        ("{text: x, either: 5}", "6:32", "`either` must be text or a list"),
        ("{text: x, either: [a]}", "6:33", "`either.0` must be a whole number"),
    ],
)
def test_a_setting_that_does_not_fit_is_an_error_at_its_own_place(
    bench: Any, settings: str, place: str, message: str
) -> None:
    [error] = bench.step_errors(f"- say: {settings}")
    assert error.startswith(f"{place} ")
    assert message in error


def test_all_problems_of_a_step_are_reported_at_once(bench: Any) -> None:
    step = "- say: {txt: x, count: a, level: b, text: y, wait: 1}\n  when: nope\n  timeout: 5\n  foo: bar"
    assert len(bench.step_errors(step)) == 7


def test_a_problem_shows_its_line_with_a_caret_and_a_hint(bench: Any) -> None:
    [problem] = bench.load("hooks:\n  one:\n    on: A\n    steps:\n      - say: {text: x, coutn: 5}\n").problems
    assert str(problem) == (
        "hooks.yaml:5:24: error: `say` has no setting 'coutn'\n"
        "    5 |       - say: {text: x, coutn: 5}\n"
        "      |                        ^^^^^\n"
        "        hint: did you mean 'count'?"
    )


# Short forms


def test_a_bare_text_means_the_short_setting(bench: Any, make_scope: Any) -> None:
    assert bench.step("- say: hello").settings.render(make_scope()).text == "hello"


def test_an_error_in_a_short_form_is_at_the_bare_text(bench: Any) -> None:
    assert bench.step_errors("- say: 15") == ['6:14 `text` must be text, this is a number | quote it: "15"']


def test_an_action_without_a_short_form_wants_a_mapping(bench: Any, make_scope: Any) -> None:
    assert bench.step_errors("- bare: text") == ["6:15 `bare` takes a mapping of settings, this is text"]
    assert bench.step_errors("- say: [a]") == ["6:14 `say` takes a mapping of settings, this is a list"]
    assert bench.step("- bare:").settings.render(make_scope()).what == "nothing"


# Static fields and the action's own check


def test_an_expression_in_a_static_field_is_an_error_at_its_place(bench: Any) -> None:
    step = '- snippet: |\n    def run(event, ctx):\n        return "${{ event.data }}"'
    assert bench.step_errors(step) == ["8:23 `code` takes no `${{ }}` | read it from `event`"]


def test_an_expression_below_a_static_field_is_to_be_written_out(bench: Any) -> None:
    step = "- snippet:\n    code: {a: '${{ event.data }}'}"
    told = "`code` takes no `${{ }}` | write it out, a secret by its name alone"
    assert any(error.endswith(told) for error in bench.step_errors(step))


def test_an_escaped_opening_is_a_literal_in_a_static_field(bench: Any, make_scope: Any) -> None:
    assert bench.step("- snippet: x = '$${{'").settings.render(make_scope()).code == "x = '${{'"


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("- snippet: |\n    def run(event, ctx):\n        return event +", "8:29"),
        ("- snippet: |-\n\n    x = 1\n    y = = 2", "9:15"),
        ('- snippet: "x = ("', "6:23"),
        ("- snippet: x = = 2", "6:22"),
        ("- snippet:\n    code: 'x = = 2'\n    memory: 1MiB", "7:22"),
        ("- snippet: >\n    x =\n    = 2", "8:11"),
    ],
)
def test_a_snippet_that_does_not_compile_is_an_error_at_its_own_line(bench: Any, step: str, place: str) -> None:
    [error] = bench.step_errors(step)
    assert error.startswith(f"{place} it does not compile")


def test_the_check_of_an_action_runs_beside_expressions_in_other_settings(bench: Any) -> None:
    [error] = bench.step_errors("- snippet:\n    code: x = = 2\n    memory: ${{ event.data.m }}")
    assert error.startswith("7:21 it does not compile")
    [error] = bench.step_errors('- post:\n    url: "${{ event.data.url }}"\n    headers: {Host: a}')
    assert error == "8:27 Host cannot be set by hand"


def test_a_check_that_fails_itself_is_named_as_the_actions(bench: Any) -> None:
    [error] = bench.step_errors("- faulty: {}")
    assert error.startswith("6:9 the check of the action `faulty` failed with KeyError: 'nothing' (")


# Expressions


def render(bench: Any, scope: Any, step: str) -> Any:
    return bench.step(step).settings.render(scope)


def test_a_whole_expression_keeps_its_json_type(bench: Any, make_scope: Any) -> None:
    for value in ({"a": [1, 2.5, None]}, [1], "text", 5, True, None, 2**63):
        step = "- post: {url: https://a.example, body: '${{ event.data.x }}'}"
        assert render(bench, make_scope({"x": value}), step).body == value


def test_an_expression_inside_text_is_put_in(bench: Any, make_scope: Any) -> None:
    text = '- say: "a ${{ event.data.x }} b ${{ event.data.y }} $${{ c }}"'
    assert render(bench, make_scope({"x": "one", "y": [1, True]}), text).text == "a one b [1,true] ${{ c }}"


def test_a_closing_inside_strings_or_braces_does_not_close(bench: Any, make_scope: Any) -> None:
    text = """- post: {url: https://a.example, body: '${{ {"}}": {"a": {"b": 1}}} }}'}"""
    assert render(bench, make_scope(), text).body == {"}}": {"a": {"b": 1}}}


def test_expressions_stand_anywhere_in_the_settings(bench: Any, make_scope: Any) -> None:
    step = (
        '- post:\n    url: https://a.example\n    body: {list: [1, "${{ event.data.x }}"], "x y": {z: "${{ hook }}"}}'
    )
    assert render(bench, make_scope({"x": 5}), step).body == {"list": [1, 5], "x y": {"z": "one"}}


def test_an_expression_in_a_key_is_an_error(bench: Any) -> None:
    assert bench.step_errors('- post: {url: https://a.example, headers: {"${{ hook }}": a}}') == [
        "6:50 a key takes no `${{ }}` | write the key out; only values can be expressions"
    ]


def test_earlier_outputs_and_secrets_can_be_used_in_settings(bench: Any, make_scope: Any) -> None:
    bench.env["HOOKRT_SECRET_KEY"] = "s3cret-value"
    scope = make_scope({}, {"KEY": "s3cret-value"}, say="before")
    assert render(bench, scope, '- say: "${{ steps.say.output }} ${{ secrets.KEY }}"').text == "before s3cret-value"


def test_an_error_in_an_expression_has_its_own_column_in_the_line(bench: Any) -> None:
    [error] = bench.step_errors('- say: {text: "hello ${{ evnt.x }}", level: info}')
    assert error == "6:32 unknown name 'evnt'; did you mean 'event'?"
    [error] = bench.step_errors("- say:\n    text: >\n      hello\n      you ${{ evnt.x }}")
    assert error.startswith("9:21 unknown name 'evnt'")


def test_every_bad_expression_of_one_text_is_an_error(bench: Any) -> None:
    errors = bench.step_errors('- say: "a ${{ evnt.id }}, ${{ event.id }}, ${{ event.id + }} and ${{ event.id"')
    assert [error.partition(" ")[0] for error in errors] == ["6:21", "6:65", "6:72"]


def test_check_drops_errors_at_or_below_an_expression(bench: Any) -> None:
    for settings in (
        "{text: x, count: '${{ event.data.n }}'}",
        "{text: x, level: '${{ event.data.l }}'}",
        "{text: x, wait: '${{ event.data.w }}'}",
        "{text: x, parts: '${{ event.data.p }}'}",
        "{text: x, parts: [{name: '${{ event.data.n }}', size: '${{ event.data.s }}'}]}",
        "{text: x, either: ['${{ event.data.e }}']}",
        "'${{ event.data.text }}'",
    ):
        assert bench.step(f"- say: {settings}")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{text: '${{ 1 + 2 }}'}", "`text` must be text, and this expression gives a whole number"),
        ("{text: '${{ [1] }}'}", "`text` must be text, and this expression gives a list"),
        ("{text: x, count: '${{ event.type }}'}", "`count` must be a whole number, and this expression gives text"),
        ("{text: x, count: 'a ${{ event.data.n }}'}", "`count` must be a whole number, and this expression gives text"),
        ("{text: x, loud: '${{ 5 }}'}", "`loud` must be true or false, and this expression gives a whole number"),
        ("{text: x, parts: '${{ true }}'}", "`parts` must be a list, and this expression gives true or false"),
    ],
)
def test_unless_its_static_type_already_contradicts(bench: Any, settings: str, message: str) -> None:
    [error] = bench.step_errors(f"- say: {settings}")
    assert message in error


def test_an_unknown_key_is_an_error_also_with_an_expression(bench: Any) -> None:
    [error] = bench.step_errors("- say: {text: x, cuont: '${{ event.data.n }}'}")
    assert "did you mean 'count'?" in error


@pytest.mark.parametrize(
    ("settings", "data", "message"),
    [
        ("{text: x, count: '${{ event.data.n }}'}", {"n": 0}, "`count` must be greater than or equal to 1"),
        ("{text: x, count: '${{ event.data.n }}'}", {"n": "1"}, "`count` must be a whole number, and this"),
        ("{text: x, wait: '${{ event.data.w }}'}", {"w": "soon"}, "'soon' is no duration"),
        ("{text: x, parts: '${{ event.data.p }}'}", {"p": [{"name": "a", "sise": 1}]}, "has no setting 'sise'"),
        ("'${{ event.data.text }}'", {}, "event.data.text"),
        ("'a ${{ event.data.text }}'", {"text": None}, "null"),
    ],
)
def test_a_rendered_setting_that_does_not_fit_names_the_file_and_line(
    bench: Any, make_scope: Any, settings: str, data: Any, message: str
) -> None:
    step = bench.step(f"- say: {settings}")
    with pytest.raises(ExpressionError) as caught:
        step.settings.render(make_scope(data))
    assert str(caught.value).startswith("hooks.yaml:6: ")
    assert message in str(caught.value)
    assert caught.value.line == 6


def test_a_rendered_setting_that_mentions_a_secret_is_never_shown(bench: Any, make_scope: Any) -> None:
    bench.env["HOOKRT_SECRET_KEY"] = "s3cret-value"
    step = bench.step("- say: {text: x, wait: '${{ secrets.KEY }}'}")
    with pytest.raises(ExpressionError) as caught:
        step.settings.render(make_scope({}, {"KEY": "s3cret-value"}))
    assert "s3cret-value" not in str(caught.value)
    assert str(caught.value).startswith("hooks.yaml:6: `wait`: the value is not acceptable")


def test_settings_without_expressions_are_validated_once(bench: Any, make_scope: Any) -> None:
    settings = bench.step("- say: hello").settings
    assert settings.render(make_scope()) is settings.render(make_scope())
    assert "hello" not in repr(settings)


def test_a_comment_that_looks_like_the_rest_of_a_value_gets_a_warning(bench: Any) -> None:
    for step in (
        "- post: https://a.example/x #fragment",
        "- say: x\n  when: event.type == 'a' #b",
        "- say: ${{ event.type }} #${{ event.id }}",
        "- say: ticket #5",
    ):
        [warning] = bench.warnings(bench.with_step(step))
        assert "the value ends before this `#`" in warning
    for step in (
        "- post: https://a.example/x # where to",
        "- say: x\n  when: event.type == 'a'   # why",
        "- say: hello # everybody",
    ):
        assert bench.warnings(bench.with_step(step)) == []


def test_an_expression_that_a_comment_cuts_off_says_so(bench: Any) -> None:
    [error] = bench.step_errors('- say: ${{ event.type + " # b" }}')
    assert "` #` begins a comment in YAML" in error
    [error] = bench.step_errors('- say: x\n  when: event.type == "a #b"')
    assert "` #` begins a comment in YAML" in error
