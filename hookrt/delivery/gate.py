"""The gate of one endpoint: whether an attempt may start now, by its rate, its rest and its breaker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hookrt.delivery.breaker import PROBE_S, Breaker, State
from hookrt.model.hook import Destination

BREAKER_OPEN = "breaker-open"
"""The reason of deliveries that wait because too many attempts at their endpoint failed."""

LANE_RESTING = "lane-resting"
"""The reason of deliveries that wait because their endpoint has too much to do (429, 503)."""

RATE_LIMITED = "rate-limited"
"""The reason of deliveries that wait because of the rate of an endpoint which only the rendered URL names."""

REFUSALS = frozenset({BREAKER_OPEN, LANE_RESTING, RATE_LIMITED})
"""All reasons of a refusal; none of them spends an attempt."""

HOLD_S = 5.0
"""A rest of at most so many seconds is waited for in memory; for a longer one the deliveries go back to the store."""

MAX_REST = timedelta(hours=1)
"""No lane rests longer than this, whatever an action says."""

MAX_OFFER_S = 3600.0
"""How far ahead a start is promised at most; who comes back then is promised another one."""

LATE_S = 0.05
"""Who has a promised start may come this much too late, and the starts after it are not put off."""

_MIN_SPREAD_S, _MAX_SPREAD_S = 0.5, 60.0


@dataclass(slots=True)
class Refusal:
    """Why an attempt cannot start, when it is worth coming back (monotonic seconds), and the time over which those
    who come back are spread, so that they don't come all at once.
    """

    reason: str
    until: float
    spread_s: float

    def due_in(self, now: float, chance: float) -> float:
        """Seconds from now at which this one comes back; `chance` is from 0 to 1."""
        return max(self.until - now, 0.0) + self.spread_s * chance


class Gate:
    """What one endpoint lets pass at the moment; all times are monotonic seconds.

    `name` is a lane's or an origin. `watchful` says that there is something to ask before a start; `configured` that
    the configuration names it, and not only some event. `changes` counts what `set_limits` did, `told` is the state
    of its breaker that everybody knows of.
    """

    __slots__ = (
        "_interval",
        "_next_offer",
        "_next_start",
        "_rests_until",
        "breaker",
        "changes",
        "configured",
        "name",
        "told",
        "watchful",
    )

    def __init__(self, name: str, destination: Destination, *, configured: bool = True) -> None:
        self.name = name
        self.configured = configured
        self.watchful = False
        self.told = State.CLOSED
        self.changes = 0
        self.breaker: Breaker | None = None
        self._interval = 0.0
        self._next_start = 0.0
        self._next_offer = 0.0
        self._rests_until = 0.0
        self.set_limits(destination, 0.0)

    def set_limits(self, destination: Destination, now: float) -> None:
        """Take the rate and the breaker of this entry from now on; what the breaker knows stays known."""
        interval = 1 / destination.rate if destination.rate else 0.0
        if interval != self._interval:
            self._interval = interval
            self._next_start = self._next_offer = min(self._next_start, now + interval)
            self.changes += 1
        policy = destination.breaker
        if policy is None:
            self.breaker = None
        elif self.breaker is None:
            self.breaker = Breaker(policy)
        else:
            self.breaker.policy = policy
        self.look()

    @property
    def paced(self) -> bool:
        """Whether it has a rate, and so remembers the last start."""
        return self._interval > 0

    @property
    def rate(self) -> float:
        """Starts per second; 0 where there is no limit."""
        return 1 / self._interval if self._interval else 0.0

    @property
    def state(self) -> State:
        """Its breaker's state; closed where it has none."""
        return self.breaker.state if self.breaker is not None else State.CLOSED

    @property
    def turn(self) -> int:
        """What an attempt that starts now hands back with its result."""
        return self.breaker.turn if self.breaker is not None else 0

    @property
    def quiet(self) -> bool:
        """Whether it knows nothing that must be kept."""
        return not self.watchful and (self.breaker is None or self.breaker.calm)

    def refuse(self, now: float) -> Refusal | None:
        """Why nothing starts now or soon; None where an attempt may start, be it after a short wait."""
        if self.breaker is not None:
            until = self.breaker.wait_until(now)
            if until is not None:
                return self._of_breaker(until)
        if self._rests_until > now + HOLD_S:
            rest_s = self._rests_until - now
            return Refusal(LANE_RESTING, self._rests_until, min(max(rest_s / 4, _MIN_SPREAD_S), _MAX_SPREAD_S))
        return None

    def closed_until(self, now: float) -> float | None:
        """Until when it certainly lets nothing pass; None when it may."""
        until = self._rests_until
        if self.breaker is not None and self.breaker.state is State.OPEN:
            until = max(until, self.breaker.until)
        return until if until > now else None

    def resting(self, now: float) -> bool:
        """Whether the endpoint wants no attempt at this moment."""
        return now < self._rests_until

    def book(self, now: float) -> float:
        """The time of the next free start, which is taken by this."""
        start = max(now, self._next_start, self._rests_until)
        self._next_start = start + self._interval
        return start

    def book_before(self, now: float, latest: float) -> float | None:
        """As `book`, where the next free start comes before `latest`; else None, and none is taken."""
        return self.book(now) if max(self._next_start, self._rests_until) < latest else None

    def begin(self, now: float) -> Refusal | None:
        """Why the breaker does not let this attempt start; None where it starts, half-open as the probe."""
        until = self.breaker.begin(now) if self.breaker is not None else None
        self.look()
        return None if until is None else self._of_breaker(until)

    def begin_unbooked(self, now: float, *, promised: bool, offers: bool = True) -> Refusal | None:
        """As `refuse`, `book` and `begin` in one, for those who cannot wait here.

        Where the rate allows no start now, one is promised (without `offers` none, to those who do not come back);
        those with a promise come before the others.
        """
        if self.resting(now):
            return Refusal(LANE_RESTING, self._rests_until, _MIN_SPREAD_S)
        self.end_rest(now)
        refusal = self.refuse(now)
        if refusal is None and self._interval:
            refusal = self._take_start(now, promised=promised, offers=offers)
        return refusal if refusal is not None else self.begin(now)

    def _take_start(self, now: float, *, promised: bool, offers: bool) -> Refusal | None:
        free = self._next_start if promised else max(self._next_start, self._next_offer)
        if free <= now:
            late = max(self._interval, LATE_S) if promised else 0.0
            self._next_start = max(self._next_start, now - late) + self._interval
            return None
        start = max(self._next_offer, self._next_start)
        if not offers:
            return Refusal(RATE_LIMITED, start, 0.0)
        if start - now > MAX_OFFER_S:
            return Refusal(RATE_LIMITED, now + MAX_OFFER_S, MAX_OFFER_S / 4)
        self._next_offer = start + self._interval
        return Refusal(RATE_LIMITED, start, 0.0)

    def rest(self, now: float, duration: timedelta) -> bool:
        """Let nothing start for this long, MAX_REST at most; whether a rest begins now (rather than goes on)."""
        until = now + min(duration, MAX_REST).total_seconds()
        begins = not self.resting(now) and until > now
        self._rests_until = max(self._rests_until, until)
        self.look()
        return begins

    def end_rest(self, now: float) -> None:
        """Forget a rest that is over."""
        if self._rests_until and now >= self._rests_until:
            self._rests_until = 0.0
            self.look()

    def look(self) -> None:
        """See anew whether it is watchful, after the breaker was told something."""
        self.watchful = self._interval > 0 or self._rests_until > 0 or self.state is not State.CLOSED

    def _of_breaker(self, until: float) -> Refusal:
        assert self.breaker is not None
        pause = self.breaker.policy.pause.total_seconds()
        return Refusal(BREAKER_OPEN, until, min(max(pause / 2, PROBE_S), _MAX_SPREAD_S))
