"""Where and why a body is no valid JSON, said so that its writer finds the place."""

from __future__ import annotations

import json
import re

import msgspec

from hookrt.errors import EventError

_AT_BYTE = re.compile(r" \(byte (\d+)\)$")
_BOM = b"\xef\xbb\xbf"
_NO_NUMBER = re.compile(rb"-?(?:NaN|Infinity)\b")
_LONE_SURROGATE = re.compile(
    rb"(?<!\\)(?:\\\\)*+(\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|"
    rb"(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_HUGE_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|(-?\d++(?:\.\d++)?+(?:[eE][+-]?\d++)?+)', re.DOTALL)
_decode = msgspec.json.Decoder().decode


class Malformed(EventError):  # noqa: N818 - as its parent's other children
    """The body cannot be read as events.

    `position` is the offset of the offending byte from 0, `line` and `column` (in characters) count from 1. Each is
    None where it is not known.
    """

    def __init__(self, message: str, *, position: int | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.position = position
        self.line = line
        self.column: int | None = None


def malformed_at(reason: str, body: bytes, position: int) -> Malformed:
    """The error for the byte at `position` of the body, its place said in words too."""
    position = min(max(position, 0), len(body))
    before = body[:position]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    error = Malformed(f"{reason} (line {line}, column {column}, byte {position})", position=position, line=line)
    error.column = column
    return error


def find_fault(body: bytes) -> Malformed | None:
    """What makes this text unreadable as JSON, with its place; None when it is readable."""
    if body.startswith(_BOM):
        return malformed_at("the body starts with a byte order mark: send UTF-8 without one", body, 0)
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return malformed_at(f"the body is not UTF-8: {error.reason}", body, error.start)
    if not body.strip():
        return Malformed("the body is empty: send a JSON event", position=len(body), line=1)
    return _find_json_fault(body)


def find_lone_surrogate(body: bytes) -> Malformed | None:
    """The first half of a surrogate pair in a JSON text, which some decoders take and nothing can store or show."""
    if b"\\u" not in body or (lone := _LONE_SURROGATE.search(body)) is None:
        return None
    return malformed_at(f"{lone[1].decode()} is half of a surrogate pair", body, lone.start(1))


def _find_json_fault(body: bytes) -> Malformed | None:
    try:
        _decode(body)
    except RecursionError:
        return Malformed("the JSON is nested too deep")
    except msgspec.ValidationError as error:  # well-formed, but a number that no machine number can hold
        return _find_huge_number(body) or Malformed(f"the JSON cannot be read: {error}")
    except msgspec.DecodeError as error:
        return _place(body, str(error))
    return None


def _place(body: bytes, text: str) -> Malformed:
    at = _AT_BYTE.search(text)
    position = int(at[1]) if at else len(body)
    signed = position - (body[position - 1 : position] == b"-")
    if found := _NO_NUMBER.match(body, signed):
        return malformed_at(f"{found[0].decode()} is no JSON value: use null", body, found.start())
    try:
        json.loads(body.decode())  # slower, but its places are exact
    except json.JSONDecodeError as error:
        exact = len(error.doc[: error.pos].encode())
        ended = "it ends too early: " if exact >= len(body.rstrip()) else ""
        return malformed_at(f"the JSON is malformed: {ended}{error.msg[:1].lower()}{error.msg[1:]}", body, exact)
    except (ValueError, RecursionError):
        pass
    if lone := find_lone_surrogate(body):
        return lone
    return malformed_at(f"the JSON is malformed: {_AT_BYTE.sub('', text)}", body, position)


def _find_huge_number(body: bytes) -> Malformed | None:
    for found in _HUGE_NUMBER.finditer(body):
        if not found[1]:
            continue
        try:
            _decode(found[1])
        except msgspec.DecodeError:
            return malformed_at("the number is too large to be kept", body, found.start())
    return None
