"""One event per tick, whatever happens to the clock, the process and the store in between."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hookrt.plugin import State
from hookrt.sources.schedule import Schedule
from hookrt.sources.schedule_settings import ScheduleSettings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def day(number: int, zone: str = "+00:00") -> str:
    return f"2026-11-{number}T03:00:00{zone}"


def test_a_tick_makes_an_event_that_says_when_it_was_scheduled(rig: Any) -> None:
    rig.written |= {"timezone": "Europe/Berlin", "subject": "reports", "data": {"kind": "full"}}
    asyncio.run(rig.run_for(DAY))
    assert rig.events == {
        "nightly@2026-11-24T02:00:00Z": {
            "type": "Nightly",
            "data": {"kind": "full", "scheduled": "2026-11-24T03:00:00+01:00"},
            "id": "nightly@2026-11-24T02:00:00Z",
            "subject": "reports",
            "time": datetime(2026, 11, 24, 2, tzinfo=UTC),
        }
    }


def test_a_new_schedule_has_missed_nothing(rig: Any) -> None:
    rig.clock.jump(datetime(2026, 11, 23, 3, 0, 1, tzinfo=UTC))
    asyncio.run(rig.run_for(HOUR))
    assert rig.events == {}


def test_every_is_not_shifted_by_a_restart(rig: Any) -> None:
    rig.written = {"every": "30s", "type": "Tick"}
    rig.clock.jump(datetime(2026, 11, 23, 2, 0, 7, tzinfo=UTC))

    async def scenario() -> None:
        for _ in range(5):
            await rig.run_for(timedelta(seconds=37))

    asyncio.run(scenario())
    begin = datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert rig.scheduled == [(begin + timedelta(seconds=30 * n)).isoformat() for n in range(1, 7)]


def test_a_schedule_that_is_changed_has_missed_nothing_of_the_new_one(rig: Any) -> None:
    async def scenario() -> None:
        await rig.run_for(2 * HOUR)
        rig.clock.advance(timedelta(minutes=7))
        rig.written["cron"] = "*/5 * * * *"
        await rig.run_for(timedelta(minutes=1))

    asyncio.run(scenario())
    assert rig.scheduled == [day(23)]


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [("skip", [day(23)]), ("once", [day(23), day(26)]), ("all", [day(23), day(24), day(25), day(26)])],
)
def test_ticks_missed_while_nothing_ran_follow_the_policy(rig: Any, misfire: str, expected: list[str]) -> None:
    rig.written["misfire"] = misfire

    async def scenario() -> None:
        await rig.run_for(2 * HOUR)
        rig.clock.advance(3 * DAY)
        await rig.run_for(HOUR)
        await rig.run_for(HOUR)  # a second restart does not repeat them

    asyncio.run(scenario())
    assert rig.scheduled == expected
    assert rig.asked == list(rig.events)
    if misfire == "once":
        assert list(rig.events.values())[1]["data"] == {"scheduled": day(26), "late_s": 3600, "missed": 3}
    if misfire == "all":
        assert [event["data"].get("late_s") for event in rig.events.values()] == [None, 176400, 90000, 3600]


def test_a_restart_at_the_tick_misses_it_under_no_policy(rig: Any) -> None:
    rig.written["misfire"] = "skip"

    async def scenario() -> None:
        await rig.run_for(HOUR - timedelta(seconds=5))
        rig.clock.advance(timedelta(seconds=15))
        await rig.run_for(HOUR)

    asyncio.run(scenario())
    assert rig.scheduled == [day(23)]


def test_a_thousand_missed_ticks_are_made_up_for_at_most(rig: Any) -> None:
    rig.written = {"every": "1s", "type": "Tick", "misfire": "all"}

    async def scenario() -> None:
        await rig.run_for(timedelta(seconds=1))
        rig.clock.advance(365 * DAY)
        await rig.run_for(timedelta(seconds=0.5))

    asyncio.run(scenario())
    assert len(rig.events) == 1001
    assert [fields["older_too"] for _, event, fields in rig.log.lines if event == "schedule-missed"] == [True]


def test_a_crash_between_the_event_and_the_memory_of_it_makes_no_second_one(rig: Any) -> None:
    class Forgetful:
        """A state whose second change never arrives, as when the process is killed."""

        def __init__(self, state: State) -> None:
            self.state, self.changes = state, 0

        async def get(self, key: str) -> Any:
            return await self.state.get(key)

        async def compare_and_set(self, *change: Any) -> bool:
            self.changes += 1
            if self.changes == 2:
                raise ConnectionError("killed")
            return await self.state.compare_and_set(*change)

    async def scenario() -> None:
        state, rig.state = rig.state, Forgetful(rig.state)
        with rig.running() as task:
            await rig.clock.run_for(HOUR)
            with pytest.raises(ConnectionError):
                await task
        rig.state = state
        await rig.run_for(HOUR)

    asyncio.run(scenario())
    assert rig.asked == ["nightly@2026-11-23T03:00:00Z"] * 2
    assert rig.scheduled == [day(23)]


def test_the_last_tick_is_known_when_its_event_is_long_gone(rig: Any) -> None:
    async def scenario() -> None:
        await rig.run_for(2 * HOUR)
        rig.events.clear()
        await rig.run_for(2 * HOUR)

    asyncio.run(scenario())
    assert rig.asked == ["nightly@2026-11-23T03:00:00Z"]


def test_two_processes_at_once_make_one_event_of_a_tick(rig: Any) -> None:
    rig.written = {"every": "30s", "type": "Tick"}

    async def scenario() -> None:
        with rig.running(), rig.running():
            await rig.clock.run_for(timedelta(minutes=5))
        await rig.run_for(timedelta(minutes=5))

    asyncio.run(scenario())
    assert len(rig.events) == len(set(rig.scheduled)) == 20
    assert len(rig.asked) == 30


def test_what_could_not_be_stored_comes_with_the_next_start(rig: Any) -> None:
    async def scenario() -> None:
        rig.fault = ConnectionError("the store is away")
        with rig.running() as task:
            await rig.clock.run_for(HOUR)
            with pytest.raises(ConnectionError):
                await task
        rig.fault = None
        await rig.run_for(timedelta(seconds=1))

    asyncio.run(scenario())
    assert rig.scheduled == [day(23)]


def test_after_a_suspend_the_tick_comes_within_ten_seconds(rig: Any) -> None:
    async def scenario() -> None:
        with rig.running():
            await rig.clock.run_for(timedelta(minutes=10))
            rig.clock.jump(datetime(2026, 11, 23, 7, tzinfo=UTC))
            await rig.clock.run_for(timedelta(seconds=10))

    asyncio.run(scenario())
    [event] = rig.events.values()
    assert event["data"]["missed"] == 1
    assert 0 <= event["data"]["late_s"] - 4 * 3600 <= 10


def test_a_suspend_under_skip_leaves_the_tick_out(rig: Any) -> None:
    rig.written["misfire"] = "skip"

    async def scenario() -> None:
        with rig.running():
            await rig.clock.run_for(timedelta(minutes=10))
            rig.clock.jump(datetime(2026, 11, 23, 7, tzinfo=UTC))
            await rig.clock.run_for(DAY)

    asyncio.run(scenario())
    assert rig.scheduled == [day(24)]


def test_a_clock_that_is_set_back_repeats_no_tick(rig: Any) -> None:
    rig.written["cron"] = "*/10 * * * *"

    async def scenario() -> None:
        with rig.running():
            await rig.clock.run_for(HOUR)
            rig.clock.jump(datetime(2026, 11, 23, 2, 25, tzinfo=UTC))
            await rig.clock.run_for(HOUR)

    asyncio.run(scenario())
    assert rig.asked == list(rig.events)
    assert [text[11:16] for text in rig.scheduled] == [
        "02:10",
        "02:20",
        "02:30",
        "02:40",
        "02:50",
        "03:00",
        "03:10",
        "03:20",
    ]


def test_a_clock_that_was_wrong_by_years_does_not_silence_the_schedule(rig: Any) -> None:
    async def scenario() -> None:
        rig.clock.jump(datetime(2031, 1, 1, tzinfo=UTC))
        await rig.run_for(DAY)
        rig.clock.jump(datetime(2026, 11, 23, 2, tzinfo=UTC))
        await rig.run_for(DAY)

    asyncio.run(scenario())
    assert rig.scheduled == ["2031-01-01T03:00:00+00:00", day(23)]
    assert "schedule-clock-went-back" in [event for _, event, _ in rig.log.lines]


def test_a_wall_clock_that_is_behind_the_steady_one_makes_no_tick_early(rig: Any) -> None:
    async def scenario() -> None:
        with rig.running():
            await rig.clock.run_for(timedelta(minutes=59, seconds=58))
            rig.clock.jump(datetime(2026, 11, 23, 2, 59, 50, tzinfo=UTC))
            await rig.clock.run_for(timedelta(seconds=9))
            assert rig.events == {}
            await rig.clock.run_for(timedelta(seconds=1))

    asyncio.run(scenario())
    assert rig.scheduled == [day(23)]


@pytest.mark.parametrize("stored", ["nonsense", {"schedule": "0 3 * * * UTC", "last_us": "soon"}, {"last_us": 1}, 7])
def test_a_memory_that_says_nothing_is_one_of_a_new_schedule(rig: Any, stored: Any) -> None:
    async def scenario() -> None:
        await rig.state.set("tick", stored)
        await rig.run_for(2 * HOUR)

    asyncio.run(scenario())
    assert rig.scheduled == [day(23)]


def test_the_ticks_to_come_are_told_in_the_schedules_zone() -> None:
    settings = ScheduleSettings(cron="30 2 * * *", timezone="Europe/Berlin", type="Nightly")
    found = Schedule().upcoming(settings, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert [tick.isoformat() for tick in found] == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    assert Schedule().types(settings) == ["Nightly"]
