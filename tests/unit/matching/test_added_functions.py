"""Functions that plugins add to the expressions: typed, known to `check`, and never more than a failed evaluation."""

import re
from typing import Any

import pytest

from hookrt.errors import ExpressionError
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import FUNCTIONS, Names
from hookrt.matching.template import compile_template
from hookrt.model.hook import Scope
from hookrt.plugin import cel_function
from hookrt.plugin.admission import function_faults
from hookrt.testing import event


@cel_function("slug")
def slug(text: str) -> str:
    """A text as it stands in a URL."""
    return text.lower().replace(" ", "-")


@cel_function("half")
def half(number: float) -> float:
    return number / 2


@cel_function("kind")
def kind(value: Any) -> str:
    return type(value).__name__


@cel_function("maybe")
def maybe(text: str | None) -> bool:
    return text is None


@cel_function("same")
def same(value: Any) -> Any:
    return value


@cel_function("fail")
def fail(text: str) -> bool:
    raise KeyError(f"{text}\x1b[31m\nmore")


@cel_function("lie")
def lie(text: str) -> int:
    return "no number"


NAMES = Names(functions=(slug, half, kind, maybe, same, fail, lie), missing="the plugin 'x' is denied")
DATA = {"name": "Ada L", "n": 3, "price": 1.5, "nothing": None, "list": [1, "b"], "big": 2**70, "map": {"a": 1}}
SCOPE = Scope(event=event("A.B", DATA), hook="h", env={})


def holds(text):
    return compile_condition(text, NAMES).holds(SCOPE)


def refusal(text):
    with pytest.raises(ExpressionError) as caught:
        holds(text)
    return caught.value


def test_a_function_is_called_in_a_condition():
    assert holds('slug(event.data.name) == "ada-l"')
    assert holds("half(event.data.n) == 1.5")
    assert holds("half(event.data.price) == 0.75")
    assert holds("maybe(event.data.nothing)")
    assert holds('event.data.list.exists(x, kind(x) == "str")')


def test_a_function_is_called_in_a_setting():
    template = compile_template("${{ slug(event.data.name) }}", NAMES)
    assert template.static_type == "string"
    assert template.render(SCOPE) == "ada-l"
    assert compile_template("to ${{ slug(event.data.name) }}!", NAMES).render(SCOPE) == "to ada-l!"


@pytest.mark.parametrize("name", sorted(DATA))
def test_any_takes_every_json_value_and_gives_it_back(name):
    assert compile_template(f"${{{{ same(event.data.{name}) }}}}", NAMES).render(SCOPE) == DATA[name]


def test_a_misspelt_function_gets_a_suggestion():
    assert "unknown function 'slugg'; did you mean 'slug'?" in str(refusal('slugg("a") == "b"'))


def test_an_unknown_function_says_which_plugins_are_denied():
    assert "unknown function 'zzzzz'; the plugin 'x' is denied" in str(refusal("zzzzz(1)"))


def test_wrong_types_are_known_before_the_first_event():
    error = refusal('slug(1) == "b"')
    assert "slug() cannot take (int): write slug(text)" in str(error)
    assert (error.line, error.column) == (1, 1)


def test_wrong_types_at_an_event_are_an_evaluation_failure():
    assert refusal('slug(event.data.n) == "x"').message == "slug() cannot take int: event.data.n is 3"


def test_what_a_function_raises_is_an_evaluation_failure_on_one_line():
    message = refusal("fail(event.data.name)").message
    assert message.startswith("fail() failed: KeyError: ")
    assert "\n" not in message
    assert "\x1b" not in message


def test_a_result_of_another_type_is_an_evaluation_failure():
    assert refusal("lie(event.data.name) == 1").message == "lie() failed: it returned str, not int"


@pytest.mark.parametrize("value", ["a\0b", {1, 2}, object(), "\udc80"])
def test_a_result_that_is_no_json_is_an_evaluation_failure(value):
    @cel_function("odd")
    def odd() -> Any:
        return value

    condition = compile_condition('odd() == "x"', Names(functions=(odd,)))
    with pytest.raises(ExpressionError, match=re.escape("odd() failed: what it returned holds a")):
        condition.holds(SCOPE)


def test_an_optional_has_to_be_unwrapped_before_it_is_handed_over():
    assert "cannot take (optional_type(dyn))" in str(refusal('slug(event.data.?name) == "x"'))
    assert "unwrapped" in str(refusal('same(event.data.?name) == "x"'))


def test_functions_are_known_only_where_they_are_handed_over():
    with pytest.raises(ExpressionError, match="unknown function 'slug'"):
        compile_condition('slug("a") == "a"', Names())


@pytest.mark.parametrize("name", [one.name for one in FUNCTIONS if "." not in one.name])
def test_no_plugin_takes_the_name_of_a_function_of_hookrts(name):
    @cel_function(name)
    def taken(text: str) -> str:
        return text

    assert any("means something in every expression" in fault for fault in function_faults(taken))


def test_a_signature_that_cannot_be_used_is_refused():
    def untyped(text) -> str:
        return text

    def starred(*texts: str) -> str:
        return "".join(texts)

    def defaulted(text: str = "a") -> str:
        return text

    def mute(text: str):
        return text

    async def slow(text: str) -> str:
        return text

    for function in (untyped, starred, defaulted, mute, slow):
        with pytest.raises(TypeError, match=r"^f\(\) "):
            cel_function("f")(function)


def test_too_many_combinations_of_types_are_refused():
    @cel_function("many")
    def many(a: Any, b: Any, c: Any) -> bool:
        return True

    assert any("combinations" in fault for fault in function_faults(many))
