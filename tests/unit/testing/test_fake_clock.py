"""The fake clock: it stands still until it is told to go on."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hookrt.clock import from_us
from hookrt.testing import FakeClock

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


async def sleeper(clock, seconds, log, name):
    await clock.sleep(seconds)
    log.append((name, from_us(clock.now_us())))


def test_it_stands_at_noon_until_it_is_moved():
    clock = FakeClock()
    before = clock.monotonic()
    assert from_us(clock.now_us()) == NOON
    clock.advance(timedelta(minutes=5))
    assert from_us(clock.now_us()) == NOON + timedelta(minutes=5)
    assert clock.monotonic() - before == 300


def test_it_may_start_at_any_time():
    start = datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)
    clock = FakeClock(start)
    clock.advance(1.5)
    assert from_us(clock.now_us()) == start + timedelta(seconds=1.5)


def test_a_sleeper_wakes_when_its_time_has_come_and_not_before():
    async def main():
        clock, log = FakeClock(), []
        task = asyncio.create_task(sleeper(clock, 10, log, "a"))
        await clock.until_sleeping()
        clock.advance(9.999)
        await asyncio.sleep(0)
        assert clock.sleeping == 1
        clock.advance(0.001)
        await task
        assert log == [("a", NOON + timedelta(seconds=10))]

    asyncio.run(main())


def test_sleepers_wake_in_the_order_of_their_times():
    async def main():
        clock, log = FakeClock(), []
        async with asyncio.TaskGroup() as tasks:
            for name, seconds in (("c", 3), ("a", 1), ("b", 2), ("a2", 1)):
                tasks.create_task(sleeper(clock, seconds, log, name))
            await clock.until_sleeping(4)
            clock.advance(5)
        assert [name for name, _ in log] == ["a", "a2", "b", "c"]

    asyncio.run(main())


def test_run_for_stops_at_every_sleepers_time():
    async def ticker(clock, log):
        while True:
            await clock.sleep(60)
            log.append(from_us(clock.now_us()))

    async def main():
        clock, log = FakeClock(), []
        task = asyncio.create_task(ticker(clock, log))
        await clock.run_for(timedelta(minutes=3, seconds=30))
        assert log == [NOON + timedelta(minutes=minute) for minute in (1, 2, 3)]
        assert from_us(clock.now_us()) == NOON + timedelta(minutes=3, seconds=30)
        task.cancel()

    asyncio.run(main())


def test_sleeping_for_nothing_only_lets_others_run():
    async def main():
        clock, log = FakeClock(), []
        task = asyncio.create_task(sleeper(clock, 0, log, "other"))
        await clock.sleep(0)
        await clock.sleep(-1)
        await task
        assert clock.sleeping == 0

    asyncio.run(main())


def test_a_cancelled_sleeper_is_forgotten():
    async def main():
        clock = FakeClock()
        task = asyncio.create_task(clock.sleep(5))
        await clock.until_sleeping()
        task.cancel()
        await asyncio.wait([task])
        assert clock.sleeping == 0
        clock.advance(10)

    asyncio.run(main())


def test_a_jump_moves_wall_time_only():
    clock = FakeClock()
    before = clock.monotonic()
    clock.jump(NOON - timedelta(hours=1))
    assert from_us(clock.now_us()) == NOON - timedelta(hours=1)
    assert clock.monotonic() == before


def test_a_jump_wakes_nobody():
    async def main():
        clock = FakeClock()
        task = asyncio.create_task(clock.sleep(5))
        await clock.until_sleeping()
        clock.jump(NOON + timedelta(days=1))
        await asyncio.sleep(0)
        assert clock.sleeping == 1
        clock.advance(5)
        await task

    asyncio.run(main())


def test_microseconds_add_up_exactly():
    clock = FakeClock()
    for _ in range(1000):
        clock.advance(0.1)
    assert from_us(clock.now_us()) == NOON + timedelta(seconds=100)


def test_waiting_for_sleepers_that_never_come_ends(monkeypatch):
    monkeypatch.setattr("hookrt.testing.fake_clock._PATIENCE", 0.01)
    with pytest.raises(TimeoutError):
        asyncio.run(FakeClock().until_sleeping())
