"""Whatever is sent, reading it ends in events or in an EventError, never in anything else."""

import json

from hypothesis import given
from hypothesis import strategies as st

from hookrt.errors import EventError
from hookrt.model.event import Event
from hookrt.web.parse_events import Form, Limits, parse_events

FORMS = st.sampled_from(list(Form))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
KEYS = st.sampled_from(
    ["type", "id", "source", "subject", "time", "data", "attributes", "specversion", "datacontenttype", "data_base64"]
)
NEARLY = st.dictionaries(KEYS | st.text(max_size=5), VALUES | st.just("1.0"), max_size=8)
HEADER_NAMES = st.sampled_from([b"ce-specversion", b"ce-id", b"ce-type", b"ce-source", b"ce-time", b"ce-x", b"ce-"])
HEADERS = st.lists(st.tuples(HEADER_NAMES | st.binary(max_size=8), st.just(b"1.0") | st.binary(max_size=20)))
JSON_BITS = st.lists(
    st.sampled_from(
        [b"{", b"}", b"[", b"]", b'"type"', b":", b",", b'"A"', b'"data"', b"1e999", b"\\ud800", b'"', b"\n"]
    )
)


def read(form: Form, headers, body: bytes) -> None:
    try:
        parsed = parse_events(form, headers, body, Limits(event=10_000, batch=20_000))
    except EventError:
        return
    for draft in parsed.drafts:
        if not draft.binary:  # what was taken can be read later on
            assert Event("1", "A", "s", None, content=draft.content).data is not ...


@given(FORMS, HEADERS, st.binary(max_size=300))
def test_any_bytes_end_in_events_or_an_event_error(form, headers, body):
    read(form, headers, body)


@given(FORMS, HEADERS, JSON_BITS)
def test_anything_like_json_ends_in_events_or_an_event_error(form, headers, bits):
    read(form, headers, b"".join(bits))


@given(FORMS, NEARLY | st.lists(NEARLY), st.booleans())
def test_anything_like_an_event_ends_in_events_or_an_event_error(form, value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    read(form, [(b"ce-specversion", b"1.0"), (b"ce-id", b"1"), (b"ce-type", b"A"), (b"ce-source", b"s")], text)
