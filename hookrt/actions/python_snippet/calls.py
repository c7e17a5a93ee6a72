"""What a run may ask of the service while it is under way: one call at a time, each answered by a broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from hookrt.actions.python_snippet.worker.wire import Call, Reply, frame

MAX_REPLY = 16 * 1024 * 1024
"""Bytes of the largest reply; a broker that returns more has its call fail."""


class Broker(Protocol):
    """Answers the calls of one run, in the service. It decides what the run was granted; the worker is not trusted."""

    async def answer(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """A JSON value. CallRefused ends the run with a reason, CallFailed is an exception that the snippet may catch.

        Whatever else is raised becomes a failure that shows nothing of the service. It is cancelled when the run
        ends while it waits: by the run's timeout, which its time counts for, or by the end of the worker.
        """
        ...


class CallRefused(Exception):  # noqa: N818 - a decision, which becomes an outcome
    """The run is over, with this reason (`denied`, say) and message, whatever the snippet makes of it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class CallFailed(Exception):  # noqa: N818 - as the snippet's exception it has its own name
    """The call did not work out, which the snippet may catch: `name` says what kind of failure, `fields` tell more."""

    def __init__(self, name: str, message: str, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.fields = dict(fields or {})


async def reply_to(call: Call, broker: Broker) -> Reply:
    """What the broker says to a call, as a reply; raises CallRefused, which is more than one call's matter."""
    try:
        return Reply(id=call.id, value=await broker.answer(call.name, call.arguments))
    except CallRefused:
        raise
    except CallFailed as failure:
        return Reply(id=call.id, kind="failed", name=failure.name, message=failure.message, fields=failure.fields)
    except Exception:  # of the service itself, which is none of the snippet's business
        return _failure(call, "the service could not carry out the call")


def reply_frame(call: Call, reply: Reply) -> bytes:
    """The reply as it goes over the socket; a failure when it is no JSON, or too big."""
    try:
        data = frame(reply)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return frame(_failure(call, "the answer to the call is no JSON"))
    if len(data) > MAX_REPLY:
        return frame(_failure(call, f"the answer to the call has more than {MAX_REPLY // 2**20} MiB"))
    return data


def refused(call: Call, refusal: CallRefused) -> Reply:
    """The reply that ends a run."""
    return Reply(id=call.id, kind="refused", message=refusal.message)


def _failure(call: Call, message: str) -> Reply:
    return Reply(id=call.id, kind="failed", name="CallFailed", message=message)
