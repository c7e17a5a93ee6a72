"""From messages to stored events: a message is acknowledged when its event is on disk, and never before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nats.aio.msg import Msg

from hookrt.plugin import EventError, Overloaded, Refused, SourceRun, StoreError
from hookrt_nats.message import Message, read_message
from hookrt_nats.pull import Pull
from hookrt_nats.server import heed_cancellation

if TYPE_CHECKING:
    from hookrt_nats.source import NatsSourceSettings

MOST_FAILURES = 5
"""So often may storing a message fail in a way that nobody foresaw, before it is refused."""

LONGEST_DELAY_S = 60.0
"""A message that could not be stored comes again after this at the latest."""

_FIRST_DELAY_S = 1.0


class Intake:
    """Emits the events of a source, and tells the server what became of each message."""

    def __init__(self, source: SourceRun[NatsSourceSettings]) -> None:
        self._source = source
        self._failures: dict[str, int] = {}

    async def take_all(self, pull: Pull) -> None:
        """Take messages until the connection or the consumer is gone, which raises."""
        while True:
            messages = await pull.next()
            heed_cancellation()
            ends = await asyncio.gather(*(self._take(one, pull) for one in messages), return_exceptions=True)
            for end in ends:
                if isinstance(end, BaseException):
                    raise end

    async def _take(self, message: Msg, pull: Pull) -> None:
        read = _message_of(message, pull)
        try:
            await self._emit(read)
        except (EventError, Refused) as error:
            await self._refuse(message, read, str(error), pull)
        except (Overloaded, StoreError) as error:
            await self._put_off(message, error)
        except Exception as error:
            failures = self._failures[read.identity] = self._failures.get(read.identity, 0) + 1
            if failures < MOST_FAILURES:
                await self._put_off(message, error)
            else:
                await self._refuse(message, read, f"it failed {failures} times, last with {error!r}", pull)
        else:
            self._failures.pop(read.identity, None)
            await message.ack()

    async def _emit(self, message: Message) -> None:
        read = read_message(message, self._source.settings.types)
        await self._source.emit(
            read.type,
            read.data,
            id=read.id,
            subject=read.subject,
            time=read.time,
            attributes=read.attributes,
            content_type=read.content_type,
            binary=read.binary,
        )

    async def _put_off(self, message: Msg, error: Exception) -> None:
        """Have it come again, later each time."""
        least = error.retry_after.total_seconds() if isinstance(error, Overloaded) else _FIRST_DELAY_S
        delay = min(max(least, _FIRST_DELAY_S) * 2 ** min(message.metadata.num_delivered - 1, 10), LONGEST_DELAY_S)
        self._source.log.info("nats-message-put-off", source=self._source.name, error=str(error), again_in_s=delay)
        await message.nak(delay)

    async def _refuse(self, message: Msg, read: Message, why: str, pull: Pull) -> None:
        """Have it never come again: it is named in the log, counted, and kept where settings say so."""
        source = self._source
        if source.settings.dead_letter is not None:
            headers = {"Nats-Msg-Id": f"{source.name} {read.identity}", "Hookrt-Refused": _one_line(why)}
            await pull.client.jetstream().publish(source.settings.dead_letter, message.data, headers=headers)
        try:
            refused = await source.state.add("refused")
        except StoreError as error:
            await self._put_off(message, error)
            return
        self._failures.pop(read.identity, None)
        place = {"stream": message.metadata.stream, "sequence": message.metadata.sequence.stream}
        source.log.error(
            "nats-message-refused",
            source=source.name,
            **place,
            subject=message.subject[:255],
            why=why,
            dead_letter=source.settings.dead_letter,
            refused_so_far=refused,
        )
        await message.term()


def _message_of(message: Msg, pull: Pull) -> Message:
    about = message.metadata
    identity = f"{about.stream}@{pull.born}:{about.sequence.stream}"
    return Message(message.subject, message.data, message.headers or {}, identity, about.timestamp)


def _one_line(text: str) -> str:
    return ascii(text)[1:-1][:500]
