"""The source `redis_stream`: the entries of a Redis stream, by a consumer group."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hookrt.plugin import Duration, Source, SourceRun, heed_cancellation
from hookrt_redis.group import Group
from hookrt_redis.intake import Intake
from hookrt_redis.server import ServerSettings, describe, drop_idle, make_client

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before the next connection; the last one repeats, and one that lasted longer than that begins anew."""


def _check_idle(idle: timedelta) -> timedelta:
    if idle < timedelta(seconds=1):
        raise ValueError("an entry is left to its consumer for a second at least")
    return idle


Name = Annotated[str, Field(min_length=1, max_length=200)]
"""The name of a key, a group or a field."""


class StreamSettings(ServerSettings):
    """Which entries come in, and what events they are."""

    stream: Name = Field(description="The key of the stream; it is made where there is none")
    group: Name | None = Field(default=None, description="The consumer group, by default hookrt-NAME; made if missing")
    consumer: Name | None = Field(
        default=None, description="Our name in the group, by default that of the machine; each service needs its own"
    )
    type: str | None = Field(default=None, description="The type of entries that have none in `type_field`")
    type_field: Name = Field(default="type", description="The field with the event's type")
    data_field: Name = Field(
        default="data", description="The field with its data, JSON or text; an entry without it is the data as a whole"
    )
    id_field: Name = Field(default="id", description="The field with its id; without it the id of the entry counts")
    start: Literal["all", "new"] = Field(
        default="all", description="Where a new group begins: with all that is in the stream, or with what comes"
    )
    batch: int = Field(default=100, ge=1, le=1000, description="How many entries are taken, and stored, together")
    claim_after: Annotated[Duration, AfterValidator(_check_idle)] = Field(
        default=timedelta(minutes=1), description="When entries are taken over that another consumer left unfinished"
    )
    dead_letter: Name | None = Field(
        default=None, description="The stream to which entries are copied that cannot become events"
    )

    @model_validator(mode="after")
    def _check_dead_letter(self) -> Self:
        if self.dead_letter == self.stream:
            raise ValueError("`dead_letter` is another stream than `stream`, since its entries would come again")
        return self


class StreamSource(Source[StreamSettings]):
    """The entries of a Redis stream, each acknowledged after its event is on disk."""

    name = "redis_stream"

    async def run(self, source: SourceRun[StreamSettings]) -> None:
        """Emit an event for each entry, over as many connections as it takes."""
        client = make_client(source.settings, source.base_dir)
        try:
            await _keep_taking(source, client)
        finally:
            await client.aclose()


async def _keep_taking(source: SourceRun[StreamSettings], client: Redis) -> None:
    intake = Intake(source, client)
    failures = 0
    while True:
        begun = source.clock.monotonic()
        try:
            group = await Group.open(client, source.settings, source.name)
            source.log.info("redis-connected", source=source.name, stream=source.settings.stream)
            source.report.connected()
            await intake.take_all(group)
        except (RedisError, OSError, TimeoutError) as error:
            heed_cancellation()
            await drop_idle(client)
            if source.clock.monotonic() - begun > PAUSES_S[-1]:
                failures = 0
            pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
            failures += 1
            said = describe(error, source.settings)
            source.report.away(said)
            source.log.warning("redis-away", source=source.name, error=said, again_in_s=pause)
            await source.clock.sleep(pause)
