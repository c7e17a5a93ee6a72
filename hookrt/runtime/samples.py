"""Realistic events by type, as the sources describe them: what a hook is tested with when nobody gives data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hookrt.clock import from_us
from hookrt.config.suggest import did_you_mean
from hookrt.errors import NotFound
from hookrt.model.patterns import is_literal, matches
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.source import Source
from hookrt.runtime.wiring import Parts

GENERIC: Mapping[str, Any] = {"sample": True, "message": "This is a test: nothing has happened."}
"""The data of an event of which nobody knows what it looks like."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of an event type; `plugin` is the source that knows it, None where none does."""

    type: str
    plugin: str | None
    data: Any
    subject: str | None = None


class Samples:
    """The samples of all installed sources; where two know a type, the declared one of hooks.yaml is asked first."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def all(self) -> list[Sample]:
        """Every sample, in the order in which the sources list them."""
        found: dict[str, Sample] = {}
        now = from_us(self._parts.clock.now_us()).astimezone(UTC)
        for plugin in self._plugins():
            for sample in self._of(plugin, now):
                found.setdefault(sample.type, sample)
        return list(found.values())

    def find(self, type: str) -> Sample:
        """The sample of this type; raises NotFound with the closest one, or with all."""
        known = {sample.type: sample for sample in self.all()}
        if type in known:
            return known[type]
        hint = did_you_mean(type, known)
        listed = f"there are samples of {', '.join(known)}" if known else "no source brings any"
        raise NotFound(f"there is no sample of {type!r}: {hint or listed}")

    def find_or_generic(self, type: str) -> Sample:
        """The sample of this type, or one that only says that it is one."""
        found = next((sample for sample in self.all() if sample.type == type), None)
        return found or Sample(type, None, dict(GENERIC))

    def first_type(self, patterns: Iterable[str]) -> str | None:
        """The type that a hook of these patterns is tried with: its first literal one, else the first known one."""
        patterns = tuple(patterns)
        literal = next(filter(is_literal, patterns), None)
        if literal is not None:
            return literal
        types = (sample.type for sample in self.all())
        return next((type for type in types if any(matches(pattern, type) for pattern in patterns)), None)

    def _plugins(self) -> Iterator[type[Source[Any]]]:
        declared = [entry.plugin for entry in self._parts.sources]
        yield from dict.fromkeys([*declared, *self._parts.registry.sources.values()])

    def _of(self, plugin: type[Source[Any]], now: datetime) -> list[Sample]:
        try:
            told = plugin.samples(now).items()
            return [Sample(type, plugin.name, sample.data, sample.subject) for type, sample in told]
        except FAULTS as error:  # of a plugin: a test with other data is still possible
            self._parts.log.error("samples-failed", source=plugin.name, error=f"{type(error).__name__}: {error}")
            return []
