"""The line of a problem: the caret stands below its place, whatever stands before it, and however long the line is."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.cli.excerpt import Excerpt, cut_out
from hookrt.cli.problem_view import show_problems
from hookrt.cli.render import Screen
from hookrt.model.hook import Place
from hookrt.model.problem import Problem


def _cut(text: str, column: int, width: int = 1, room: int = 80) -> Excerpt:
    return cut_out(Problem(Place("h.yaml", 1, column), "bad", line_text=text, width=width), room)


def _columns(text: str) -> int:
    """How wide a terminal shows it, told from Unicode's own tables."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


@pytest.mark.parametrize("before", ["text: ", "文字列: ", "한국어: ", "ｆｕｌｌ: ", "e\u0301te\u0301: ", "é: "])
def test_the_caret_stands_below_its_place_also_behind_wide_and_combining_characters(before: str) -> None:
    excerpt = _cut(f"{before}whne: 値", len(before) + 1, 4)
    assert excerpt.line == f"{before}whne: 値"
    assert excerpt.marks == " " * _columns(before) + "^^^^"


def test_a_wide_place_is_marked_over_its_whole_width() -> None:
    assert _cut("a: 値段 # b", 4, 2).marks == "   ^^^^"


def test_a_tab_takes_the_columns_up_to_the_next_stop() -> None:
    assert _cut("\t値\tx", 4) == Excerpt(" " * 8 + "値" + " " * 6 + "x", " " * 16 + "^")


@pytest.mark.parametrize(
    ("column", "line", "marks"),
    [
        (1, "0123456789012345678901234567…", "^"),
        (9, "0123456789012345678901234567…", "        ^"),
        (51, "…1234567890123456789012345678…", "          ^"),
        (100, "…2345678901234567890123456789", "                            ^"),
        (101, "…2345678901234567890123456789", "                             ^"),
    ],
)
def test_a_long_line_is_cut_around_the_place(column: int, line: str, marks: str) -> None:
    assert _cut("0123456789" * 10, column, 1, 30) == Excerpt(line, marks)


def test_what_is_marked_ends_where_the_line_is_cut() -> None:
    excerpt = _cut("x" * 500, 1, 500, 40)
    assert (len(excerpt.line), len(excerpt.marks)) == (39, 38)


@given(st.text("ab \t値字é\u0301\x1b", max_size=80), st.integers(1, 90), st.integers(0, 60), st.integers(10, 40))
def test_any_line_fits_and_has_its_caret_below_its_place(text: str, column: int, width: int, room: int) -> None:
    excerpt = _cut(text, column, width, room)
    assert _columns(excerpt.line) <= room
    assert len(excerpt.marks) <= room
    assert excerpt.marks.strip(" ").strip("^") == ""
    indent = excerpt.marks.index("^")
    if text[column - 1 : column] in tuple("ab値字é"):
        [above] = [
            one for at, one in enumerate(excerpt.line) if _columns(excerpt.line[:at]) == indent and _columns(one)
        ]
        assert above == text[column - 1]


def test_a_problem_in_a_long_line_is_shown_in_one_line_of_the_screen() -> None:
    stream = io.StringIO()
    problem = Problem(Place("h.yaml", 7, 901), "bad", line_text="a" * 900 + "b" * 1000, width=4, hint="do")
    show_problems(Screen(stream), [problem])
    _, line, marks, hint, _ = stream.getvalue().split("\n", 4)
    assert len(line) == 160
    assert line[marks.index("^") :][:4] == "bbbb"
    assert line[marks.index("^") - 1] == "a"
    assert hint == "        hint: do"
