from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookrt.config.document import MAX_ALIASED, MAX_DEPTH, parse_document
from hookrt.config.nodes import MapNode, TextNode
from hookrt.config.problem_log import MAX_PROBLEMS, ProblemLog

ReadText = Callable[[str | bytes], Any]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("null", None),
        ("", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-7", -7),
        ("1.5", 1.5),
        ("18446744073709551615", 2**64 - 1),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("True", "True"),
        ("~", "~"),
        ("2027-01-31", "2027-01-31"),
        ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
        ("12:30", "12:30"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("010", "010"),
        ("1_000", "1_000"),
        (".5", ".5"),
        ("+1", "+1"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("١٢", "١٢"),
        ('"5"', "5"),
        ("'true'", "true"),
        ('"null"', "null"),
        ("|-\n  5", "5"),
    ],
)
def test_null_true_false_and_json_numbers_are_themselves_all_else_is_text(
    read: ReadText, written: str, value: object
) -> None:
    found = read(f"a: {written}\n").values["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("written", ["1.10", "1e3", "1E5", "-0", "0.00", "1e400", "9" * 30, "9" * 5000, "1.0e1"])
def test_a_number_whose_json_form_differs_from_its_text_is_a_problem(read: ReadText, written: str) -> None:
    [problem] = read(f"a: {written}\n").value_problems
    assert (problem.place.line, problem.place.column) == (1, 4)
    assert problem.hint is not None
    assert "quote it" in problem.hint


def test_a_bare_on_is_a_key_like_any_other(read: ReadText) -> None:
    assert read("on: PostRegister\nno: 1\n1.10: x\n").values == {"on": "PostRegister", "no": 1, "1.10": "x"}


def test_a_repeated_key_is_an_error_that_names_the_first(read: ReadText) -> None:
    problem = read("a: 1\nb:\n  c: 1\n  c: 2\n").problem
    assert str(problem.place) == "hooks.yaml:4:3"
    assert "the first time in line 3" in problem.message


def test_all_repeated_keys_and_tags_are_reported_at_once(read: ReadText) -> None:
    assert len(read("a: 1\na: 2\nb: !x 1\nb: !!str 2\n<<: {}\n").problems) == 5


@pytest.mark.parametrize("text", ["a: !secret x", "a: !!python/object:os.system x", "a: !!str 5", "a: !!binary aGk="])
def test_an_unknown_tag_is_an_error(read: ReadText, text: str) -> None:
    problem = read(text).problem
    assert "tag" in problem.message
    assert problem.place.column == 4


def test_the_merge_key_is_refused(read: ReadText) -> None:
    assert "`<<`" in read("base: &base {x: 1}\na:\n  <<: *base\n").problem.message
    assert read('a: {"<<": 1}').values == {"a": {"<<": 1}}


def test_several_documents_in_a_file_are_refused(read: ReadText) -> None:
    found = read("a: 1\n---\nb: 2\n")
    assert found.root is None
    assert "second YAML document" in found.problem.message
    assert found.problem.place.line == 2
    assert read("---\na: 1\n...\n").values == {"a": 1}


def test_an_alias_stands_for_its_value(read: ReadText) -> None:
    assert read("a: &waits [5s, 1m]\nb: *waits\n").values == {"a": ["5s", "1m"], "b": ["5s", "1m"]}


def test_an_alias_bomb_is_refused(read: ReadText) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    found = read("\n".join(lines))
    assert found.root is None
    assert f"{MAX_ALIASED:,}" in found.problem.message


def test_an_alias_to_itself_is_refused(read: ReadText) -> None:
    assert "there is no anchor &a before it" in read("a: &a [*a]").problem.message


def test_aliases_do_not_get_around_the_depth_limit(read: ReadText) -> None:
    lines = [f"a0: &a0 {'[' * 30}{']' * 30}"]
    lines += [f"a{n}: &a{n} {'[' * 20}*a{n - 1}{']' * 20}" for n in range(1, 4)]
    found = read("\n".join(lines))
    assert found.root is None
    assert "levels deep" in found.problem.message


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "a:\n" + "".join("  " * n + "- a:\n" for n in range(1, 200))],
)
def test_deep_nesting_is_refused_at_once(read: ReadText, text: str) -> None:
    found = read(text)
    assert found.root is None
    assert f"more than {MAX_DEPTH} levels" in found.problem.message


