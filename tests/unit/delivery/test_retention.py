"""The sweeper: what it removes, in which portions, and that it looks at nothing twice without need."""

import asyncio
import itertools
import random
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from hookrt.clock import from_us
from hookrt.delivery import retention as module
from hookrt.delivery.limits import Limits
from hookrt.delivery.retention import BATCH_BYTES, BATCH_ROWS, PAGE, REST_S, Sweeper
from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.model.event import Event
from hookrt.model.retention import Retention
from hookrt.plugin.observer import Observer
from hookrt.store.contract import EventQuery, NewDelivery, NewEvent
from hookrt.store.memory.store import MemoryStore

DAY_US = 24 * 3_600_000_000
START_US = 1_700_000_000_000_000


class JumpingClock:
    """Sleeping is over at once, and later."""

    def __init__(self) -> None:
        self.us = START_US
        self.slept: list[float] = []

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return self.us / 1e6

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.us += round(seconds * 1e6)
        await asyncio.sleep(0)


class Kept(Observer):
    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.payloads = 0
        self.sizes: list[tuple[int, int]] = []

    def rows_removed(self, table: str, rows: int) -> None:
        self.rows[table] = self.rows.get(table, 0) + rows

    def payloads_dropped(self, events: int) -> None:
        self.payloads += events

    def store_measured(self, size: int, free: int) -> None:
        self.sizes.append((size, free))


class Lines:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict]] = []

    def info(self, event, **fields) -> None:
        self.lines.append((event, fields))

    debug = warning = error = info


