"""Problems as people see them: place, message, line, caret, hint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.model.hook import Place
from hookrt.model.problem import Problem, Severity


def test_a_problem_shows_its_place_its_line_a_caret_and_a_hint():
    problem = Problem(
        Place("hooks.yaml", 12, 7),
        "unknown key 'whne'",
        line_text="      whne: true",
        hint="did you mean 'when'?",
        width=4,
    )
    assert str(problem).splitlines() == [
        "hooks.yaml:12:7: error: unknown key 'whne'",
        "   12 |       whne: true",
        "      |       ^^^^",
        "        hint: did you mean 'when'?",
    ]


def test_a_warning_says_so():
    assert str(Problem(Place("h.yaml", 1, 1), "odd", severity=Severity.WARNING)) == "h.yaml:1:1: warning: odd"


def test_a_place_without_lines_reads_just_as_its_name():
    assert str(Problem(Place("$HOOKRT_PORT", 0, 0), "odd")) == "$HOOKRT_PORT: error: odd"


def test_the_caret_stands_below_its_column_also_behind_tabs():
    lines = str(Problem(Place("h.yaml", 1, 3), "x", line_text="\t\tkey: 1")).splitlines()
    assert lines[2].removeprefix("      | ") == "\t\t^"


@pytest.mark.parametrize(
    ("before", "marked", "marks"),
    [
        ("text: ", "whne", "      ^^^^"),
        ("文字列: ", "whne", "        ^^^^"),
        ("한국어: ", "値段", "        ^^^^"),
        ("ｆ: ", "é", "    ^"),
        ("e\u0301te\u0301: ", "e\u0301x", "     ^^"),
    ],
)
def test_the_caret_stands_below_its_place_also_behind_wide_and_combining_characters(before, marked, marks):
    place = Place("h.yaml", 1, len(before) + 1)
    lines = str(Problem(place, "x", line_text=f"{before}{marked}: 値", width=len(marked))).splitlines()
    assert lines[2].removeprefix("      | ") == marks


def test_the_caret_stands_below_its_column_also_in_very_long_files():
    lines = str(Problem(Place("h.yaml", 1_234_567, 3), "x", line_text="  key: 1")).splitlines()
    assert lines[2].index("^") == lines[1].index("key")
    assert lines[2].index("|") == lines[1].index("|")


def test_a_width_of_nothing_still_has_a_caret():
    assert str(Problem(Place("h.yaml", 1, 1), "x", line_text="", width=0)).endswith("^")


def test_what_could_steer_a_terminal_is_not_shown():
    problem = Problem(Place("\x1b]0;h.yaml", 1, 1), "bad \x1b[2J\u202e", line_text="k: \x1b[31m\x00", hint="\x9b\udc80")
    shown = str(problem)
    assert not set(shown) & set("\x1b\x00\x9b\u202e\udc80")
    shown.encode()


@given(st.text(), st.text(), st.integers(1, 50), st.integers(0, 50))
def test_any_problem_can_be_written_to_a_terminal(message, line, column, width):
    shown = str(Problem(Place("h.yaml", 1, column), message, line_text=line, width=width))
    shown.encode()
    assert "\x1b" not in shown
