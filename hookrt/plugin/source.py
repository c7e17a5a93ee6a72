"""The source: where events come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar, get_args

from hookrt.clock import Clock
from hookrt.model.event import AttributeValue
from hookrt.plugin.protocols import Log, State
from hookrt.plugin.settings import Settings

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


@dataclass(frozen=True, slots=True)
class SourceRun(Generic[SettingsT]):
    """What a source gets when the runtime starts. `name` is its key under `sources:` and its events' source.

    `state` is a little memory of this source that survives a crash: how far it came, say.
    """

    name: str
    settings: SettingsT
    emit: SourceEmit
    log: Log
    clock: Clock
    base_dir: Path
    state: State


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
        for parent in cls.__dict__.get("__orig_bases__", ()):  # its own, not an inherited parameter
            found = [argument for argument in get_args(parent) if isinstance(argument, type)]
            if found and issubclass(found[0], Settings):
                cls.settings = found[0]

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
