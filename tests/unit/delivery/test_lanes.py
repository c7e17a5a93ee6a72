"""Lanes: what one holds must not disturb others, and memory stays bounded."""

import asyncio
from datetime import UTC, datetime

from hookrt.delivery.lane import Job, Lane
from hookrt.delivery.lanes import Lanes
from hookrt.delivery.limits import Limits
from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event
from hookrt.model.hook import Destination


def make(limits: Limits, destinations: dict[str, Destination] | None = None) -> tuple[Lanes, list[str]]:
    worked: list[str] = []
    lanes = Lanes(limits, lambda: destinations or {}, lambda lane: worked.append(lane.name))
    lanes.open = True
    return lanes, worked


def a_job(lane: str) -> Job:
    event = Event("evt_1", "A.B", "http", datetime(2026, 1, 1, tzinfo=UTC), content=b"1234567890")
    return Job(Delivery("dlv_1", "hook", lane, Status.RUNNING, 0, 0, 1), event)


def test_room_is_reserved_before_the_commit_and_given_back() -> None:
    lanes, worked = make(Limits(concurrency=1))
    assert lanes.reserve("a", 10)
    assert (lanes.jobs, lanes.bytes) == (1, 10)
    lanes.give_back("a", 10)
    assert (lanes.jobs, lanes.bytes, worked) == (0, 0, [])
    assert lanes.figures() == {}


def test_a_reserved_place_becomes_work() -> None:
    lanes, worked = make(Limits(concurrency=1))
    assert lanes.reserve("a", 10)
    lanes.put("a", a_job("a"))
    assert worked == ["a"]
    assert lanes.figures() == {"a": (1, 0)}


def test_a_full_lane_takes_no_more_and_leaves_the_order_to_the_store() -> None:
    lanes, _ = make(Limits(concurrency=1))
    taken = sum(lanes.reserve("a", 10) for _ in range(20))
    assert taken == Lane("a", 1).capacity
    lanes.give_back("a", 10)
    assert not lanes.reserve("a", 10), "what waits in the store comes before what is new"
    assert lanes.reserve("b", 10), "another lane is not concerned"


def test_lanes_that_hang_cannot_use_up_the_memory() -> None:
    lanes, _ = make(Limits(concurrency=4, in_flight=100))
    for number in range(1000):
        while lanes.reserve(f"hung-{number}", 10):
            pass
    assert lanes.reserve("honest", 10), "every lane may hold at least one"
    assert lanes.jobs <= 100 + 1001 + 4


def test_many_bytes_shrink_what_a_lane_may_hold() -> None:
    lanes, _ = make(Limits(concurrency=4, in_flight_bytes=100))
    assert lanes.reserve("a", 1000)
    assert not lanes.reserve("a", 10)
    assert lanes.reserve("b", 10)
    assert lanes.byte_room() == 0


def test_no_room_without_delivering() -> None:
    lanes, _ = make(Limits())
    lanes.open = False
    assert not lanes.reserve("a", 1)
    assert lanes.figures() == {}


def test_a_destination_sets_its_lane_s_concurrency() -> None:
    lanes, _ = make(Limits(concurrency=32), {"crm": Destination("crm", concurrency=4)})
    assert lanes.get("crm").concurrency == 4
    assert lanes.get("other").concurrency == 32


def test_a_lane_asks_the_store_only_when_half_empty() -> None:
    lanes, _ = make(Limits(concurrency=1))
    for _ in range(5):
        assert lanes.reserve("a", 1)
    assert lanes.claimable() == {"a": 0}
    lanes.give_back("a", 1)
    assert lanes.claimable() == {"a": 4}


class SlowClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now_us(self) -> int:
        return int(self.seconds * 1_000_000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_rate_spaces_the_starts_of_a_lane() -> None:
    async def run() -> list[float]:
        clock, lane, starts = SlowClock(), Lane("a", 8, rate=4.0), []
        for _ in range(5):
            await lane.pace(clock)
            starts.append(clock.seconds - 100)
        return starts

    assert asyncio.run(run()) == [0.0, 0.25, 0.5, 0.75, 1.0]
