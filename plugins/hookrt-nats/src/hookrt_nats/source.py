"""The source `nats`: the messages of a JetStream stream, by a durable consumer."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from nats.errors import Error as NatsError
from pydantic import AfterValidator, Field

from hookrt.plugin import Duration, Source, SourceRun, heed_cancellation
from hookrt_nats.intake import Intake
from hookrt_nats.pull import Pull
from hookrt_nats.server import NatsUnavailable, ServerSettings, connect, describe, subject_faults

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before the next connection; the last one repeats, and one that lasted longer than that begins anew."""


def _check_pattern(text: str) -> str:
    if fault := next(subject_faults(text, pattern=True), None):
        raise ValueError(fault)
    return text


def _check_subject(text: str) -> str:
    if fault := next(subject_faults(text), None):
        raise ValueError(fault)
    return text


def _check_ack_wait(wait: timedelta) -> timedelta:
    if wait < timedelta(seconds=1):
        raise ValueError("the server waits for a second at least")
    return wait


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The name of a stream or of a consumer."""

SubjectPattern = Annotated[str, AfterValidator(_check_pattern)]
"""A subject with wildcards, as NATS has them."""


class NatsSourceSettings(ServerSettings):
    """Which messages come in, and what events they are."""

    stream: Name = Field(description="The JetStream stream; it has to exist")
    subject: SubjectPattern | None = Field(
        default=None, description="Only messages of these subjects, like orders.> ; all of the stream without it"
    )
    consumer: Name | None = Field(
        default=None,
        description="The durable consumer's name, by default hookrt-NAME; one that exists is used as it is",
    )
    types: dict[SubjectPattern, str] = Field(
        default_factory=dict,
        description="Event types by patterns of subjects, the first that matches; otherwise the subject is the type",
    )
    start: Literal["all", "new"] = Field(
        default="all", description="Where a new consumer begins: with all that is in the stream, or with what comes"
    )
    batch: int = Field(default=100, ge=1, le=1000, description="How many messages are asked for, and stored, together")
    ack_wait: Annotated[Duration, AfterValidator(_check_ack_wait)] = Field(
        default=timedelta(seconds=30), description="When the server sends a message again that nobody acknowledged"
    )
    dead_letter: Annotated[str, AfterValidator(_check_subject)] | None = Field(
        default=None, description="The subject to which messages go that cannot become events; a stream has to take it"
    )


class NatsSource(Source[NatsSourceSettings]):
    """The messages of a NATS JetStream stream, each acknowledged after its event is on disk."""

    name = "nats"

    async def run(self, source: SourceRun[NatsSourceSettings]) -> None:
        """Emit an event for each message, over as many connections as it takes."""
        intake = Intake(source)
        failures = 0
        while True:
            begun = source.clock.monotonic()
            try:
                await _take_all(source, intake)
            except (NatsUnavailable, NatsError, OSError, TimeoutError) as error:
                heed_cancellation()
                if source.clock.monotonic() - begun > PAUSES_S[-1]:
                    failures = 0
                pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
                failures += 1
                source.report.away(describe(error))
                source.log.warning("nats-away", source=source.name, error=describe(error), again_in_s=pause)
                await source.clock.sleep(pause)


async def _take_all(source: SourceRun[NatsSourceSettings], intake: Intake) -> None:
    """Take messages over one connection, until it breaks, which raises."""
    client = await connect(source.settings, source.base_dir, source.log)
    try:
        pull = await Pull.open(client, source.settings, source.name)
        source.log.info("nats-connected", source=source.name, stream=source.settings.stream)
        source.report.connected()
        await intake.take_all(pull)
    finally:
        await client.close()
