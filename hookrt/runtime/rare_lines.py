"""Lines of the log that say the same of the same thing: one a minute, with the number of those left out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from time import monotonic

EVERY_S = 60.0
"""The time between two lines about one thing."""

MOST_THINGS = 1_000
"""Things that are told apart; beyond it all are forgotten."""


class RareLines:
    """Says of each thing whether a line is due now. From any thread."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[Hashable, tuple[float, int]] = {}

    def due(self, thing: Hashable) -> int | None:
        """How many lines about this thing were left out since the last one, if one may be written; else None."""
        now = self._clock()
        with self._lock:
            written, left_out = self._seen.get(thing, (now - EVERY_S, 0))
            if now - written < EVERY_S:
                self._seen[thing] = (written, left_out + 1)
                return None
            if len(self._seen) >= MOST_THINGS:
                self._seen.clear()
            self._seen[thing] = (now, 0)
            return left_out
