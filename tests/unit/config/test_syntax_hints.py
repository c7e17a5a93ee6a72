from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ReadText = Callable[[str | bytes], Any]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("on: *.Deleted", "1:5", "`*` is an alias", 'quote it: "*.Deleted"'),
        ("on: [User.*, *.Deleted]", "1:14", "`*` is an alias", 'quote it: "*.Deleted"'),
        ("on: **", "1:5", "`*` is an alias", 'quote it: "**"'),
        ("on: *", "1:5", "`*` is an alias", 'quote it: "*"'),
        ("on: *Deleted", "1:5", "`*` begins an alias", 'must be quoted: "*Deleted"'),
        ("cron: */5 * * * *", "1:7", "`*` is an alias", 'quote it: "*/5 * * * *"'),
        ("when: !has(event.x)", "1:7", "`!` begins a tag", "must be quoted: '!has(event.x)'"),
        ("when: !has(event.x) && true", "1:21", "`!` is a tag", 'when: "!has(event.x) && true"'),
        ("body: {email: ${{ x }}}", "1:15", "without quotes", '"${{ x }}"'),
        ('body: {a: 1, email: ${{ f("x") }}}', "1:21", "without quotes", "'${{ f(\"x\") }}'"),
        ("list: [${{ x }}, b]", "1:8", "without quotes", '"${{ x }}"'),
        ("when: a ? b : c", "1:13", "`: ` within a plain value", 'when: "a ? b : c"'),
        ('text: ${{ a ? "x: y" : "z" }}', "1:17", "`: ` within", "text: '${{ a"),
        ('when: "a" == x', "1:11", 'begins with `"`', "when: '\"a\" == x'"),
        ("when: 'a' == x", "1:11", "begins with `'`", "when: \"'a' == x\""),
        ("when: [1] == x", "1:11", "begins with `[`", 'when: "[1] == x"'),
        ("a:\n\tb: 1", "2:1", "a tab cannot indent", "use spaces"),
        ("a:\n  b: 1\n\tc: 2", "3:1", "a tab cannot indent", "use spaces"),
        ("text: @here", "1:7", "cannot begin with `@`", 'text: "@here"'),
        ("text: %5", "1:7", "cannot begin with `%`", 'text: "%5"'),
        ("when: a\n  # why\n  && b", "3:3", "`&` begins an anchor", "wants `|`"),
        ('a: "abc', "1:4", "never closed", None),
        ('a: "\\q"', "1:5", "no such escape", "single quotes"),
        ("a: >x", "1:4", "`|` and `>`", 'a: ">x"'),
        ("a: - b", "1:4", "cannot begin in the line of its key", "next line"),
        ("a: [1, 2\nb: 1", "2:2", "`[` should go on", "opened in line 1, column 4"),
        ("a: 1\nbcd\ne: 2", "2:1", "no `: `", "key: value"),
        ("a: 1\n   b: 2", "2:5", "a key cannot begin here", "indented too far"),
        ("- a\nb: c", "2:1", "does not fit", "indentation"),
        (": v", "1:1", "no key before", None),
    ],
)
def test_each_classic_trap_has_a_hint_of_its_own(
    read: ReadText, text: str, place: str, message: str, hint: str | None
) -> None:
    problem = read(text).problem
    assert str(problem.place) == f"hooks.yaml:{place}"
    assert message in problem.message
    if hint is None:
        assert problem.hint is None
    else:
        assert hint in problem.hint


def test_every_hint_that_shows_a_line_shows_one_that_is_yaml(read: ReadText) -> None:
    for text in ("when: a ? b : c", 'when: "a" == x', "a: @x", "when: !has(event.x) && true", 't: ${{ {"a": 1} }}'):
        hint = read(text).problem.hint
        corrected = hint.removeprefix("quote the whole value: ")
        assert read(corrected).problems == ()
        [value] = read(corrected).values.values()
        assert value == text.partition(": ")[2]


def test_what_is_no_classic_trap_is_told_in_the_readers_words(read: ReadText) -> None:
    assert read("a: ]").problem.message.startswith("this is not YAML")
    assert read("a: ? b").problem.message.startswith("this is not YAML")


def test_a_value_with_both_quotes_is_advised_a_block(read: ReadText) -> None:
    assert "below `|`" in read("when: a ? \"b\" : 'c'").problem.hint
