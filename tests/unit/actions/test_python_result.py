"""From what a snippet returned to plain JSON values, and what its output may be."""

from __future__ import annotations

import decimal
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.actions.python_snippet.worker.console import Console
from hookrt.actions.python_snippet.worker.result import Normaliser
from hookrt.actions.python_snippet.worker.stops import BadResultError, OutputExceeded
from hookrt.actions.python_snippet.worker.wire import MAX_DEPTH

LIMIT = 10_000
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_plain_values_come_out_as_they_went_in(value: Any) -> None:
    assert Normaliser(1_000_000).copy(value) == value


def test_the_result_is_a_copy_and_tuples_become_lists() -> None:
    value = {"a": [1, (2, 3)]}
    made = Normaliser(LIMIT).copy(value)
    assert made == {"a": [1, [2, 3]]}
    assert made is not value


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        {1}, b"x", object(), len, decimal.Decimal(1), float("nan"), float("inf"), 2**257, -(2**257), {1: 2}, {None: 1},
        Text("x"), {Text("x"): 1}, [Text("x")], "\ud800", {"\ud800": 1}, range(3), iter([]), (x for x in []), True + 0j,
    ],
    ids=lambda value: re.sub(" at 0x[0-9a-f]+", "", repr(value)),  # the same in every process
)  # fmt: skip
def test_only_exact_plain_types_are_a_result(value: Any) -> None:
    with pytest.raises(BadResultError):
        Normaliser(LIMIT).copy(value)


def test_the_error_names_the_place() -> None:
    with pytest.raises(BadResultError, match=r"the result\['a'\]\[1\] is a set"):
        Normaliser(LIMIT).copy({"a": [1, {2}]})


def test_depth_has_a_limit_and_cycles_end_there() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert Normaliser(LIMIT).copy(value) == value
    with pytest.raises(BadResultError, match="levels deep"):
        Normaliser(LIMIT).copy([value])
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(BadResultError, match="levels deep"):
        Normaliser(LIMIT).copy(circle)


def test_a_shared_value_counts_each_time() -> None:
    value: Any = ["x"]
    for _ in range(30):
        value = [value, value]
    with pytest.raises(BadResultError, match="values"):
        Normaliser(10**9).copy(value)
    with pytest.raises(BadResultError, match="bytes"):
        Normaliser(LIMIT).copy(["x" * 1000] * 11)


@given(JSON)
def test_what_passes_is_never_far_above_the_limit(value: Any) -> None:
    try:
        made = Normaliser(40).copy(value)
    except BadResultError:
        return
    assert sum(len(text) for text in _texts(made)) <= 40
    json.dumps(made)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for item in value.values() for text in _texts(item))]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def test_print_writes_lines_as_python_does() -> None:
    console = Console(100)
    console.print("a", 1, sep="-", end="")
    console.print()
    console.print("b\nc", file=None, flush=True)
    assert console.lines() == ["a-1", "b", "c"]
    with pytest.raises(TypeError):
        console.print(1, to=2)


def test_a_log_line_has_its_level_and_fields_and_stays_one_line() -> None:
    console = Console(100)
    console.log("two\nlines", "error", n=1, who="me")
    assert console.lines() == ["error: two\\nlines n=1 who='me'"]
    with pytest.raises(ValueError, match="level"):
        console.log("x", "loud")


def test_output_ends_at_its_limit_and_stays_ended() -> None:
    console = Console(5)
    with pytest.raises(OutputExceeded):
        console.print("äöü")
    assert console.full
    with pytest.raises(OutputExceeded):
        console.write("x")
    assert len("".join(console.lines()).encode()) <= 5


def test_half_a_surrogate_pair_cannot_break_the_answer() -> None:
    console = Console(100)
    console.print("\ud800")
    assert console.lines() == ["?"]


def test_nothing_written_is_no_line() -> None:
    assert Console(10).lines() == []
