"""Sources that senders reach by HTTP: webhooks that come in, each verified before it becomes an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import msgspec

from hookrt.model.event import AttributeValue
from hookrt.plugin.inbound_body import FORM, form_object, read_form, read_json, read_text
from hookrt.plugin.inbound_settings import OpenInboundSettings
from hookrt.plugin.refusal import Refused
from hookrt.plugin.source import Source

SettingsT = TypeVar("SettingsT", bound=OpenInboundSettings)

DEFAULT_MAX_BODY = 1024 * 1024
"""Bytes of the largest body where a source says nothing else."""

_UNREAD = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Inbound:
    """One request as it came. Nothing is decoded but what HTTP itself encodes.

    `url` is what the sender asked for, scheme and host by the request's own headers: some schemes sign it. Names of
    `headers` are in lower case, repeated ones are joined by `, `; of a repeated parameter `query` has the first.
    `received` is the service's clock, by which the age of a signature is judged.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received: datetime
    _json: Any = field(default=_UNREAD, init=False, repr=False, compare=False)

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case; empty without one."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_form(self) -> bool:
        """Whether the body is said to be an urlencoded form."""
        return self.media_type == FORM

    def json(self) -> Any:
        """The body as JSON, decoded once and shared: do not change it. Raises Refused when it is none, or too deep."""
        if self._json is _UNREAD:
            object.__setattr__(self, "_json", read_json(self.body))
        return self._json

    def form(self) -> list[tuple[str, str]]:
        """The fields of an urlencoded body, in order and each time they occur. Raises Refused when it is none."""
        return read_form(self.body)

    def values(self) -> Any:
        """The body as values: of JSON what it says, of a form an object, of anything else its text; null when empty.

        Raises Refused for a body that is not what its content type says, and for bytes that are no text.
        """
        if not self.body:
            return None
        if self.media_type.endswith(("/json", "+json")):
            return self.json()
        try:
            if not self.is_form or self.body.lstrip()[:1] in (b"{", b"["):  # what curl calls a form by default
                return self.json()
        except Refused:
            pass
        return form_object(self.form()) if self.is_form else read_text(self.body)

    def data(self) -> Any:
        """The same as the data of an event: JSON as the bytes that came."""
        values = self.values()
        return values if self._json is _UNREAD else self.body

    def require(self, name: str, reason: str = "bad-signature") -> str:
        """The header of this name, in lower case; without it the request is refused for this reason."""
        value = self.headers.get(name, "")
        if not value:
            raise Refused(reason, f"the header {name} is missing")
        return value


@dataclass(frozen=True, slots=True)
class Received:
    """The event that a verified request stands for.

    `data` is a JSON value, or bytes that are JSON already and are kept as they are; with `binary` they are anything
    else. Without an `id`, the hash of the body is taken, so that a repeated delivery is no new event. `attributes` and
    `content_type` are those of a CloudEvent.
    """

    type: str
    data: Any = field(default=None, repr=False)
    id: str | None = None
    subject: str | None = None
    time: datetime | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    content_type: str | None = None
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to the sender; from `receive` one that is no event, as to a challenge that proves who owns the URL."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


class InboundSource(Source[SettingsT]):
    """The base of sources that are reached at `POST /in/{name}`: give it a `name`, a settings model and `receive`.

    The model is an `InboundSettings`. One instance serves all requests of one entry of `sources:`. The event is stored
    before the sender is answered.
    """

    max_body: ClassVar[int] = DEFAULT_MAX_BODY
    """Bytes of the largest body that this sender allows itself; `max_body` of an entry says otherwise."""

    methods: ClassVar[frozenset[str]] = frozenset({"POST"})
    """The HTTP methods that it takes."""

    def receive(self, request: Inbound, settings: SettingsT) -> Received | Sequence[Received] | Reply:
        """Verify the request over its raw bytes, and say what it is; raises Refused.

        It must not block: what it needs is in the request and the settings. Secrets are compared in constant time
        (`matches_any`). Several events of one request are stored all or not at all.
        """
        raise NotImplementedError
