"""A consumer group of a stream: new entries, our own unfinished ones, and those that somebody else left."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from hookrt.plugin import heed_cancellation

if TYPE_CHECKING:
    from hookrt_redis.source import StreamSettings

BLOCK_MS = 2000
"""How long a read waits for new entries; after that, what others left is looked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, with the id that the stream knows it by."""

    id: str
    fields: Mapping[bytes, bytes] = field(repr=False)


class Group:
    """Reads as one consumer of the group. What Redis refuses, or a broken connection, raises its errors."""

    def __init__(self, client: Redis, settings: StreamSettings, group: str, consumer: str) -> None:
        self._client = client
        self._settings = settings
        self._group = group
        self._consumer = consumer
        self._own: str | None = "0"  # where to go on in what we have and did not finish; None once that is done
        self._left = "0-0"

    @classmethod
    async def open(cls, client: Redis, settings: StreamSettings, source: str) -> Group:
        """The group, made where there is none."""
        group = settings.group or f"hookrt-{source}"
        try:
            begin = "0" if settings.start == "all" else "$"
            await client.xgroup_create(settings.stream, group, begin, mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        return cls(client, settings, group, settings.consumer or socket.gethostname())

    async def next(self) -> Sequence[Entry]:
        """Some entries: first our own unfinished ones, then what others left, then new ones; none after a while."""
        if self._own is not None and (found := await self._read(self._own)):
            self._own = found[-1].id
            return found
        self._own = None
        if left := await self._claim():
            return left
        return await self._read(">")

    async def finish(self, entry: Entry) -> None:
        """Tell the group that this entry is done."""
        await self._client.xack(self._settings.stream, self._group, entry.id)

    async def _read(self, after: str) -> list[Entry]:
        block = BLOCK_MS if after == ">" else None
        streams: dict[Any, Any] = {self._settings.stream: after}
        heed_cancellation()
        answer: Any = await self._client.xreadgroup(
            self._group, self._consumer, streams, count=self._settings.batch, block=block
        )
        heed_cancellation()
        if isinstance(answer, dict):
            found = [one for lists in answer.values() for part in lists for one in part]
        else:
            found = [one for _, part in answer or () for one in part]
        return await self._present(found)

    async def _claim(self) -> list[Entry]:
        """What was left for long enough, a portion of it; the place to go on from is kept."""
        idle_ms = int(self._settings.claim_after.total_seconds() * 1000)
        answer: Any = await self._client.xautoclaim(
            self._settings.stream, self._group, self._consumer, idle_ms, self._left, count=self._settings.batch
        )
        self._left = _text(answer[0])
        return await self._present(answer[1])

    async def _present(self, found: Sequence[tuple[Any, Any]]) -> list[Entry]:
        """Those that are in the stream still: what was trimmed away can only be finished."""
        for identity, fields in found:
            if identity is not None and not fields:  # Redis 6 no longer knows the id of what it claims
                await self._client.xack(self._settings.stream, self._group, identity)
        return [Entry(_text(identity), fields) for identity, fields in found if identity is not None and fields]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
