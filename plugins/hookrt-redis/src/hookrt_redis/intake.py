"""From entries to stored events: an entry is acknowledged when its event is on disk, and never before."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from hookrt.plugin import EventError, Overloaded, Refused, SourceRun, StoreError, read_json
from hookrt_redis.group import Entry, Group
from hookrt_redis.server import describe

if TYPE_CHECKING:
    from hookrt_redis.source import StreamSettings

MOST_FAILURES = 5
"""So often may storing an entry fail in a way that nobody foresaw, before it is refused."""

LONGEST_PAUSE_S = 30.0
"""The wait before an entry is refused again that the stream of the dead did not take."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of the largest entry; Redis itself would take half a gigabyte."""

_MAX_NAME = 255
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Intake:
    """Emits the events of a source, and finishes each entry whose event is stored, or can never be."""

    def __init__(self, source: SourceRun[StreamSettings], client: Redis) -> None:
        self._source = source
        self._client = client
        self._failures: dict[str, int] = {}

    async def take_all(self, group: Group) -> None:
        """Take entries until Redis fails, which raises."""
        self._failures.clear()
        while True:
            entries = await group.next()
            while entries:
                pauses = await asyncio.gather(*(self._take(one, group) for one in entries), return_exceptions=True)
                for pause in pauses:
                    if isinstance(pause, BaseException):
                        raise pause
                waits = {one.id: pause for one, pause in zip(entries, pauses, strict=True) if isinstance(pause, float)}
                entries = [one for one in entries if one.id in waits]
                if entries:
                    await self._source.clock.sleep(max(waits.values()))

    async def _take(self, entry: Entry, group: Group) -> float | None:
        """Take one; the seconds after which to try again where it could not be stored now."""
        try:
            await self._emit(entry)
        except (EventError, Refused) as error:
            return await self._refuse(entry, error, group)
        except Overloaded as error:
            return max(error.retry_after.total_seconds(), 0.1)
        except StoreError:
            return 1.0
        except RedisError:
            raise
        except Exception as error:
            failures = self._failures[entry.id] = self._failures.get(entry.id, 0) + 1
            if failures < MOST_FAILURES:
                return float(failures)
            return await self._refuse(entry, RuntimeError(f"it failed {failures} times, last with {error!r}"), group)
        self._failures.pop(entry.id, None)
        await group.finish(entry)
        return None

    async def _emit(self, entry: Entry) -> None:
        settings = self._source.settings
        if sum(len(name) + len(value) for name, value in entry.fields.items()) > MAX_BYTES:
            raise Refused("too-large", f"the entry has more than {MAX_BYTES} bytes")
        kind = _named(entry.fields, settings.type_field) or settings.type
        if kind is None:
            raise Refused("malformed", f"it has no field {settings.type_field!r}, and the source no `type`")
        data, binary = _data(entry.fields, settings.data_field)
        identity = _named(entry.fields, settings.id_field) or f"{_short(settings.stream)}:{entry.id}"
        await self._source.emit(kind, data, id=_short(identity), time=_time(entry.id), binary=binary)

    async def _refuse(self, entry: Entry, why: Exception, group: Group) -> float | None:
        """Have it never come again: it is named in the log, counted, and copied where settings say so."""
        source, grave = self._source, self._source.settings.dead_letter
        about = {"source": source.name, "stream": source.settings.stream, "entry": entry.id}
        kept = {} if grave is None else {"dead_letter": grave}
        try:
            await self._keep(entry, why)
        except ResponseError as error:
            told = describe(error, source.settings)
            source.log.error("redis-dead-letter-failed", **about, **kept, error=told, again_in_s=LONGEST_PAUSE_S)
            return LONGEST_PAUSE_S
        source.log.error("redis-entry-refused", **about, **kept, why=str(why))
        if isinstance(why, EventError):
            source.report.refused("malformed")
        else:
            source.report.refused(why.reason if isinstance(why, Refused) else "failed")
        self._failures.pop(entry.id, None)
        await group.finish(entry)
        return None

    async def _keep(self, entry: Entry, why: Exception) -> None:
        """Copy it where settings say so."""
        grave = self._source.settings.dead_letter
        if grave is not None:
            about = {b"hookrt_refused": ascii(str(why))[1:-1][:500].encode(), b"hookrt_entry": entry.id.encode()}
            fields: dict[Any, Any] = {**entry.fields, **about}
            await self._client.xadd(grave, fields)


def _data(fields: Mapping[bytes, bytes], name: str) -> tuple[Any, bool]:
    """The data of an entry, and whether it is neither JSON nor text."""
    value = fields.get(name.encode())
    if value is None:
        return {_loose(key): _loose(one) for key, one in fields.items()}, False
    try:
        read_json(value)
    except Refused:
        pass
    else:
        return value, False
    try:
        return value.decode(), False
    except UnicodeDecodeError:
        return value, True


def _named(fields: Mapping[bytes, bytes], name: str) -> str | None:
    value = fields.get(name.encode())
    try:
        return value.decode() if value else None
    except UnicodeDecodeError:
        raise Refused("malformed", f"the field {name!r} is no text") from None


def _loose(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _short(name: str) -> str:
    """The name itself, or what stands for one that is too long; with room for the id of an entry."""
    return name if len(name) <= _MAX_NAME else f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def _time(identity: str) -> datetime | None:
    """When the entry was added, as far as its id tells."""
    try:
        return _EPOCH + timedelta(milliseconds=int(identity.partition("-")[0]))
    except OverflowError:
        return None