class Watched:
    """A store's retention that notes what it is asked, and can be told to fail."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.looked: list[tuple[int, int]] = []
        self.removed: list[list[int]] = []
        self.fail: str | None = None

    def __getattr__(self, name):
        method = getattr(self._inner, name)

        async def asked(*arguments):
            if name == self.fail:
                raise StoreError("no")
            answer = await method(*arguments)
            if name == "look":
                self.looked.append((arguments[0].after, len(answer)))
            if name == "remove":
                self.removed.append(list(arguments[0]))
            return answer

        return asked


class World:
    def __init__(self, retention: Retention) -> None:
        self.clock, self.observer, self.log = JumpingClock(), Kept(), Lines()
        self.store = MemoryStore(self.clock)
        self.store.retention = self.watched = Watched(self.store.retention)
        self.ports = SimpleNamespace(
            store=self.store, clock=self.clock, observer=self.observer, log=self.log, limits=Limits(retention=retention)
        )
        self.sweeper = Sweeper(self.ports)
        self._names = itertools.count()

    async def save(self, *statuses: Status, size: int = 8) -> str:
        """An event whose deliveries have these statuses from now on."""
        name = f"e{next(self._names)}"
        made = [
            NewDelivery(f"{name}-{n}", "hook", "lane", self.clock.us, 2**60, held=status is Status.HELD)
            for n, status in enumerate(statuses)
        ]
        event = Event(name, "A", "test", from_us(self.clock.us), content=b"x" * size, binary=True)
        await self.store.save(NewEvent(event, b"d", self.clock.us, made))
        for new, status in zip(made, statuses, strict=True):
            if status.final:
                row = self.store._memory.deliveries[new.id]
                self.store._memory.change(row, status=status, updated_us=self.clock.us)
        return name

    async def names(self) -> list[str]:
        found = (await self.store.events(EventQuery(limit=1000))).items
        return [stored.event.id for stored in reversed(found)]


def scenario_with(retention: Retention, scenario) -> None:
    async def run() -> None:
        world = World(retention)
        await world.store.open()
        await scenario(world)

    asyncio.run(run())


SHORT = Retention(
    succeeded=timedelta(days=2), cancelled=timedelta(days=2), dead=timedelta(days=5), unmatched=timedelta(days=1)
)


def test_a_sweep_removes_what_is_old_and_tells_it_in_one_line() -> None:
    async def scenario(world) -> None:
        await world.save(Status.SUCCEEDED)
        dead = await world.save(Status.DEAD)
        await world.save()
        held = await world.save(Status.HELD)
        newest = await world.save(Status.SUCCEEDED)
        await world.sweeper.sweep()
        assert world.log.lines == []
        assert world.observer.rows == {}
        world.clock.us += 3 * DAY_US
        await world.sweeper.sweep()
        assert await world.names() == [dead, held, newest]
        assert world.log.lines == [("retention-swept", {"events": 2, "deliveries": 1})]
        assert world.observer.rows == {"events": 2, "deliveries": 1}
        world.clock.us += 3 * DAY_US
        await world.sweeper.sweep()
        assert await world.names() == [held, newest]
        await world.sweeper.sweep()
        assert len(world.log.lines) == 2

    scenario_with(SHORT, scenario)


def test_what_stays_is_not_looked_at_again_before_something_in_it_can_be_due() -> None:
    async def scenario(world) -> None:
        for _ in range(3 * PAGE):
            await world.save(Status.DEAD)
        await world.save(Status.SUCCEEDED)
        world.clock.us += 3 * DAY_US
        await world.sweeper.sweep()
        assert sum(count for _, count in world.watched.looked) >= 3 * PAGE
        world.watched.looked.clear()
        for _ in range(10):
            world.clock.us += 3_600_000_000
            await world.sweeper.sweep()
        assert sum(count for _, count in world.watched.looked) <= 10 * 2  # the newest, which always stays
        world.clock.us += 2 * DAY_US
        await world.sweeper.sweep()
        assert len(await world.names()) == 1

    scenario_with(SHORT, scenario)


def test_a_delivery_that_ends_late_is_kept_from_its_end() -> None:
    async def scenario(world) -> None:
        late = await world.save(Status.HELD)
        await world.save(Status.SUCCEEDED)
        world.clock.us += 10 * DAY_US
        await world.sweeper.sweep()
        row = world.store._memory.deliveries[f"{late}-0"]
        world.store._memory.change(row, status=Status.SUCCEEDED, updated_us=world.clock.us)
        world.clock.us += 2 * DAY_US - 10_000_000
        await world.sweeper.sweep()
        assert late in await world.names()
        world.clock.us += 10_000_000
        await world.sweeper.sweep()
        assert late not in await world.names()

    scenario_with(SHORT, scenario)


def test_one_transaction_removes_a_bounded_number_of_rows_and_bytes_and_then_rests() -> None:
    async def scenario(world) -> None:
        for _ in range(400):
            await world.save(Status.SUCCEEDED, Status.SUCCEEDED)
        for _ in range(5):
            await world.save(Status.SUCCEEDED, size=BATCH_BYTES // 2)
        await world.save()
        world.clock.us += 3 * DAY_US
        world.clock.slept.clear()
        await world.sweeper.sweep()
        sizes = [len(batch) for batch in world.watched.removed]
        assert sum(sizes[:4]) == 400
        assert max(sizes) * 3 <= BATCH_ROWS
        assert len(sizes) >= 4 + 2
        assert sum(seconds >= REST_S for seconds in world.clock.slept) >= len(sizes)

    scenario_with(SHORT, scenario)


def test_a_payload_goes_before_its_record() -> None:
    async def scenario(world) -> None:
        name = await world.save(Status.DEAD)
        held = await world.save(Status.HELD)
        world.clock.us += 3_600_000_000
        await world.sweeper.sweep()
        assert world.observer.payloads == 1
        assert world.log.lines == [("retention-swept", {"payloads": 1})]
        assert (await world.store.event("test", name)).event.payload_dropped
        assert not (await world.store.event("test", held)).event.payload_dropped
        world.clock.us += 3_600_000_000
        await world.sweeper.sweep()
        assert world.observer.payloads == 1
        world.clock.us += 5 * DAY_US
        await world.sweeper.sweep()
        assert await world.names() == [held]

    scenario_with(replace(SHORT, payload=timedelta(hours=1)), scenario)


def test_above_the_limit_of_events_the_oldest_that_are_final_go_before_their_time() -> None:
    async def scenario(world) -> None:
        held = await world.save(Status.HELD)
        names = [await world.save(Status.DEAD) for _ in range(9)]
        world.clock.us += DAY_US
        swept = await world.sweeper.sweep()
        assert await world.names() == [held, *names[-5:]]
        assert (swept.over_limit, swept.rows["events"]) == (4, 4)

    scenario_with(replace(SHORT, max_events=6), scenario)


def test_above_the_limit_of_deliveries_the_oldest_go_too() -> None:
    async def scenario(world) -> None:
        names = [await world.save(Status.DEAD, Status.DEAD, Status.DEAD) for _ in range(5)]
        world.clock.us += DAY_US
        await world.sweeper.sweep()
        assert await world.names() == names[-2:]

    scenario_with(replace(SHORT, max_deliveries=8), scenario)


def test_a_limit_removes_nothing_that_came_in_within_a_day() -> None:
    async def scenario(world) -> None:
        names = [await world.save(Status.SUCCEEDED) for _ in range(5)]
        world.clock.us += DAY_US - 60_000_000
        await world.sweeper.sweep()
        assert await world.names() == names
        world.clock.us += 60_000_000
        await world.sweeper.sweep()
        assert await world.names() == names[-1:]

    scenario_with(replace(SHORT, max_events=1), scenario)


def test_an_event_from_the_future_holds_nothing_up() -> None:
    async def scenario(world) -> None:
        world.clock.us += 1000 * DAY_US
        future = await world.save(Status.SUCCEEDED)
        world.clock.us -= 1000 * DAY_US
        for _ in range(3):
            await world.save(Status.SUCCEEDED)
        newest = await world.save(Status.HELD)
        world.clock.us += 3 * DAY_US
        await world.sweeper.sweep()
        assert await world.names() == [future, newest]
        world.clock.us += 1000 * DAY_US
        await world.sweeper.sweep()
        assert await world.names() == [newest]

    scenario_with(SHORT, scenario)


def test_what_a_failing_store_kept_goes_with_the_next_sweep() -> None:
    async def scenario(world) -> None:
        for _ in range(2 * PAGE):
            await world.save(Status.SUCCEEDED)
        newest = await world.save(Status.HELD)
        world.clock.us += 3 * DAY_US
        for method in ("look", "remove", "figures", "forget_values", "size"):
            world.watched.fail = method
            with pytest.raises(StoreError):
                await world.sweeper.sweep()
        world.watched.fail = None
        await world.sweeper.sweep()
        assert await world.names() == [newest]
        assert world.observer.rows["events"] == 2 * PAGE

    scenario_with(SHORT, scenario)


def test_the_loop_survives_whatever_the_store_raises() -> None:
    async def scenario(world) -> None:
        world.watched.fail = "look"
        task = asyncio.create_task(world.sweeper.run())
        while len(world.log.lines) < 3:
            await asyncio.sleep(0)
        task.cancel()
        assert {name for name, _ in world.log.lines} == {"retention-failed"}

    scenario_with(SHORT, scenario)


def test_free_space_is_given_back_in_bites_but_for_some_that_is_used_again(monkeypatch) -> None:
    async def scenario(world) -> None:
        left = [40 * 1024 * 1024]

        async def size():
            return SimpleNamespace(bytes=100 * 1024 * 1024, free=left[0])

        async def give_back(most):
            left[0] -= most
            return most

        monkeypatch.setattr(world.watched._inner, "size", size)
        monkeypatch.setattr(world.watched._inner, "give_back", give_back)
        swept = await world.sweeper.sweep()
        assert left[0] >= 10 * 1024 * 1024
        assert left[0] < 10 * 1024 * 1024 + module.BITE
        assert swept.given_back == 40 * 1024 * 1024 - left[0]
        assert world.observer.sizes == [(100 * 1024 * 1024, left[0])]

    scenario_with(SHORT, scenario)


def test_expired_values_go_at_every_sweep() -> None:
    async def scenario(world) -> None:
        await world.store.put("state", "k", b"v", world.clock.us + 1)
        world.clock.us += 1
        swept = await world.sweeper.sweep()
        assert swept.rows == {"kv": 1}

    scenario_with(SHORT, scenario)


@pytest.mark.parametrize("seed", range(20))
def test_in_the_end_nothing_stays_that_should_go_and_nothing_goes_that_should_stay(seed) -> None:
    chance = random.Random(seed)

    async def scenario(world) -> None:
        ages = {Status.SUCCEEDED: 2, Status.CANCELLED: 2, Status.DEAD: 5}
        until: dict[str, int] = {}
        for _ in range(200):
            statuses = chance.choices([*ages, Status.HELD], [6, 1, 2, 1], k=chance.randrange(3))
            now_us = world.clock.us
            name = await world.save(*statuses)
            until[name] = max((now_us + ages[one] * DAY_US for one in statuses if one.final), default=now_us + DAY_US)
            if Status.HELD in statuses:
                until[name] = 2**62
            world.clock.us += chance.randrange(DAY_US // 5)
            if chance.random() < 0.3:
                swept_us = world.clock.us
                await world.sweeper.sweep()
                expected = [one for one in until if until[one] > swept_us]
                assert [one for one in await world.names() if until[one] > swept_us] == expected
                late = [one for one in await world.names() if until[one] <= swept_us]
                assert len(late) <= 2  # the newest event, and that of the newest delivery

    scenario_with(SHORT, scenario)


@pytest.mark.parametrize("lead", [True, False])
def test_only_the_delivering_process_sweeps(given, lead) -> None:
    async def scenario() -> None:
        async with given.world([], {}, lead=lead):
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert ("hookrt retention" in names) is lead

    asyncio.run(scenario())
