"""The depth of a JSON text, found without decoding it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.errors import EventError
from hookrt.model.json_depth import MAX_DEPTH, check_depth


def is_too_deep(text, limit=MAX_DEPTH):
    try:
        check_depth(text, limit)
    except EventError:
        return True
    return False


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def test_depth_64_is_accepted_and_65_refused():
    assert not is_too_deep(b'{"a":' * 64 + b"1" + b"}" * 64)
    assert is_too_deep(b'{"a":' * 65 + b"1" + b"}" * 65)


def test_many_brackets_side_by_side_are_not_deep():
    assert not is_too_deep(b"[" + b"[]," * 10_000 + b"{}]")


def test_brackets_in_strings_do_not_count():
    text = json.dumps(["[" * 1000, '\\"[' * 1000, "\\" * 1001, {"[" * 99: "{" * 99}]).encode()
    assert not is_too_deep(text)


@pytest.mark.parametrize("inside", ['"', '\\"', "\\\\", '\\\\\\"', "\\\\u0022["])
def test_an_escaped_quote_does_not_end_a_string(inside):
    text = json.dumps([inside + "[" * 100]).encode()
    assert not is_too_deep(text)
    assert is_too_deep(text[:-1] + b"," + b"[" * 64 + b"]" * 65)


def test_an_unclosed_text_is_judged_without_being_json():
    assert is_too_deep(b"[" * 1_000_000)
    assert not is_too_deep(b'"' + b"[" * 1_000_000)


@pytest.mark.parametrize(
    "hostile",
    [
        b'"' + b'\\"' * 400_000,
        b'"' * 800_000,
        b'"' + b"a" * 800_000,
        b'"[",' * 200_000,
        b"]" * 800_000,
        b"\\" * 800_001,
    ],
    ids=["escapes", "quotes", "open", "strings", "closers", "backslashes"],
)
def test_hostile_texts_take_linear_time(hostile):
    check_depth(b"[]" * 65 + hostile)  # a quadratic way would take minutes


trees = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\a\n', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='[]{}"\\', max_size=4), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(trees, st.integers(min_value=0, max_value=6), st.booleans())
def test_the_depth_is_that_of_the_decoded_value(tree, limit, indented):
    text = json.dumps(tree, indent=1 if indented else None).encode()
    assert is_too_deep(text, limit) == (depth_of(tree) > limit)
