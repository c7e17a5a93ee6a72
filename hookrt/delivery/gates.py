"""All gates of this process: those of the lanes, and those of origins that only a rendered URL names.

They live in memory: another process, or the next run, finds out anew what an endpoint bears.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping

from hookrt.clock import Clock
from hookrt.delivery.breaker import State
from hookrt.delivery.gate import Gate
from hookrt.egress.target import read_target
from hookrt.model.hook import Destination
from hookrt.plugin.protocols import HttpError

MAX_STRANGERS = 10_000
"""Origins out of events that are remembered because they failed; events can name any number of them."""

MAX_ORIGINS = 4096
"""Spellings of origins that are remembered as they were read."""

HOOK_LANE = "hook:"
"""What the lanes of hooks begin with. They have no breaker of their own: their steps lead anywhere, or nowhere."""

_HEAD = re.compile(r"https?://[^/?#\\]+", re.IGNORECASE)


class Gates:
    """The gates by lane and by origin. `destinations` gives the present entries of the configuration."""

    def __init__(self, destinations: Callable[[], Mapping[str, Destination]], clock: Clock) -> None:
        self._destinations = destinations
        self._clock = clock
        self._known: Mapping[str, Destination] | None = None
        self._entries: dict[str, Destination] = {}
        self._for_lanes: dict[str, Destination] = {}
        self._read = functools.lru_cache(MAX_ORIGINS)(origin_of)
        self._by_lane: dict[str, Gate] = {}
        self._by_origin: dict[str, Gate] = {}
        self._strangers: dict[str, Gate] = {}

    def now(self) -> float:
        """The monotonic time by which gates are asked."""
        return self._clock.monotonic()

    def for_lane(self, name: str) -> Gate:
        """The gate of this lane; a lane that is an origin shares it with the rendered URLs of that origin."""
        gate = self._by_lane.get(name)
        if gate is None:
            origin = _origin_of_lane(name)
            gate = self._by_origin.get(origin) if origin is not None else None
            if gate is None:
                gate = self._make(name, origin)
            self._by_lane[name] = gate
            if origin is not None:
                self._by_origin[origin] = gate
        return gate

    def origin(self, url: str) -> str | None:
        """As `origin_of`, remembered: reading a URL costs as much as all else that is done for a request here."""
        head = _HEAD.match(url)
        return self._read(head[0]) if head is not None else origin_of(url)

    def for_origin(self, origin: str) -> Gate | None:
        """The gate of an origin as `origin_of` writes it; None for one of which nothing is known."""
        gate = self._by_origin.get(origin)
        if gate is None:
            entry = self._present().get(origin)
            if entry is None:
                return self._strangers.get(origin)
            gate = self._by_origin[origin] = self._make(entry.name, origin)
        return gate

    def for_troubled(self, origin: str) -> Gate:
        """As `for_origin`, made where there is none yet; when there are too many, the oldest is forgotten for it."""
        gate = self.for_origin(origin)
        if gate is None:
            if len(self._strangers) >= MAX_STRANGERS:
                del self._strangers[next(iter(self._strangers))]
            gate = self._strangers[origin] = Gate(origin, Destination(origin), configured=False)
        return gate

    def let_go(self, origin: str, gate: Gate) -> None:
        """Forget the gate of an origin that no configuration names, if nothing is wrong with it any more."""
        if gate.quiet and not gate.configured:
            self._strangers.pop(origin, None)

    def destination_of(self, name: str) -> Destination:
        """The entry that holds for this lane, by its name or by its origin; defaults where there is none."""
        entries = self._present()
        found = self._for_lanes.get(name)
        if found is None:
            found = entries.get(name)
            if found is None and (origin := _origin_of_lane(name)) is not None:
                found = entries.get(origin)
            if found is None:
                found = Destination(name, breaker=None) if name.startswith(HOOK_LANE) else Destination(name)
            self._for_lanes[name] = found
        return found

    def leads_anywhere(self, name: str) -> bool:
        """Whether the name of this lane does not tell where its requests go, so that each one's origin counts."""
        return "://" not in name and name not in self._present()

    def refresh(self, live: Collection[str]) -> None:
        """Take the limits of the present entries. What is known about the endpoints stays known, but for what is
        quiet and is none of the `live` lanes.
        """
        now, self._known = self.now(), None
        for name, gate in list(self._by_lane.items()):
            gate.set_limits(self.destination_of(name), now)
            if gate.quiet and name not in live:
                del self._by_lane[name]
        lanes = {id(gate) for gate in self._by_lane.values()}
        for origin, gate in list(self._by_origin.items()):
            if id(gate) in lanes:
                continue
            gate.set_limits(self._present().get(origin) or Destination(gate.name), now)
            if gate.quiet:
                del self._by_origin[origin]

    def states(self) -> dict[str, State]:
        """The breakers of what the configuration names, as far as it was sent to."""
        gates = [*self._by_lane.values(), *self._by_origin.values()]
        return {gate.name: gate.state for gate in gates if gate.breaker is not None}

    def _make(self, name: str, origin: str | None) -> Gate:
        """A gate by this name; one of the same origin that was known from events only becomes it."""
        stranger = self._strangers.pop(origin, None) if origin is not None else None
        if stranger is None:
            return Gate(name, self.destination_of(name))
        stranger.name, stranger.configured = name, True
        stranger.set_limits(self.destination_of(name), self.now())
        return stranger

    def _present(self) -> dict[str, Destination]:
        """The entries by their names, and by their origins where the key is one."""
        known = self._destinations()
        if known is not self._known:
            self._known = known
            self._entries, self._for_lanes = dict(known), {}
            for name, entry in known.items():
                origin = _origin_of_lane(name)
                if origin is not None:
                    self._entries[origin] = entry
        return self._entries


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a URL as the client reads it, so that no odd spelling is another origin; None for what
    is no URL.
    """
    try:
        target = read_target(url, ())
    except (HttpError, ValueError):
        return None
    return f"{target.url.scheme}://{target.place}"


def _origin_of_lane(name: str) -> str | None:
    """The origin that a lane, or the key of a destination, is named after; None for a name."""
    return origin_of(name) if "://" in name else None
