"""The frames between service and worker: a length, then one JSON object; both sides cap a frame before parsing it."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

MAX_REQUEST = 32 * 1024 * 1024
"""Bytes of the largest frame that a worker reads: an event, the results of earlier steps, a snippet."""

HEADER = struct.Struct(">I")
"""The length in front of every frame."""


class Request(msgspec.Struct, kw_only=True):
    """One thing to do. With `check` the code is only compiled; else it is run once on `event`.

    `code` is sent along when the worker does not have it under `hash` yet. `timeout` is in seconds, `output` and
    `result` are bytes. `id` is random; the answer has to bear it.
    """

    id: str
    hash: str
    code: str | None = None
    check: bool = False
    event: Any = None
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    timeout: float = 5.0
    output: int = 64 * 1024
    result: int = 256 * 1024


class Finding(msgspec.Struct, kw_only=True):
    """Something in a snippet that cannot work; line and column count from 1."""

    message: str
    line: int | None = None
    column: int | None = None
    hint: str | None = None


class Answer(msgspec.Struct, kw_only=True):
    """What became of a request: `kind` is `done` or the reason of a failure.

    `line` is the snippet's own line. `logs` is what it printed and logged, line by line. `findings` answers a
    check.
    """

    id: str
    kind: str
    result: Any = None
    message: str | None = None
    line: int | None = None
    logs: list[str] = msgspec.field(default_factory=list)
    findings: list[Finding] = msgspec.field(default_factory=list)


class Ready(msgspec.Struct, kw_only=True):
    """The first frame of a worker: its walls stand, at this isolation level."""

    isolation: str
    walls: list[str] = msgspec.field(default_factory=list)


encode = msgspec.json.Encoder().encode
decode_request = msgspec.json.Decoder(Request).decode
decode_answer = msgspec.json.Decoder(Answer, strict=True).decode
decode_ready = msgspec.json.Decoder(Ready, strict=True).decode


def frame(message: msgspec.Struct) -> bytes:
    """A message as it goes over the socket; raises what msgspec raises for a value that is no JSON."""
    body = encode(message)
    return HEADER.pack(len(body)) + body