def test_a_key_must_be_text(read: ReadText) -> None:
    assert "a key must be text" in read("? [a, b]\n: 1\n").problem.message
    assert "a key must be text" in read("{a: 1}: 2\n").problem.message


def test_a_file_that_is_not_utf8_is_refused_with_the_place(read: ReadText) -> None:
    problem = read("a: 1\nü: x".encode() + b"\xff").problem
    assert str(problem.place) == "hooks.yaml:2:5"
    assert "0xff is not UTF-8" in problem.message
    assert "UTF-16" in (read("a: 1".encode("utf-16")).problem.hint or "")


def test_a_byte_order_mark_is_passed_over(read: ReadText) -> None:
    assert read(b"\xef\xbb\xbfa: 1").values == {"a": 1}


@pytest.mark.parametrize(("character", "name"), [("\0", "U+0000"), ("\x1b", "U+001B"), ("\u2028", "U+2028")])
def test_control_characters_are_refused_and_never_shown(read: ReadText, character: str, name: str) -> None:
    problem = read(f"a: 1\nb: x{character}y").problem
    assert str(problem.place) == "hooks.yaml:2:5"
    assert name in problem.message
    assert character not in str(problem)


def test_a_huge_file_is_refused(read: ReadText) -> None:
    assert "larger than 5 MiB" in read(b"a" * (5 * 1024 * 1024 + 1)).problem.message


def test_an_empty_file_is_an_empty_mapping(read: ReadText) -> None:
    for text in ("", "# only a comment\n", "---\n"):
        found = read(text)
        assert found.problems == ()
        assert isinstance(found.root, (MapNode, TextNode))


def test_columns_count_characters(read: ReadText) -> None:
    root = read('"ü😀": "😀" # b\n').root
    [(_, entry)] = root.entries.items()
    assert (entry.value.span.column, entry.value.span.width) == (7, 3)


def test_line_ends_of_every_system_count_the_same(read: ReadText) -> None:
    for end in ("\n", "\r\n", "\r"):
        problem = read(f"a: 1{end}b: 2{end}b: 3{end}").problem
        assert problem.place.line == 3
        assert problem.line_text == "b: 3"


def test_a_long_line_is_handed_on_whole(read: ReadText) -> None:
    problem = read(f"a: {{b: {'y' * 1000}, c: !x y}}\n").problem
    assert problem.line_text is not None
    assert problem.line_text[problem.place.column - 1 :].startswith("!x")


def test_a_line_too_long_to_be_shown_is_left_out(read: ReadText) -> None:
    problem = read(f"a: !x {'y' * 5000}\n").problem
    assert problem.line_text is None
    assert len(str(problem)) < 300


def test_no_more_problems_are_kept_than_anybody_reads(read: ReadText) -> None:
    problems = read("a: 1\n" * (MAX_PROBLEMS + 50)).problems
    assert len(problems) == MAX_PROBLEMS + 1
    assert "there are more problems than these" in problems[-1].message


BITS = r"""a on : - * *x &x !x << { } [ ] , ' " | > # % @ ` ? ${{ }} 1.10 null é 😀 \ --- ..."""
SPACED_BITS = (": ", "- ", " #", "\n", "\n  ", "\n    ", "---\n", "\t", "\r", "\0")
YAML_BITS = st.sampled_from([*BITS.split(), *SPACED_BITS])


@settings(max_examples=300, deadline=None)
@given(st.lists(YAML_BITS, max_size=30).map("".join) | st.text(max_size=60))
def test_no_text_raises_anything(text: str) -> None:
    log = ProblemLog()
    root = parse_document(text.encode("utf-8", "surrogatepass"), "hooks.yaml", log)
    assert root is not None or log.has_errors
    for problem in log.sorted():
        assert str(problem)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything(raw: bytes) -> None:
    log = ProblemLog()
    assert parse_document(raw, "hooks.yaml", log) is not None or log.has_errors
