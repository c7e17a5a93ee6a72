"""When files that may be in the middle of a change are worth reading."""

from __future__ import annotations

from hookrt.runtime.config_files import Look

LOOK_S = 1.0
"""The pause between two looks at files that stay as they are. Looking works on every file system, also where nobody
is told of changes: network shares, bind mounts, volumes whose symbolic links are swapped."""

SETTLE_S = 0.4
"""The pause before the second look at files that have changed."""


class Watch:
    """Decides from one look to the next whether the files are to be read.

    They are when they differ from what was read last, and two looks in a row agree: an editor or a copy that writes in
    several steps is not read halfway.
    """

    def __init__(self) -> None:
        self._last: Look | None = None
        self.pause_s = LOOK_S

    def decide(self, now: Look, seen: Look) -> bool:
        """Whether to read files that look so `now` and were `seen` so when they were read last."""
        settled = now == self._last
        self._last = now
        self.pause_s = LOOK_S if settled or now == seen else SETTLE_S
        return settled and now != seen
