"""Who may have how many of the workers, so that hooks that loop or break take nothing from those that do not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum

from hookrt.actions.python_snippet.crew import Crew

QUICK = 0.25
"""Seconds in which a run of a steady hook is over."""

PENANCE = 10
"""Good runs in a row that make up for one that had to be ended."""

FORGIVEN = 20
"""Good runs in a row after which a hook gets a worker of full priority again."""

MAX_HOOKS = 10_000
"""Hooks that are remembered; beyond them the oldest are forgotten."""


class Standing(IntEnum):
    """What the latest runs of a hook say of the next one."""

    BAD = 0
    UNPROVEN = 1
    STEADY = 2


class Fairness:
    """Remembers how the runs of each hook ended, and shares the workers out.

    A hook is steady while its runs end by themselves within QUICK seconds, bad after one that had to be ended. All
    hooks that are not steady have three quarters of the workers at most, and bad ones half of them. With a single
    worker there is nothing to share.
    """

    def __init__(self, workers: int) -> None:
        self._most_unsteady = workers - max(1, workers // 4) if workers > 1 else 1
        self._most_bad = max(1, workers // 2)
        self._scores: dict[str, int] = {}

    def note(self, hook: str, seconds: float, *, well: bool) -> bool:
        """A run is over, in so many seconds, and by itself or not; whether the hook's standing is another one now."""
        before, score = self.standing(hook), self._scores.pop(hook, 0)
        if not well:
            score = -PENANCE
        elif seconds > QUICK:
            score = min(score, 0)
        else:
            score = min(score + 1, FORGIVEN)
        self._scores[hook] = score
        if len(self._scores) > MAX_HOOKS:
            del self._scores[next(iter(self._scores))]
        return self.standing(hook) is not before

    def standing(self, hook: str) -> Standing:
        """How the hook stands at the moment."""
        score = self._scores.get(hook, 0)
        if score > 0:
            return Standing.STEADY
        return Standing.UNPROVEN if score == 0 else Standing.BAD

    def is_forgiven(self, hook: str) -> bool:
        """Whether it has been good for so long that nothing of what was before counts any more."""
        return self._scores.get(hook, 0) >= FORGIVEN

    def may_grow(self, crew: Crew, crews: Iterable[Crew]) -> bool:
        """Whether a crew may have one worker more, as far as its standing is concerned."""
        own = self._of(crew)
        if own is Standing.STEADY:
            return True
        held = {Standing.BAD: 0, Standing.UNPROVEN: 0, Standing.STEADY: 0}
        for other in crews:
            held[self._of(other)] += len(other.members) + other.starting
        if held[Standing.BAD] + held[Standing.UNPROVEN] >= self._most_unsteady:
            return False
        return own is not Standing.BAD or held[Standing.BAD] < self._most_bad

    def may_replace(self, taker: Crew, giver: Crew, crews: Collection[Crew]) -> bool:
        """Whether one crew may have a worker that is another's: those of better standing give way only below the
        share of the others.
        """
        return self._of(taker) >= self._of(giver) or self.may_grow(taker, crews)

    def _of(self, crew: Crew) -> Standing:
        return self.standing(crew.key.hook)
