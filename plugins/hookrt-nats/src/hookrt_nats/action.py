"""The action `nats`: a message to a JetStream stream, once however often it is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from nats.errors import BadSubjectError, MaxPayloadError
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError
from pydantic import Field

from hookrt.plugin import (
    HEADER_NAME,
    STANDARD,
    Action,
    ActionCall,
    ActionSetup,
    Event,
    Log,
    Outcome,
    PluginError,
    Settings,
    SettingsProblem,
    format_time,
)
from hookrt_nats.server import Connection, NatsUnavailable, ServerSettings, connect, describe, subject_faults

ANSWER_S = 5.0
"""Seconds that the server has to say that it has the message."""

_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '%"')


class PublishSettings(Settings):
    """What a step says."""

    subject: str = Field(description="The subject; a stream has to take it")
    data: Any = Field(
        default=None, description="The payload: a text as it is, other values as JSON; by default the event's data"
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Headers of the message")
    stream: str | None = Field(default=None, description="The stream that has to take it, where that matters")


class PublishToNats(Action[PublishSettings]):
    """Publish a message to a NATS JetStream stream, and wait until the stream has it."""

    name = "nats"
    short = "subject"
    service_settings = ServerSettings
    retry = STANDARD
    reasons: ClassVar[Mapping[str, str]] = {
        "connect": "there is no connection to the server",
        "timeout": "the stream did not say in time that it has the message",
        "no-stream": "no stream takes this subject",
        "refused": "the stream does not take the message: it is full, or another one than `stream`",
        "bad-subject": "this is no subject to publish to",
        "bad-header": "a header cannot be sent",
        "too-large": "the message is larger than the server takes",
    }

    def __init__(self) -> None:
        self._server: ServerSettings | None = None
        self._base_dir = Path()
        self._log: Log | None = None
        self._client: Connection | None = None
        self._connecting = asyncio.Lock()

    async def open(self, setup: ActionSetup) -> None:
        """Remember the server; raises PluginError where none is named."""
        if not isinstance(setup.settings, ServerSettings):
            raise PluginError("the action `nats` needs `service: {actions: {nats: {url: ...}}}`")
        self._server, self._base_dir, self._log = setup.settings, setup.base_dir, setup.log

    async def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def check(self, settings: PublishSettings) -> Iterable[SettingsProblem]:
        """Refuse what is no subject and no header, where it is written out."""
        if "${{" not in settings.subject:
            for fault in subject_faults(settings.subject):
                yield SettingsProblem(("subject",), fault)
        for name, value in settings.headers.items():
            wrong = _header_fault(name, "" if "${{" in value else value)
            if wrong is not None:
                yield SettingsProblem(("headers", name), wrong)

    async def run(self, call: ActionCall[PublishSettings]) -> Outcome:
        """Publish, under the id of the message, so that a repetition is known."""
        settings = call.settings
        if fault := next(subject_faults(settings.subject), None):
            return Outcome.reject("bad-subject", fault)
        for name, value in settings.headers.items():
            if fault := _header_fault(name, value):
                return Outcome.reject("bad-header", f"{name[:80]!r}: {fault}")
        try:
            client = await self._connected()
        except NatsUnavailable as error:
            return Outcome.retry("connect", str(error))
        try:
            return _done(await _publish(client, call))
        except (NatsError, OSError) as error:
            return _failure(error, client)

    async def _connected(self) -> Connection:
        async with self._connecting:
            if self._client is None or not self._client.is_connected:
                if self._server is None or self._log is None:
                    raise NatsUnavailable("the action is not open")
                self._client = await connect(self._server, self._base_dir, self._log)
            return self._client


async def _publish(client: Connection, call: ActionCall[PublishSettings]) -> PubAck:
    payload, own = _content(call.settings, call.event)
    headers = {**own, **call.settings.headers, "Nats-Msg-Id": call.message_id}
    within = min(ANSWER_S, call.timeout.total_seconds())
    return await client.while_open(
        client.jetstream().publish(
            call.settings.subject, payload, timeout=within, stream=call.settings.stream, headers=headers
        )
    )


def _done(answer: PubAck) -> Outcome:
    return Outcome.done(
        {"stream": answer.stream, "sequence": answer.seq, "duplicate": bool(getattr(answer, "duplicate", False))}
    )


def _failure(error: Exception, client: Connection) -> Outcome:
    if isinstance(error, MaxPayloadError):
        return Outcome.reject("too-large", "the message is larger than the server takes (`max_payload`)")
    if isinstance(error, BadSubjectError):
        return Outcome.reject("bad-subject", "the server's client does not take this subject")
    if isinstance(error, NoStreamResponseError):
        return Outcome.retry("no-stream", "no stream takes this subject: add it to a stream of the server")
    if isinstance(error, APIError):
        return Outcome.retry("refused", f"the stream does not take the message: {error.description or describe(error)}")
    if isinstance(error, NatsTimeout) and client.is_connected:
        return Outcome.retry("timeout", f"the stream did not say within {ANSWER_S:g} s that it has the message")
    return Outcome.retry("connect", f"the connection broke: {describe(error)}")


def _content(settings: PublishSettings, event: Event) -> tuple[bytes, dict[str, str]]:
    """The payload with the headers that describe it: the event as a CloudEvent, or what the step says."""
    if "data" not in settings.model_fields_set:
        return event.content, _cloud_event(event)
    if isinstance(settings.data, str):
        return settings.data.encode("utf-8", "replace"), {}
    text = json.dumps(settings.data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace"), {"Content-Type": "application/json"}


def _cloud_event(event: Event) -> dict[str, str]:
    values: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": format_time(event.time),
        **({"subject": event.subject} if event.subject is not None else {}),
        **event.attributes,
    }
    headers = {f"ce-{name}": quote(_as_text(value), safe=_PRINTABLE) for name, value in values.items()}
    kind = event.content_type or ("application/octet-stream" if event.binary else "application/json")
    return {**headers, "Content-Type": kind if kind.isascii() else "application/octet-stream"}


def _as_text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _header_fault(name: str, value: str) -> str | None:
    if not HEADER_NAME.fullmatch(name):
        return "this is no name of a header"
    if name.lower().startswith("nats-"):
        return "headers that begin with Nats- are set by hookrt and the server"
    return None if value.isascii() and value.isprintable() else "a header's value is printable ASCII text"
