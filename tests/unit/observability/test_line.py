"""A line of the log is one line, whatever is in its event and fields."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.observability.line import LogLine, hide_unprintable, show_value, show_words


class Hostile:
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def circle():
    made = []
    made.append(made)
    return made


def test_a_line_is_its_event_and_its_fields():
    line = LogLine("attempt failed", {"hook": "welcome", "status": 503, "after": None, "ok": False, "why": "try later"})
    assert str(line) == 'attempt failed hook=welcome status=503 after=null ok=false why="try later"'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("ünï", "ünï"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("a\nb", '"a\\nb"'),
        ([1, {"a": "b c"}], '[1, {"a": "b c"}]'),
    ],
)
def test_a_value_that_could_mislead_is_quoted(value, shown):
    assert show_value(value) == shown


@pytest.mark.parametrize("value", [Hostile(), circle(), {(1, 2): 3}, object(), b"\xff", float("nan"), {Hostile(): 1}])
def test_a_value_that_is_no_json_does_not_cost_the_line(value):
    assert str(LogLine("x", {"value": value})).startswith("x value=")


@given(st.text(), st.dictionaries(st.text(), st.text() | st.binary() | st.integers()))
def test_no_control_character_leaves_a_line(event, fields):
    shown = str(LogLine(event, fields))
    shown.encode()
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
    assert not set(shown) & set("\u2028\u2029\u202a\u202e\u2066\u2069")


def test_words_without_control_characters_stay_as_they_are():
    assert show_words('the "quoted" café') == 'the "quoted" café'
    assert show_words("two\nlines") == "two\\nlines"


def test_escapes_can_be_read_back_as_json():
    assert json.loads('"' + hide_unprintable("\x85") + '"') == "\x85"
    assert json.loads(show_value("a\x1b[0m b")) == "a\x1b[0m b"
