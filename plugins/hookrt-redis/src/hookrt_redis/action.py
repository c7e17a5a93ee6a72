"""The action `redis_stream`: an entry for a Redis stream, once however often it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeout

from hookrt.plugin import (
    STANDARD,
    Action,
    ActionCall,
    ActionSetup,
    Duration,
    Event,
    Outcome,
    PluginError,
    Settings,
    SettingsProblem,
    format_time,
)
from hookrt_redis.server import ServerSettings, describe, drop_idle, make_client

ADD = """
local known = redis.call('GET', KEYS[2])
if known then return {known, 1} end
local id
if ARGV[1] == '' then
  id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
else
  id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 3))
end
redis.call('SET', KEYS[2], id, 'PX', ARGV[2])
return {id, 0}
"""
"""Adds an entry unless its message is known, and remembers it: both or neither, since a script is one step."""

MAX_FIELDS = 1000
"""Most fields of an entry; a Lua script takes no more than some thousands of values."""


def _check_window(window: timedelta) -> timedelta:
    if window < timedelta(seconds=1):
        raise ValueError("a message is remembered for a second at least")
    return window


class AppendSettings(Settings):
    """What a step says."""

    stream: str = Field(min_length=1, description="The key of the stream; made where there is none")
    fields: dict[str, Any] | None = Field(
        default=None,
        description="The fields of the entry: texts as they are, other values as JSON; by default the event's type, "
        "id, source, subject, time and data",
    )
    maxlen: int | None = Field(
        default=None, ge=1, description="About so many entries are kept, the newest (MAXLEN ~); all without it"
    )
    dedupe_for: Annotated[Duration, AfterValidator(_check_window)] = Field(
        default=timedelta(days=1), description="How long a repetition of the same message adds no second entry"
    )


class AppendToStream(Action[AppendSettings]):
    """Add an entry to a Redis stream."""

    name = "redis_stream"
    short = "stream"
    service_settings = ServerSettings
    retry = STANDARD
    reasons: ClassVar[Mapping[str, str]] = {
        "connect": "there is no connection to the server",
        "timeout": "the server did not answer in time",
        "refused": "the server does not take the entry: out of memory, read-only, no permission",
        "wrong-type": "the key holds something else than a stream",
        "bad-fields": "there are no fields, or too many",
    }

    def __init__(self) -> None:
        self._client: Redis | None = None
        self._server: ServerSettings | None = None

    async def open(self, setup: ActionSetup) -> None:
        """Make a client, which connects with the first entry; raises PluginError where no server is named."""
        if not isinstance(setup.settings, ServerSettings):
            raise PluginError("the action `redis_stream` needs `service: {actions: {redis_stream: {url: ...}}}`")
        self._server, self._client = setup.settings, make_client(setup.settings, setup.base_dir)

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def check(self, settings: AppendSettings) -> Iterable[SettingsProblem]:
        """Refuse an entry without fields, or with too many."""
        if settings.fields is not None and not 1 <= len(settings.fields) <= MAX_FIELDS:
            yield SettingsProblem(("fields",), f"an entry has 1 to {MAX_FIELDS} fields")

    async def run(self, call: ActionCall[AppendSettings]) -> Outcome:
        """Add the entry, under the id of the message, so that a repetition is known."""
        if self._client is None or self._server is None:
            raise PluginError("the action is not open")
        fields = call.settings.fields
        if fields is not None and not 1 <= len(fields) <= MAX_FIELDS:
            return Outcome.reject("bad-fields", f"an entry has 1 to {MAX_FIELDS} fields")
        try:
            entry, known = await _add(self._client, call)
        except (RedisError, OSError) as error:
            if isinstance(error, (RedisConnectionError, OSError)):
                await drop_idle(self._client)
            return _failure(error, self._server)
        return Outcome.done({"stream": call.settings.stream, "entry": entry, "duplicate": known})


async def _add(client: Redis, call: ActionCall[AppendSettings]) -> tuple[str, bool]:
    settings = call.settings
    written = _of_event(call.event) if settings.fields is None else _written(settings.fields)
    flat = [part for pair in written.items() for part in pair]
    maxlen = "" if settings.maxlen is None else str(settings.maxlen)
    window_ms = str(int(settings.dedupe_for.total_seconds() * 1000))
    keys = [settings.stream.encode("utf-8", "replace"), _memory_key(settings.stream, call.message_id)]
    answer: Any = await client.eval(ADD, 2, *keys, maxlen, window_ms, *flat)
    return answer[0].decode(), bool(answer[1])


def _memory_key(stream: str, message_id: str) -> bytes:
    """The key that remembers a message, in the same slot of a cluster as the stream."""
    begin = stream.find("{")
    tagged = begin >= 0 and stream.find("}", begin) > begin + 1
    tag = stream if tagged else f"{{{stream}}}"
    return f"{tag}:hookrt:{message_id}".encode("utf-8", "replace")


def _written(fields: Mapping[str, Any]) -> dict[str, str | bytes]:
    return {name.encode("utf-8", "replace").decode(): _text(value) for name, value in fields.items()}


def _of_event(event: Event) -> dict[str, str | bytes]:
    subject = {} if event.subject is None else {"subject": event.subject}
    names = {"type": event.type, "id": event.id, "source": event.source, **subject, "time": format_time(event.time)}
    return {**names, "data": event.content}


def _text(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _failure(error: Exception, server: ServerSettings) -> Outcome:
    said = describe(error, server)
    if "WRONGTYPE" in str(error):
        return Outcome.reject("wrong-type", f"{said}; name another `stream`")
    if isinstance(error, RedisTimeout):
        return Outcome.retry("timeout", said)
    if isinstance(error, ResponseError) and not isinstance(error, RedisConnectionError):
        return Outcome.retry("refused", said)
    return Outcome.retry("connect", said)
