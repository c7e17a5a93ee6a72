"""What the terminal may show."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.cli.columns import Column
from hookrt.cli.render import Screen, annotation, escape, shorten, to_json

HOSTILE = "\x1b[2J\x07bell\r\x9b31m\u202eevil\u2028next\ud800"


def test_escape_makes_every_control_character_visible() -> None:
    assert escape("a\x1b[31mb\n\t\x9b\u202e") == "a\\x1b[31mb\\n\\t\\x9b\\u202e"


def test_escape_leaves_ordinary_text_of_any_script_alone() -> None:
    assert escape("Grüße, 世界 ✓ 🎉") == "Grüße, 世界 ✓ 🎉"


@given(st.text())
def test_escaped_text_is_one_printable_line(text: str) -> None:
    shown = escape(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)
    shown.encode("utf-8")


def test_a_line_shows_no_control_characters_of_its_pieces() -> None:
    stream = io.StringIO()
    Screen(stream).line("got ", (HOSTILE, "red"))
    assert stream.getvalue() == "got \\x1b[2J\\x07bell\\r\\x9b31m\\u202eevil\\u2028next\\ud800\n"


def test_a_table_shows_no_control_characters_and_aligns_its_columns() -> None:
    stream = io.StringIO()
    Screen(stream).table([Column("name"), Column("value")], [["a", ("x\x1by", "red")], ["longer", "z"]])
    assert stream.getvalue() == "name    value\na       x\\x1by\nlonger  z\n"


def test_a_block_keeps_its_lines_and_escapes_each() -> None:
    stream = io.StringIO()
    Screen(stream).block("one\ntwo\x1b", indent="  ")
    assert stream.getvalue() == "  one\n  two\\x1b\n"


def test_colours_appear_when_forced_and_never_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = io.StringIO()
    Screen(coloured).line(("hello", "red"))
    assert "\x1b[31m" in coloured.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = io.StringIO()
    Screen(plain).line(("hello", "red"))
    assert "\x1b[31m" not in plain.getvalue()


def test_a_terminal_gets_no_control_characters_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    screen = Screen(stream)
    screen.line(HOSTILE, "[bold]not markup[/bold] :smile:")
    screen.table([Column("a")], [["\x1b]0;title\x07"]])
    shown = re.sub(r"\x1b\[\d*m", "", stream.getvalue())  # the heading is bold, which is no colour
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[bold]not markup[/bold] :smile:" in shown


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_json_is_safe_for_a_terminal_and_says_the_same(value: object) -> None:
    text = to_json(value)
    assert json.loads(text) == value
    assert not any((character < " " and character != "\n") or "\x7f" <= character < "\xa0" for character in text)


def test_json_shows_other_scripts_as_they_are() -> None:
    assert to_json("Grüße 世界", indent=None) == '"Grüße 世界"'


def test_an_annotation_escapes_what_would_end_it() -> None:
    assert (
        annotation("error", "100% wrong\nhere: now", file="a,b:c.yaml", line=3, col=5)
        == "::error file=a%2Cb%3Ac.yaml,line=3,col=5::100%25 wrong%0Ahere: now"
    )


def test_shorten_marks_that_something_was_cut() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"
