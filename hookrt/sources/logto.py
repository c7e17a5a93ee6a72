"""The source `logto`: webhooks of Logto.

Logto signs the body alone, with HMAC-SHA256 in hex (`logto-signature-sha-256`). There is no id of a delivery, and a
retry sends the same bytes: the hash of the body is what tells a repetition. The time stands in the body, `createdAt`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from hookrt.plugin import (
    DEFAULT_TOLERANCE,
    Duration,
    Inbound,
    InboundSettings,
    InboundSource,
    Received,
    Refused,
    SampleEvent,
    Source,
    check_age,
    impl,
)
from hookrt.sources.logto_events import EVENT_TYPES
from hookrt.sources.logto_samples import bodies
from hookrt.sources.reading import at, first_name, moment_of, require_object, type_of
from hookrt.sources.signed import HmacHeader

HEADER = "logto-signature-sha-256"
"""The header that carries Logto's signature."""

_SIGNATURE = HmacHeader(HEADER, "signing key")
_FAKE_ID, _FAKE_PATH = "fake-id", "/fake-path/:id"
_SUBJECTS = (
    ("userId",),
    ("user", "id"),
    ("params", "userId"),
    ("data", "userId"),
    ("organizationId",),
    ("roleId",),
    ("organizationRoleId",),
    ("data", "id"),
    ("params", "scopeId"),
    ("params", "id"),
)


class LogtoSettings(InboundSettings):
    """What verifies webhooks of Logto: `secret` is the webhook's signing key, as Logto's console shows it."""

    tolerance: Duration | None = Field(
        default=DEFAULT_TOLERANCE,
        description="How far the signed `createdAt` may lie from now, both ways; null: it is not judged",
    )


class Logto(InboundSource[LogtoSettings]):
    """Webhooks of Logto, verified by `logto-signature-sha-256`; an event is `PostSignIn` or `User.Data.Updated`.

    The subject is the user's id, or that of what the event is about. Logto's test deliveries have the attribute
    `logtotest`.
    """

    name = "logto"
    short = "secret"

    def receive(self, request: Inbound, settings: LogtoSettings) -> Received:
        """The event as Logto names it; raises Refused."""
        _SIGNATURE.verify(request, settings.plain_secrets, request.body)
        payload = require_object(request.json())
        created = moment_of(payload.get("createdAt"))
        if settings.tolerance is not None:
            if created is None:
                raise Refused("malformed", "createdAt is no time, by which the age of the request is judged")
            check_age(created, request.received, settings.tolerance)
        return Received(
            type=type_of(payload.get("event")),
            data=request.body,
            subject=_subject_of(payload),
            time=created,
            attributes={"logtotest": True} if _is_test(payload) else {},
        )

    def types(self, settings: LogtoSettings) -> Sequence[str] | None:
        """All events of Logto."""
        return EVENT_TYPES

    @classmethod
    def samples(cls, now: datetime) -> Mapping[str, SampleEvent]:
        """One of each event, with the whole body as its data, as those have that come in."""
        known = bodies(now)
        return {name: SampleEvent(known[name], _subject_of(known[name])) for name in EVENT_TYPES}


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `logto`."""
    return [Logto]


def _subject_of(payload: Mapping[str, Any]) -> str | None:
    return first_name(*(at(payload, *path) for path in _SUBJECTS))


def _is_test(payload: Mapping[str, Any]) -> bool:
    """Whether this is what Logto's console sends on «Send test payload»: it is signed, and looks real otherwise."""
    of_user = payload.get("userId") == _FAKE_ID and payload.get("userAgent") == "fake-user-agent"
    return of_user or (payload.get("path") == _FAKE_PATH and at(payload, "params", "id") == _FAKE_ID)
