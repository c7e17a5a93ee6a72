"""All lanes of this process, and how much they hold together."""

from __future__ import annotations

from collections.abc import Callable

from hookrt.delivery.breaker import State
from hookrt.delivery.gates import Gates
from hookrt.delivery.lane import Job, Lane
from hookrt.delivery.limits import Limits


class Lanes:
    """The lanes by name, made when first needed and dropped when idle.

    Room is reserved before a delivery is committed as leased to this process, so that what is leased always fits.
    `on_job` is called with a lane that has got something to do.
    """

    def __init__(self, limits: Limits, gates: Gates, on_job: Callable[[Lane], None]) -> None:
        self._limits = limits
        self._gates = gates
        self._on_job = on_job
        self._lanes: dict[str, Lane] = {}
        self.jobs = 0
        self.bytes = 0
        self.open = False

    def get(self, name: str) -> Lane:
        """The lane of this name."""
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = self._make(name)
        return lane

    def reserve(self, name: str, size: int) -> bool:
        """Keep a place in this lane for a delivery of that many bytes; False when there is no room.

        A refusal marks the lane as starved: the store will have something for it, which comes first from then on; but
        while its gate is closed nothing comes first, and what is new is told why it waits.
        """
        if not self.open:
            return False
        lane = self.get(name)
        behind = lane.starved and not (lane.gate.watchful and lane.gate.closed_until(self._gates.now()))
        if behind or lane.held >= self._allowance(lane):
            lane.starved = True
            return False
        lane.reserved += 1
        self.jobs += 1
        self.bytes += size
        return True

    def give_back(self, name: str, size: int) -> None:
        """End a reservation that was not used."""
        lane = self.get(name)
        lane.reserved -= 1
        self.jobs -= 1
        self.bytes -= size
        self.drop_if_idle(lane)

    def put(self, name: str, job: Job) -> None:
        """Use a reservation; closed meanwhile, the lanes do not take it, and its lease is released with the others."""
        if not self.open:
            self.give_back(name, job.size)
            return
        lane = self.get(name)
        lane.reserved -= 1
        lane.queue.append(job)
        self._on_job(lane)

    def put_claimed(self, job: Job) -> None:
        """Take in a claimed delivery; the claim asked for no more than there is room for."""
        lane = self.get(job.delivery.lane)
        self.jobs += 1
        self.bytes += job.size
        lane.queue.append(job)
        self._on_job(lane)

    def leave(self, job: Job) -> None:
        """A delivery is not in its lane any more."""
        self.jobs -= 1
        self.bytes -= job.size

    def claimable(self) -> dict[str, int]:
        """How many each known lane takes from the store now: none until it is half empty, so that it asks rarely."""
        return {name: self._claimable(lane) for name, lane in self._lanes.items()}

    def wants_more(self, lane: Lane) -> bool:
        """Whether the store has something for this lane, and the lane has room for it."""
        return lane.starved and self._claimable(lane) > 0

    def free_elsewhere(self) -> int:
        """How many deliveries a lane takes that has none yet."""
        return self._allowance(Lane("", self._limits.concurrency))

    def byte_room(self) -> int:
        """How many bytes of payload all lanes together can still take."""
        return max(self._limits.in_flight_bytes - self.bytes, 0)

    def close(self) -> None:
        """Take in no more, and forget what has not begun: its leases are released together afterwards."""
        self.open = False
        for lane in self._lanes.values():
            for job in lane.queue:
                self.jobs -= 1
                self.bytes -= job.size
            lane.queue.clear()
            lane.return_waiting()

    def mark_starved(self, name: str) -> None:
        """The store has more for this lane than was claimed."""
        self.get(name).starved = True

    def forget_starving(self) -> None:
        """A new claim tells anew which lanes have more in the store."""
        for lane in list(self._lanes.values()):
            if lane.gate.watchful:
                lane.gate.end_rest(self._gates.now())
            lane.starved = lane.starved and not self._claimable(lane)
            self.drop_if_idle(lane)

    def figures(self) -> dict[str, tuple[int, int]]:
        """For each lane: waiting here, and under way."""
        return {name: (len(lane.queue), lane.active) for name, lane in self._lanes.items()}

    def drop_if_idle(self, lane: Lane) -> None:
        """Forget a lane in which nothing happens any more; one whose gate may be closed is kept, to claim nothing."""
        if lane.idle and not lane.starved and not lane.gate.watchful:
            self._lanes.pop(lane.name, None)

    def opening_in(self) -> float | None:
        """Seconds until the next lane whose gate is closed has something to do again; None where none is."""
        now = self._gates.now()
        closed = [lane.gate.closed_until(now) for lane in self._lanes.values() if lane.gate.watchful]
        return min((until - now for until in closed if until is not None), default=None)

    def refresh(self) -> None:
        """Take the limits of the present destinations, after they were replaced."""
        self._gates.refresh(self._lanes)
        for lane in self._lanes.values():
            lane.leads_anywhere = self._gates.leads_anywhere(lane.name)
            lane.set_concurrency(self._concurrency_of(lane.name))
            for _ in range(min(len(lane.queue), lane.concurrency - lane.active)):
                self._on_job(lane)

    def _claimable(self, lane: Lane) -> int:
        if lane.gate.watchful and lane.gate.closed_until(self._gates.now()) is not None:
            return 0
        allowance = self._allowance(lane)
        free = allowance - lane.held
        return free if free * 2 >= allowance else 0

    def _allowance(self, lane: Lane) -> int:
        """How many deliveries this lane may hold: fewer, the fuller the memory, but always one.

        So lanes that hang cannot use up the memory that others need: past half of the limits a lane holds no more
        than it can run at once, past the limits a single one. One that rests holds no more than it can run at once
        either, unless it postpones all at once, and a half-open one only the probe.
        """
        if lane.gate.watchful:
            now = self._gates.now()
            if lane.gate.closed_until(now) is None:
                return self._share(lane) if lane.gate.state is State.CLOSED else 1
            if lane.gate.refuse(now) is None:
                return min(lane.concurrency, self._share(lane))
        return self._share(lane)

    def _share(self, lane: Lane) -> int:
        limits = self._limits
        if self.jobs * 2 < limits.in_flight and self.bytes * 2 < limits.in_flight_bytes:
            return lane.capacity
        if self.jobs < limits.in_flight and self.bytes < limits.in_flight_bytes:
            return lane.concurrency
        return 1

    def _make(self, name: str) -> Lane:
        gates = self._gates
        return Lane(name, self._concurrency_of(name), gates.for_lane(name), leads_anywhere=gates.leads_anywhere(name))

    def _concurrency_of(self, name: str) -> int:
        return self._gates.destination_of(name).concurrency or self._limits.concurrency
