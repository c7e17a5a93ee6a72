"""What is written as JSON text comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.errors import StoreError
from hookrt.model.attempt import Exchange
from hookrt.model.delivery import StepResult, StepStatus
from hookrt.store import codec

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)
RESULTS = st.dictionaries(
    st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True),
    st.builds(StepResult, st.sampled_from(StepStatus), JSON, st.none() | TEXT),
    max_size=4,
)


@given(RESULTS, RESULTS)
def test_results_written_one_after_the_other_add_up(first, second) -> None:
    text = codec.encode_results(first) + codec.encode_results(second)
    assert codec.decode_results(text) == {**first, **second}


@given(st.dictionaries(TEXT, TEXT | st.booleans() | st.integers(-(2**31), 2**31)))
def test_attributes_keep_their_types(attributes) -> None:
    found = codec.decode_attributes(codec.encode_attributes(attributes))
    assert found == attributes
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in attributes.items()
    }


@given(st.lists(TEXT).map(tuple))
def test_logs_come_back(logs) -> None:
    assert codec.decode_logs(codec.encode_logs(logs)) == logs


def test_an_exchange_comes_back_and_so_does_none() -> None:
    exchange = Exchange("POST", "https://x.example/é", {"A": "b"}, None, 204, {}, "", "[::1]:443")
    assert codec.decode_exchange(codec.encode_exchange(exchange)) == exchange
    assert codec.decode_exchange(codec.encode_exchange(None)) is None


def test_nothing_takes_no_space() -> None:
    written = [
        codec.encode_results({}),
        codec.encode_attributes({}),
        codec.encode_logs(()),
        codec.encode_exchange(None),
    ]
    assert written == [""] * 4


@pytest.mark.parametrize("output", [object(), {1, object()}, "\ud800"])
def test_what_is_not_json_is_refused(output) -> None:
    with pytest.raises(StoreError, match="not JSON"):
        codec.encode_results({"a": StepResult(StepStatus.SUCCEEDED, output)})
