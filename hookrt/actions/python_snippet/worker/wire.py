"""The frames between service and worker: a length, then one JSON object; both sides cap a frame before parsing it."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

MAX_REQUEST = 32 * 1024 * 1024
"""Bytes of the largest frame that a worker reads: an event, the results of earlier steps, a snippet."""

MAX_CALL = 256 * 1024
"""Bytes of the largest call of a run."""

MAX_CALLS = 1000
"""Calls of one run."""

MAX_DEPTH = 32
"""Levels of nested lists and objects that a result may have unless a request says otherwise."""

HEADER = struct.Struct(">I")
"""The length in front of every frame."""


class Request(msgspec.Struct, kw_only=True):
    """One thing to do. With `check` the code is only compiled; else it is run once on `event`.

    `code` is sent along when the worker does not have it under `hash` yet. `timeout` is in seconds, `output` and
    `result` are bytes, `depth` are levels of the result. `id` is random; the answer has to bear it. `grants` says what
    the run may ask of the service, by names only: it shapes `ctx`, while the service judges every call by itself.
    """

    id: str
    hash: str
    code: str | None = None
    check: bool = False
    event: Any = None
    context: dict[str, Any] = msgspec.field(default_factory=dict)
    grants: dict[str, Any] = msgspec.field(default_factory=dict)
    timeout: float = 5.0
    output: int = 64 * 1024
    result: int = 256 * 1024
    depth: int = MAX_DEPTH


class Finding(msgspec.Struct, kw_only=True):
    """Something in a snippet that cannot work; line and column count from 1."""

    message: str
    line: int | None = None
    column: int | None = None
    hint: str | None = None


class Use(msgspec.Struct, kw_only=True):
    """A place in a snippet that uses what has to be granted: `http`, `secrets`, `state` or `emit`.

    `target` is the URL, the secret or the type of event, None where only the run will know.
    """

    name: str
    target: str | None = None
    line: int = 0
    column: int = 0


class Answer(msgspec.Struct, kw_only=True):
    """What became of a request: `kind` is `done` or the reason of a failure.

    `line` is the snippet's own line, `cause` the reason of an uncaught `ctx.http.Error`. `logs` is what it printed and
    logged, line by line. `findings` and `uses` answer a check. `took` is how many seconds it took, as the worker says:
    a hint for sharing out work, nothing else.
    """

    id: str
    kind: str
    result: Any = None
    message: str | None = None
    line: int | None = None
    cause: str = ""
    logs: list[str] = msgspec.field(default_factory=list)
    findings: list[Finding] = msgspec.field(default_factory=list)
    uses: list[Use] = msgspec.field(default_factory=list)
    took: float = 0.0


class Call(msgspec.Struct, kw_only=True):
    """What a run asks of the service before its answer, within the request's id; a Reply comes before anything else.

    `kind` tells it from an answer.
    """

    id: str
    kind: str = "call"
    name: str
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)


class Reply(msgspec.Struct, kw_only=True):
    """The service's answer to a call: a `value`, or for the kinds `failed`, `refused` and `timeout` what went wrong."""

    id: str
    kind: str = "value"
    value: Any = None
    name: str = ""
    message: str = ""
    fields: dict[str, Any] = msgspec.field(default_factory=dict)


class Ready(msgspec.Struct, kw_only=True):
    """The first frame of a worker: its walls stand, at this isolation level."""

    isolation: str
    walls: list[str] = msgspec.field(default_factory=list)


encode = msgspec.json.Encoder().encode
decode_request = msgspec.json.Decoder(Request).decode
decode_answer = msgspec.json.Decoder(Answer, strict=True).decode
decode_call = msgspec.json.Decoder(Call, strict=True).decode
decode_reply = msgspec.json.Decoder(Reply).decode
decode_ready = msgspec.json.Decoder(Ready, strict=True).decode


def frame(message: msgspec.Struct) -> bytes:
    """A message as it goes over the socket; raises what msgspec raises for a value that is no JSON."""
    body = encode(message)
    return HEADER.pack(len(body)) + body
