"""Lanes: what one holds must not disturb others, and memory stays bounded."""

from datetime import UTC, datetime, timedelta

from hookrt.delivery.gates import Gates
from hookrt.delivery.lane import Job, Lane
from hookrt.delivery.lanes import Lanes
from hookrt.delivery.limits import Limits
from hookrt.model.breaker_policy import BreakerPolicy
from hookrt.model.delivery import Delivery, Status
from hookrt.model.event import Event
from hookrt.model.hook import Destination
from hookrt.testing import FakeClock


def make(limits: Limits, destinations: dict[str, Destination] | None = None) -> tuple[Lanes, list[str]]:
    worked: list[str] = []
    lanes = Lanes(limits, Gates(lambda: destinations or {}, FakeClock()), lambda lane: worked.append(lane.name))
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


def test_a_lane_with_a_rate_holds_no_more_than_it_starts_in_a_while() -> None:
    destinations = {"slow": Destination("slow", rate=0.01), "fast": Destination("fast", rate=1000.0)}
    lanes, _ = make(Limits(concurrency=32), destinations)
    assert lanes.get("slow").capacity == 1
    assert lanes.get("fast").capacity == lanes.get("other").capacity == 256


def opened(lanes: Lanes, name: str) -> Lane:
    lane = lanes.get(name)
    assert lane.gate.breaker is not None
    for _ in range(10):
        lane.gate.breaker.failed(lane.gate.turn, 1000.0, 0.0)
    lane.gate.look()
    return lane


def test_an_open_breaker_claims_nothing_and_is_handed_what_is_new() -> None:
    lanes, _ = make(Limits(concurrency=2))
    opened(lanes, "a")
    lanes.mark_starved("a")
    assert lanes.claimable() == {"a": 0}
    assert sum(lanes.reserve("a", 1) for _ in range(50)) == 16
    assert lanes.opening_in() == 10.0
    assert lanes.reserve("b", 1), "another lane is not concerned"


def test_a_lane_that_rests_shrinks_what_it_may_hold() -> None:
    lanes, _ = make(Limits(concurrency=2))
    lanes.get("a").gate.rest(1000.0, timedelta(seconds=3))
    assert lanes.claimable() == {"a": 0}
    assert sum(lanes.reserve("a", 1) for _ in range(50)) == 2
    assert lanes.opening_in() == 3.0


def test_a_half_open_lane_takes_one_delivery_for_the_probe() -> None:
    destination = Destination("a", breaker=BreakerPolicy(failures=1, pause=timedelta(0)))
    lanes, _ = make(Limits(concurrency=4), {"a": destination})
    opened(lanes, "a")
    assert lanes.claimable() == {"a": 1}
    assert [lanes.reserve("a", 1) for _ in range(2)] == [True, False]


def test_a_lane_whose_gate_is_closed_is_kept_so_that_it_claims_nothing() -> None:
    lanes, _ = make(Limits())
    lane = opened(lanes, "a")
    lanes.drop_if_idle(lane)
    assert lanes.claimable() == {"a": 0}


def test_a_lane_forgets_nothing_of_its_endpoint_when_it_is_idle_and_dropped() -> None:
    lanes, _ = make(Limits())
    lane = lanes.get("a")
    assert lane.gate.breaker is not None
    lane.gate.breaker.failed(0, 1000.0, 0.0)
    lanes.drop_if_idle(lane)
    assert lanes.figures() == {}
    assert lanes.get("a").gate.breaker.row == 1


def test_lanes_that_live_pick_up_new_limits_when_refreshed() -> None:
    destinations = {"a": Destination("a", concurrency=1)}
    lanes, worked = make(Limits(concurrency=8), destinations)
    lane = lanes.get("a")
    for _ in range(4):
        assert lanes.reserve("a", 10)
        lanes.put("a", a_job("a"))
    worked.clear()
    destinations["a"] = Destination("a", concurrency=3, rate=100.0, breaker=None)
    lanes.refresh()
    assert (lane.concurrency, lane.gate.rate, lane.gate.breaker) == (3, 100.0, None)
    assert worked == ["a"] * 3, "and has workers for it"
    destinations.clear()
    lanes.refresh()
    assert (lane.concurrency, lane.gate.rate) == (8, 0.0)
    assert lane.gate.breaker is not None
