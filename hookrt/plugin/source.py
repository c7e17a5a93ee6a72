"""The source: where events come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from hookrt.clock import Clock
from hookrt.model.event import AttributeValue
from hookrt.plugin.protocols import Log, State
from hookrt.plugin.settings import Settings, take_model

SettingsT = TypeVar("SettingsT", bound=Settings)


class SourceEmit(Protocol):
    """How a source hands over an event; durable when it returns."""

    async def __call__(  # noqa: PLR0913 - one for each field of an event
        self,
        type: str,
        data: Any = None,
        *,
        id: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        content_type: str | None = None,
        binary: bool = False,
    ) -> bool:
        """Store the event and return whether it was new; an `id` seen before from this source is no new event,
        whatever its data.

        `data` is a JSON value, or bytes that are JSON already and are kept as they are; with `binary` they are anything
        else. `attributes` and `content_type` are those of a CloudEvent.

        Raises EventError for an event that is not acceptable, Overloaded when nothing more can be taken now.
        """
        ...


class SourceReport(Protocol):
    """Where a source says how it stands, for `/readyz`, `hookrt sources show` and the metrics; the log is its own."""

    def refused(self, reason: str) -> None:
        """Count what came in, can never be an event, and does not come again: it is `malformed`, `too-large`, or
        `failed` in a way that nobody foresaw. Other reasons count as that.
        """
        ...

    def away(self, why: str) -> None:
        """Nothing comes in now, for this reason: one sentence for people, without secrets. It goes on trying."""
        ...

    def connected(self) -> None:
        """Events come in, again or at last."""
        ...


class Unheard:
    """A report that nobody reads."""

    def refused(self, reason: str) -> None:
        """Nobody counts."""

    def away(self, why: str) -> None:
        """Nobody asks."""

    def connected(self) -> None:
        """Nobody asks."""


@dataclass(frozen=True, slots=True)
class SourceRun(Generic[SettingsT]):
    """What a source gets when the runtime starts. `name` is its key under `sources:` and its events' source.

    `state` is a little memory of this source that survives a crash: how far it came, say. Lines of `log` that say the
    same become one when there are many in a second.
    """

    name: str
    settings: SettingsT
    emit: SourceEmit
    log: Log
    clock: Clock
    base_dir: Path
    state: State
    report: SourceReport = field(default_factory=Unheard)


def heed_cancellation() -> None:
    """Raise CancelledError where the running task was told to end.

    For sources over a client library that can lose a cancellation, as some do when it comes along with an answer: call
    it between one wait for the library and the next, so that the source ends when it is told to.
    """
    from asyncio import CancelledError, current_task  # noqa: PLC0415 - `hookrt check` needs this room without a loop

    task = current_task()
    if task is not None and task.cancelling():
        raise CancelledError


@dataclass(frozen=True, slots=True)
class SampleEvent:
    """What an event of some type may look like: its data as plain JSON values, and what it is about."""

    data: Any
    subject: str | None = None


class Source(Generic[SettingsT]):
    """The base of every source: give it a `name`, a settings model as the type parameter, and `run`."""

    name: ClassVar[str]
    """The key inside an entry of `sources:`."""

    settings: ClassVar[type[Settings]]
    """The settings model; taken from `Source[Model]`."""

    short: ClassVar[str | None] = None
    """The setting that a bare text or number stands for."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Find the settings model in the type parameter."""
        super().__init_subclass__(**kwargs)
        take_model(cls, Settings)

    def types(self, settings: SettingsT) -> Sequence[str] | None:
        """The event types that it sends, for did-you-mean; None when it may send any."""
        return None

    def upcoming(self, settings: SettingsT, after: datetime, most: int) -> Sequence[datetime]:
        """The next moments after this one at which it will send, `most` at most, for people to see; aware times, in
        the zone that they are meant in. None where nobody can know.
        """
        return ()

    @classmethod
    def samples(cls, now: datetime) -> Mapping[str, SampleEvent]:
        """Realistic events of this source by type, as if they happened now: for tests of hooks, and for learning."""
        return {}

    async def run(self, source: SourceRun[SettingsT]) -> None:
        """Emit events until cancelled. What it raises is reported, and it is started again after a while."""
        raise NotImplementedError
