"""From messages to stored events: a message is acknowledged when its event is on disk, and never before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError

from hookrt.plugin import EventError, Overloaded, Refused, SourceRun, StoreError, heed_cancellation
from hookrt_nats.message import Message, read_message
from hookrt_nats.pull import Pull
from hookrt_nats.server import describe

if TYPE_CHECKING:
    from hookrt_nats.source import NatsSourceSettings

MOST_FAILURES = 5
"""So often may storing a message fail in a way that nobody foresaw, before it is refused."""

MOST_KNOWN = 10_000
"""Messages whose failures are counted; beyond it counting begins anew."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of the largest message; a server can be set to take up to 64 MiB."""

LONGEST_DELAY_S = 60.0
"""A message that could not be stored comes again after this at the latest."""

_REFUSED = "Hookrt-Refused"
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
            await self._refuse(message, read, error, pull)
        except (Overloaded, StoreError) as error:
            await self._put_off(message, error)
        except Exception as error:
            if len(self._failures) > MOST_KNOWN:  # of messages, say, that another process has finished
                self._failures.clear()
            failures = self._failures[read.identity] = self._failures.get(read.identity, 0) + 1
            if failures < MOST_FAILURES:
                await self._put_off(message, error)
            else:
                why = RuntimeError(f"it failed {failures} times, last with {error!r}")
                await self._refuse(message, read, why, pull)
        else:
            self._failures.pop(read.identity, None)
            await message.ack()

    async def _emit(self, message: Message) -> None:
        if len(message.payload) > MAX_BYTES:
            raise Refused("too-large", f"the message has more than {MAX_BYTES} bytes")
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

    async def _refuse(self, message: Msg, read: Message, why: Exception, pull: Pull) -> None:
        """Have it never come again: it is named in the log, counted, and kept where settings say so."""
        source, grave = self._source, self._source.settings.dead_letter
        about = {"source": source.name, "stream": message.metadata.stream, "sequence": message.metadata.sequence.stream}
        kept = {} if grave is None else {"dead_letter": grave}
        try:
            await self._keep(message, read, why, pull)
        except NatsError as error:
            told = f"{describe(error)}; does a stream take this subject?"
            source.log.error("nats-dead-letter-failed", **about, **kept, error=told)
            if not isinstance(error, MaxPayloadError):  # which would be as large the next time
                await message.nak(LONGEST_DELAY_S)
                return
        source.log.error("nats-message-refused", **about, **kept, subject=read.subject[:255], why=str(why))
        if isinstance(why, EventError):
            source.report.refused("malformed")
        else:
            source.report.refused(why.reason if isinstance(why, Refused) else "failed")
        self._failures.pop(read.identity, None)
        await message.term()

    async def _keep(self, message: Msg, read: Message, why: Exception, pull: Pull) -> None:
        """Publish it where settings say so, with its headers but those that belong to the server.

        What was published so before is not once more: then our own stream takes that subject, and it came round.
        """
        grave = self._source.settings.dead_letter
        if grave is not None and _REFUSED not in read.headers:
            own = {name: _one_line(text) for name, text in read.headers.items() if not name.lower().startswith("nats-")}
            about = {_REFUSED: _one_line(str(why))[:500], "Hookrt-Subject": _one_line(read.subject)}
            headers = {**own, **about, "Nats-Msg-Id": _one_line(f"{self._source.name} {read.identity}")}
            await pull.client.jetstream().publish(grave, message.data, headers=headers)


def _message_of(message: Msg, pull: Pull) -> Message:
    about = message.metadata
    identity = f"{about.stream}@{pull.born}:{about.sequence.stream}"
    return Message(message.subject, message.data, message.headers or {}, identity, about.timestamp)


def _one_line(text: str) -> str:
    return text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
