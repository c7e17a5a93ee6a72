"""The gate of an endpoint: rate, rest and breaker together."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

from hypothesis import given as for_all
from hypothesis import strategies as st

from hookrt.delivery.breaker import State
from hookrt.delivery.gate import BREAKER_OPEN, HOLD_S, LANE_RESTING, LATE_S, RATE_LIMITED, Gate
from hookrt.delivery.gates import MAX_STRANGERS, Gates, origin_of
from hookrt.delivery.lane import Lane
from hookrt.model.breaker_policy import BreakerPolicy
from hookrt.model.hook import Destination
from hookrt.testing import FakeClock

OFF = Destination("crm", breaker=None)
TRIPS = Destination("crm", breaker=BreakerPolicy(failures=1, pause=timedelta(seconds=10)))


def opened() -> Gate:
    gate = Gate("crm", TRIPS)
    assert gate.breaker is not None
    gate.breaker.failed(gate.turn, 0.0, 0.0)
    gate.look()
    return gate


def test_a_gate_without_limits_and_troubles_is_not_watchful() -> None:
    assert not Gate("crm", OFF).watchful
    assert not Gate("crm", Destination("crm")).watchful
    assert Gate("crm", Destination("crm", rate=5.0)).watchful
    assert opened().watchful


def test_a_rate_spaces_the_starts_evenly_without_a_burst() -> None:
    gate = Gate("crm", Destination("crm", rate=4.0))
    assert [gate.book(100.0) for _ in range(5)] == [100.0, 100.25, 100.5, 100.75, 101.0]
    assert [gate.book(500.0) for _ in range(2)] == [500.0, 500.25], "what was not used does not add up"


@for_all(st.floats(0.5, 500), st.lists(st.floats(0, 2), min_size=2, max_size=80))
def test_no_more_starts_than_the_rate_allows(rate: float, gaps: list[float]) -> None:
    gate, now, starts = Gate("crm", Destination("crm", rate=rate)), 10.0, []
    for gap in gaps:
        now += gap
        starts.append(gate.book(now))
    assert all(later - earlier >= 1 / rate - 1e-9 for earlier, later in pairwise(starts))


def test_a_refusal_spreads_those_who_come_back() -> None:
    refusal = opened().refuse(2.0)
    assert refusal is not None
    assert (refusal.reason, refusal.until) == (BREAKER_OPEN, 10.0)
    assert refusal.due_in(2.0, 0.0) == 8.0
    assert refusal.due_in(2.0, 1.0) == 8.0 + 5.0


def test_a_short_rest_is_waited_for_and_a_long_one_is_not() -> None:
    gate = Gate("crm", OFF)
    assert gate.rest(0.0, timedelta(seconds=HOLD_S))
    assert gate.refuse(0.0) is None
    assert gate.book(0.0) == HOLD_S
    assert not gate.rest(1.0, timedelta(minutes=1)), "the rest goes on"
    refusal = gate.refuse(1.0)
    assert refusal is not None
    assert (refusal.reason, refusal.until) == (LANE_RESTING, 61.0)


def test_a_rest_never_becomes_shorter_and_has_a_ceiling() -> None:
    gate = Gate("crm", OFF)
    gate.rest(0.0, timedelta(days=400))
    assert gate.closed_until(0.0) == 3600.0
    gate.rest(1.0, timedelta(seconds=1))
    assert gate.closed_until(1.0) == 3600.0
    gate.end_rest(3600.0)
    assert not gate.watchful


def test_new_limits_keep_what_the_breaker_knows() -> None:
    gate = opened()
    gate.set_limits(Destination("crm", rate=2.0, breaker=BreakerPolicy()), 1.0)
    assert gate.state is State.OPEN
    gate.set_limits(OFF, 1.0)
    assert (gate.state, gate.watchful) == (State.CLOSED, False)


def test_who_waits_for_a_start_notices_a_new_rate() -> None:
    async def run() -> None:
        clock, gate = FakeClock(), Gate("crm", Destination("crm", rate=1 / 3600))
        lane = Lane("crm", 4, gate)
        assert await lane.start(clock) is None
        waiting = asyncio.create_task(lane.start(clock))
        await clock.until_sleeping()
        gate.set_limits(Destination("crm", rate=100.0), clock.monotonic())
        await clock.run_for(10)
        assert waiting.done()
        assert await waiting is None

    asyncio.run(run())


def test_a_rest_that_begins_while_one_waits_for_its_start_is_waited_for_too() -> None:
    async def run() -> None:
        clock, gate = FakeClock(), Gate("crm", Destination("crm", rate=1.0, breaker=None))
        lane = Lane("crm", 4, gate)
        assert await lane.start(clock) is None
        waiting = asyncio.create_task(lane.start(clock))
        await clock.until_sleeping()
        gate.rest(clock.monotonic(), timedelta(seconds=3))
        await clock.run_for(2.9)
        assert not waiting.done()
        await clock.run_for(1)
        assert waiting.done()
        assert await waiting is None

    asyncio.run(run())


def test_who_cannot_wait_is_promised_a_start_and_comes_before_new_ones() -> None:
    gate = Gate("crm", Destination("crm", rate=2.0, breaker=None))
    assert gate.begin_unbooked(0.0, promised=False) is None
    first, second = gate.begin_unbooked(0.0, promised=False), gate.begin_unbooked(0.1, promised=False)
    assert first is not None
    assert second is not None
    assert (first.reason, first.until, second.until) == (RATE_LIMITED, 0.5, 1.0)
    new = gate.begin_unbooked(0.5, promised=False)
    assert new is not None, "the start at 0.5 s is promised to another one"
    assert gate.begin_unbooked(0.5, promised=True) is None


@for_all(st.floats(0.5, 400), st.lists(st.floats(0, 0.1), min_size=30, max_size=80))
def test_promised_starts_keep_to_the_rate_but_for_being_late(rate: float, lates: list[float]) -> None:
    gate, starts = Gate("crm", Destination("crm", rate=rate, breaker=None)), []
    come = [(0.0, False, late) for late in lates]
    for _ in range(10_000):
        if not come:
            break
        come.sort()
        now, promised, late = come.pop(0)
        refusal = gate.begin_unbooked(now, promised=promised)
        if refusal is None:
            starts.append(now)
        else:
            come.append((refusal.until + late, True, late))
    assert len(starts) == len(lates), "everyone starts in the end"
    allowed = max(LATE_S, 1 / rate) * rate + 2
    for start in starts:
        for seconds in (0.1, 1.0, 5.0):
            assert sum(start <= one <= start + seconds for one in starts) <= seconds * rate + allowed


def gates(destinations: dict[str, Destination] | None = None) -> Gates:
    return Gates(lambda: destinations or {}, FakeClock())


def test_odd_spellings_are_the_same_origin() -> None:
    same = ["http://127.0.0.1/", "http://127.0.0.1:80/a?b", "HTTP://127.1", "http://2130706433", "http://0x7f.1:80"]
    same += ["http:///127.0.0.1/a", "http:127.0.0.1", "http:\\\\127.0.0.1", " http://127.0.0.1"]
    assert {origin_of(url) for url in same} == {"http://127.0.0.1:80"}
    all_gates = gates()
    assert {all_gates.origin(url) for url in same * 2} == {"http://127.0.0.1:80"}
    assert origin_of("https://API.Example.com./x") == "https://api.example.com:443"
    assert [origin_of(text) for text in ("hook:a", "crm", "http://", "ftp://a", "http://a:0", "http://u@a/")] == [
        None
    ] * 6


def test_a_lane_and_a_rendered_url_of_one_origin_share_their_gate() -> None:
    all_gates = gates({"https://api.example.com": Destination("https://api.example.com", rate=5.0)})
    rendered = all_gates.for_origin("https://api.example.com:443")
    assert rendered is not None
    assert rendered.rate == 5.0
    assert all_gates.for_lane("https://api.example.com") is rendered
    assert all_gates.for_origin("https://other.example.com:443") is None


def test_a_hook_s_lane_has_no_breaker_since_its_steps_lead_anywhere() -> None:
    all_gates = gates({"crm": OFF})
    assert all_gates.for_lane("hook:welcome").breaker is None
    assert all_gates.for_lane("crm").breaker is None
    assert all_gates.for_lane("https://api.example.com").breaker is not None
    assert [all_gates.leads_anywhere(name) for name in ("hook:welcome", "crm", "https://api.example.com")] == [
        True,
        False,
        False,
    ]


def test_origins_out_of_events_cannot_fill_the_memory() -> None:
    all_gates = gates()
    for number in range(MAX_STRANGERS + 1):
        gate = all_gates.for_troubled(f"http://h{number}:80")
        assert gate.breaker is not None
        gate.breaker.failed(0, 0.0, 0.0)
    assert all_gates.for_origin("http://h0:80") is None, "the oldest is forgotten"
    first = all_gates.for_origin("http://h1:80")
    assert first is not None
    assert first.breaker is not None
    first.breaker.succeeded(0, 61.0)
    all_gates.let_go("http://h1:80", first)
    assert all_gates.for_origin("http://h1:80") is None, "so is what works again"
    assert all_gates.states() == {}, "and none of them is shown by name"


def test_an_origin_that_events_named_first_keeps_its_state_when_the_configuration_names_it() -> None:
    destinations: dict[str, Destination] = {"crm": OFF}
    all_gates = gates(destinations)
    known = all_gates.for_troubled("http://api.example:80")
    assert known.breaker is not None
    for _ in range(10):
        known.breaker.failed(known.turn, 0.0, 0.0)
    destinations["http://api.example"] = Destination("http://api.example", rate=3.0)
    all_gates.refresh(())
    assert all_gates.for_origin("http://api.example:80") is known
    assert all_gates.for_lane("http://api.example") is known
    assert (known.configured, known.rate, all_gates.states()) == (True, 3.0, {"http://api.example": State.OPEN})
