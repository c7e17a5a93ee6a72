"""An event as the body of one of Logto's webhooks, so that a receiver written for Logto understands it.

The keys of the event's data stand beside `event`, `createdAt` and `hookId`, not below a key of their own. Their order
is that in which Logto sends them, and their values are the bytes that came in: what came from Logto goes out again as
it was, but for `hookId`.
"""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

import msgspec

from hookrt.plugin import Event

USER_AGENT = "Logto (https://logto.io/)"
"""What Logto's webhooks say that they come from."""

_INTERACTIONS = frozenset({"PostRegister", "PostSignIn", "PostSignInAdaptiveMfaTriggered", "PostResetPassword"})


class _Order(NamedTuple):
    """Keys before `event`, between it and `createdAt`, and after that; what else there is comes then."""

    first: tuple[str, ...]
    before_time: tuple[str, ...]
    after_time: tuple[str, ...]


_INTERACTION = _Order(
    ("adaptiveMfaResult",),
    ("interactionEvent",),
    ("sessionId", "userAgent", "userId", "userIp", "user", "application", "cimdClientId"),
)
_ORIGIN = ("interactionEvent", "userAgent", "applicationId", "cimdClientId", "sessionId", "ip", "application")
_DATA = _Order((), (), (*_ORIGIN, "path", "method", "status", "params", "matchedRoute"))
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def logto_body(event: Event, hook: str) -> bytes:
    """The body; `hookId` is the hook's name, and `createdAt` the event's time, the same at every attempt.

    What the data says for a key that Logto keeps for itself (`event`, `createdAt`, `hookId`) is replaced. Data that
    has the first two keeps its order, other data gets Logto's. Data that is no object stands below `data`. Raises
    ValueError for data that is no JSON.
    """
    if event.binary:
        raise ValueError("the data of this event is no JSON, which Logto's format cannot carry")
    data = _fields(event)
    time = event.time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    head = {"event": _encode(event.type), "createdAt": _encode(time)}
    if head.keys() <= data.keys():
        data |= head
        head = {}
    data.pop("hookId", None)
    return b"{" + b",".join((*_ordered(event, head, data), _pair("hookId", _encode(hook)))) + b"}"


def _ordered(event: Event, head: dict[str, bytes], data: dict[str, bytes]) -> list[bytes]:
    """All keys as Logto orders them; without a `head` as they stand in the data."""
    if not head:
        return _taken(data, tuple(data))
    order = _INTERACTION if event.type in _INTERACTIONS else _DATA
    left = {name: raw for name, raw in data.items() if name not in head}
    return [
        *_taken(left, order.first),
        _pair("event", head["event"]),
        *_taken(left, order.before_time),
        _pair("createdAt", head["createdAt"]),
        *_taken(left, order.after_time),
        *_taken(left, tuple(left)),
    ]


def _fields(event: Event) -> dict[str, bytes]:
    """The keys of the data, each with its bytes."""
    content = event.content.lstrip()
    if not content.startswith(b"{"):
        return {} if content.strip() in (b"", b"null") else {"data": content.strip()}
    return {name: bytes(raw) for name, raw in _decode(content).items()}


def _taken(data: dict[str, bytes], names: tuple[str, ...]) -> list[bytes]:
    """Those of these keys that are there, taken out of the data."""
    return [_pair(name, data.pop(name)) for name in names if name in data]


def _pair(name: str, value: bytes) -> bytes:
    return _encode(name) + b":" + value
