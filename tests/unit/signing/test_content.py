"""The description of what is signed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.signing import ContentTemplate

VALUES = {"id": b"msg_1", "timestamp": b"17", "body": b"\x00BODY{x}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{body}", b"\x00BODY{x}"),
        ("{timestamp}.{body}", b"17.\x00BODY{x}"),
        ("v0:{timestamp}:{body}", b"v0:17:\x00BODY{x}"),
        ("{id}.{timestamp}.{body}", b"msg_1.17.\x00BODY{x}"),
        ("{{{body}}}", b"{\x00BODY{x}}"),
        ("plain é", "plain é".encode()),
    ],
)
def test_what_stands_in_braces_is_put_in_byte_for_byte(text: str, expected: bytes) -> None:
    assert ContentTemplate.parse(text).fill(VALUES) == expected


@pytest.mark.parametrize("text", ["{}", "{0}", "{body!r}", "{body:>9}", "{body.__class__}", "{timestmp}", "{", "}"])
def test_anything_else_in_braces_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not known here|stands alone"):
        ContentTemplate.parse(text)


@given(st.binary(max_size=50))
def test_a_body_is_never_read_as_a_template(body: bytes) -> None:
    assert ContentTemplate.parse("a{body}b").fill({"body": body}) == b"a" + body + b"b"
