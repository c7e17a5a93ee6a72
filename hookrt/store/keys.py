"""What every store decides by keys, inside the transaction that saves a delivery, so that no two processes can race.

Keys are texts, and each hook has its own. What is decided, in this order:

- `dedupe` and `throttle`: a delivery whose key has had one within the window is saved as `cancelled`, with that reason.
  The window begins when one is made that both let pass, whatever becomes of it; the later ones do not move it.
- `debounce`: it is due `wait_us` after it is made, and the one before it of its key, when that has not started, is
  cancelled with the reason `debounce`. The last event of a burst is delivered. With `max_us` a burst ends that long
  after its first event: what is due then stays, and the next event begins another burst.
- `order`: of the deliveries of a key that are not final only one has its turn, and only that one can be claimed. It is
  the first in the order of commit, and keeps its turn until it is final, held or not. With `skip` it gives it away
  while it waits for another attempt (not for its first): to the first other one that waits and is due, else to the
  first that has not started, else to whichever is due first.

A delivery that is cancelled here takes no part in what comes after. What is added to an event later (a replay) takes
part in nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.model.delivery import Status

DEDUPE = "dedupe"
"""The reason of deliveries whose key had one within the window of `dedupe`."""

DEBOUNCE = "debounce"
"""The reason of deliveries that a later one of their key took the place of."""

THROTTLE = "throttle"
"""The reason of deliveries whose key had one within the window of `throttle`."""


@dataclass(slots=True)
class Window:
    """At most one delivery of this key within this time."""

    key: str
    length_us: int


@dataclass(slots=True)
class Burst:
    """Only the last delivery of this key, `wait_us` after it, or `max_us` after the first of the burst."""

    key: str
    wait_us: int
    max_us: int | None = None


@dataclass(slots=True)
class Keys:
    """What is to be decided about a new delivery. `skip` belongs to `order`."""

    order: str | None = None
    skip: bool = False
    dedupe: Window | None = None
    throttle: Window | None = None
    debounce: Burst | None = None

    def windows(self) -> list[tuple[str, Window]]:
        """The windows with their kinds, in the order in which they are judged."""
        given = ((DEDUPE, self.dedupe), (THROTTLE, self.throttle))
        return [(kind, window) for kind, window in given if window is not None]


@dataclass(slots=True)
class Dropped:
    """A delivery that a save has cancelled: its own, or an earlier one of the same key."""

    delivery: str
    hook: str
    reason: str


@dataclass(slots=True)
class Turn:
    """Who has the turn of a key: what has to be known to tell whether another one may have it.

    `seq` is its place in the order of commit, `tried` whether it has had an attempt.
    """

    seq: int
    status: Status
    due_us: int
    skip: bool
    tried: bool

    def passable(self, now_us: int) -> bool:
        """Whether others may pass it now."""
        return self.skip and self.tried and self.status is Status.WAITING and self.due_us > now_us


@dataclass(slots=True)
class Behind:
    """Who is first among those that stand behind: in the order of commit, and among the passed by due time.

    `passed` is a due time with a place in the order of commit.
    """

    first: int | None = None
    passed: tuple[int, int] | None = None


def next_turn(turn: Turn | None, behind: Behind, now_us: int) -> int | None:
    """Who gets the turn now, by its place in the order of commit; None when it stays where it is."""
    if turn is not None and not turn.passable(now_us):
        return None
    if behind.passed is not None and behind.passed[0] <= now_us:
        return behind.passed[1]
    if behind.first is not None:
        return behind.first
    if behind.passed is not None and (turn is None or behind.passed < (turn.due_us, turn.seq)):
        return behind.passed[1]
    return None


def in_force(since_us: int | None, window: Window, now_us: int) -> bool:
    """Whether a window that began then still stands.

    One that begins in the future by less than its length does, since clocks differ a little; a clock that was set far
    back must not stop a key for as long.
    """
    return since_us is not None and abs(now_us - since_us) < window.length_us


def in_burst(burst: Burst, began_us: int, now_us: int) -> bool:
    """Whether an event now still belongs to the burst that began then."""
    return burst.max_us is None or now_us < began_us + burst.max_us


def burst_due_us(burst: Burst, began_us: int, now_us: int) -> int:
    """When the last delivery of a burst is due, as far as it is known now."""
    due_us = now_us + burst.wait_us
    return due_us if burst.max_us is None else min(due_us, max(began_us + burst.max_us, now_us))
