"""How a run asks something of the service: a frame out, a frame back, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from hookrt.actions.python_snippet.worker.deadline import Deadline
from hookrt.actions.python_snippet.worker.stops import CallFailedError, DeadlineReached, DeniedError
from hookrt.actions.python_snippet.worker.wire import MAX_CALL, MAX_CALLS, Call, Reply, encode

Ask = Callable[[str, dict[str, Any]], Any]
"""`ask(name, arguments)`: the service's answer, a JSON value.

Raises CallFailedError, which a snippet may catch, and DeniedError, after which the service ends the run as denied
whatever the snippet does.
"""

Exchange = Callable[[bytes], Reply]
"""Sends a call's body and waits for its reply."""


def make_ask(request_id: str, exchange: Exchange, deadline: Deadline) -> Ask:
    """The `ask` of one run."""
    made = 0

    def ask(name: str, arguments: dict[str, Any]) -> Any:
        nonlocal made
        made += 1
        if made > MAX_CALLS:
            raise CallFailedError("CallFailed", f"a run may make at most {MAX_CALLS:,} calls", {})
        body = _encode(Call(id=request_id, name=name, arguments=arguments))
        with deadline.held():
            reply = exchange(body)
        return _value(reply)

    return ask


def _encode(call: Call) -> bytes:
    try:
        body = encode(call)
    except (TypeError, UnicodeEncodeError, RecursionError, msgspec.MsgspecError) as error:
        raise CallFailedError("CallFailed", f"{call.name}: what it is given is no JSON: {error}"[:500], {}) from None
    if len(body) > MAX_CALL:
        message = f"{call.name}: what it is given has more than {MAX_CALL // 1024} KiB as JSON"
        raise CallFailedError("CallFailed", message, {})
    return body


def _value(reply: Reply) -> Any:
    if reply.kind == "value":
        return reply.value
    if reply.kind == "failed":
        raise CallFailedError(reply.name, reply.message, reply.fields)
    if reply.kind == "timeout":
        raise DeadlineReached
    raise DeniedError(reply.message)
