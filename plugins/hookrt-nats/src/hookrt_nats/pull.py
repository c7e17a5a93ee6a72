"""Messages of a durable consumer, as they arrive."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError, ServiceUnavailableError

from hookrt.plugin import heed_cancellation
from hookrt_nats.server import NatsUnavailable

if TYPE_CHECKING:
    from hookrt_nats.source import NatsSourceSettings

EXPIRES_S = 5
"""Seconds for which a request for messages stands; one that got lost is made again about then."""

_NOTHING = {"404", "408"}
_GONE = "503"


class Pull:
    """A durable consumer of a stream. Once the connection is closed, all of it raises."""

    def __init__(self, client: Client, born: str, ask: str, batch: int) -> None:
        self._client = client
        self._ask = ask
        self._batch = batch
        self._open = 0
        self._inbox = ""
        self._answers: Subscription | None = None
        self.born = born

    @classmethod
    async def open(cls, client: Client, settings: NatsSourceSettings, source: str) -> Pull:
        """Find the stream, and find or make the consumer; raises NatsUnavailable saying what is missing."""
        context = client.jetstream()
        try:
            info = await context.stream_info(settings.stream)
        except NotFoundError:
            raise NatsUnavailable(
                f"there is no stream {settings.stream}: make it, as by `nats stream add {settings.stream}`"
            ) from None
        except ServiceUnavailableError:
            raise NatsUnavailable("the server has no JetStream: start it with `nats-server -js`") from None
        name = settings.consumer or f"hookrt-{source}"
        await _ensure_consumer(context, settings, name)
        born = info.created.isoformat() if info.created else ""
        pull = cls(client, born, f"$JS.API.CONSUMER.MSG.NEXT.{settings.stream}.{name}", settings.batch)
        pull._inbox = client.new_inbox()
        pull._answers = await client.subscribe(pull._inbox)
        return pull

    async def next(self) -> Sequence[Msg]:
        """The messages that are there now, or after a while; none where the request has to be made again.

        Raises NatsUnavailable when the consumer is gone, and errors of NATS.
        """
        answers = self._answers
        if answers is None:
            return ()
        if not self._open:
            request = {"batch": self._batch, "expires": EXPIRES_S * 1_000_000_000}
            await self._client.publish(self._ask, json.dumps(request).encode(), self._inbox)
            self._open = self._batch
        heed_cancellation()
        try:
            found = [await answers.next_msg(EXPIRES_S + 1)]
        except NatsTimeout:
            self._open = 0
            return ()
        while answers.pending_msgs and len(found) < self._batch:
            found.append(await answers.next_msg(1))
        return [one for one in found if self._is_message(one)]

    @property
    def client(self) -> Client:
        """The connection."""
        return self._client

    def _is_message(self, one: Msg) -> bool:
        """Whether it is one, and no word of the server about the request; raises NatsUnavailable for the end."""
        status = (one.headers or {}).get("Status")
        if status is None or one.reply:
            self._open = max(self._open - 1, 0)
            return True
        said = str((one.headers or {}).get("Description", ""))
        self._open = 0
        if status in _NOTHING:
            return False
        if status == _GONE or "deleted" in said.lower():
            raise NatsUnavailable("the consumer or its stream is gone; it is made again when the stream is there")
        raise NatsUnavailable(f"the server gives no messages now: {said or status}")


async def _ensure_consumer(context: JetStreamContext, settings: NatsSourceSettings, name: str) -> None:
    try:
        info = await context.consumer_info(settings.stream, name)
    except NotFoundError:
        await context.add_consumer(settings.stream, _definition(settings, name))
        return
    if info.config.deliver_subject or info.config.ack_policy != AckPolicy.EXPLICIT:
        raise NatsUnavailable(
            f"the consumer {name} of {settings.stream} is no pull consumer with explicit acknowledgement: "
            "remove it, or name another one by `consumer`"
        )
    if settings.subject and info.config.filter_subject != settings.subject:
        raise NatsUnavailable(
            f"the consumer {name} of {settings.stream} takes {info.config.filter_subject or 'all subjects'}, "
            f"and not {settings.subject}: remove it, or name another one by `consumer`"
        )


def _definition(settings: NatsSourceSettings, name: str) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        description="hookrt",
        deliver_policy=DeliverPolicy.ALL if settings.start == "all" else DeliverPolicy.NEW,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=settings.ack_wait.total_seconds(),
        filter_subject=settings.subject,
        max_ack_pending=max(1000, 10 * settings.batch),
    )
