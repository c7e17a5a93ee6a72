"""What is recorded of bodies: masked before they are cut, readable where they are text."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.egress.header_check import explain_headers
from hookrt.egress.record import show_body
from hookrt.plugin import MAX_RECORDED_BODY

SECRET = "s3cr3t-" + "x" * 40


def mask(text: str) -> str:
    return text.replace(SECRET, "***")


def same(text: str) -> str:
    return text


def test_a_short_body_is_shown_whole_and_a_long_one_cut():
    assert show_body(b'{"a": "\xc3\xbc"}', same) == '{"a": "ü"}'
    assert show_body(b"", same) == ""
    for size in (MAX_RECORDED_BODY - 1, MAX_RECORDED_BODY, MAX_RECORDED_BODY + 1, 1_000_000):
        assert show_body(b"x" * size, same) == "x" * min(size, MAX_RECORDED_BODY)


def test_a_character_at_the_cut_is_left_out_rather_than_broken():
    shown = show_body("ü".encode() * 100_000, same)
    assert set(shown) == {"ü"}
    assert len(shown.encode()) <= MAX_RECORDED_BODY
    odd = b"x" + "ü".encode() * 100_000
    assert "\ufffd" not in show_body(odd, same)


@given(st.integers(0, 40_000), st.integers(0, 3))
def test_no_part_of_a_secret_is_shown_wherever_it_stands(before: int, copies: int):
    body = ("-" * before + SECRET * (copies + 1) + "-" * 20_000).encode()
    assert "s3cr3t" not in show_body(body, mask)


def test_many_masked_secrets_before_the_end_do_not_bring_a_part_of_one_into_view():
    body = (SECRET + "\n").encode() * 1000
    shown = show_body(body, mask)
    assert "s3cr" not in shown


def test_what_is_no_text_is_shown_in_base64_within_the_limit():
    body = bytes(range(256)) * 4
    assert show_body(body, same) == f"(1024 bytes, not text; in base64) {base64.b64encode(body).decode()}"
    assert len(show_body(b"\xff" * 1_000_000, same)) <= MAX_RECORDED_BODY
    assert show_body(b"a\x00b", same).startswith("(3 bytes, not text")


def test_a_binary_body_with_a_secret_in_it_is_not_shown():
    shown = show_body(b"\xff" + SECRET.encode(), mask)
    assert "not shown" in shown
    assert base64.b64encode(SECRET.encode())[:8].decode() not in shown


@pytest.mark.parametrize(
    ("headers", "part"), [({"x a": "1"}, "'x a'"), ({"x-a": "hush\r\n"}, "x-a"), ({}, "'G T'")], ids=str
)
def test_a_header_that_cannot_be_sent_is_named_without_its_value(headers: dict[str, str], part: str):
    message = explain_headers("G T", headers)
    assert part in message
    assert "hush" not in message
