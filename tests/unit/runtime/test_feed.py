"""What is kept for those who follow deliveries live."""

import asyncio

import pytest

from hookrt.delivery.waiters import Waiters
from hookrt.errors import UsageError
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Delivery, Status
from hookrt.plugin.observer import AttemptRecorded
from hookrt.runtime.feed import KEPT, LINGER_S, Feed, Wanted
from hookrt.store.memory.store import MemoryStore
from hookrt.testing import FakeClock


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.observers: list = []
        self.waiters = Waiters(MemoryStore(self.clock), self.clock)
        self.feed = Feed("run_1", self.clock, self.observers, self.waiters)

    def attempt(self, delivery: str, status: Status = Status.SUCCEEDED, outcome: str = "done") -> None:
        for observer in list(self.observers):
            observer.attempt_recorded(
                AttemptRecorded(delivery, "h", "lane", "webhook", Attempt(1, "webhook", 0, 5, outcome), status)
            )

    def finish(self, delivery: str, status: Status) -> None:
        self.waiters.finished(Delivery(delivery, "h", "lane", status, 0, 0, 0, reason="expired"))


def follow(world: World, scenario) -> None:
    async def run() -> None:
        place = (await world.feed.follow(Wanted(), None, 0)).next
        await scenario(place)

    asyncio.run(run())


def test_an_end_that_its_attempt_has_told_is_not_told_again():
    world = World()

    async def scenario(place: str) -> None:
        world.attempt("d1")
        world.finish("d1", Status.SUCCEEDED)
        world.finish("d2", Status.DEAD)
        news = await world.feed.follow(Wanted(), place, 0)
        assert [(one.delivery, one.step, one.reason) for one in news.items] == [
            ("d1", "webhook", None),
            ("d2", None, "expired"),
        ]

    follow(world, scenario)


def test_what_is_too_much_to_keep_is_counted_as_missed():
    world = World()

    async def scenario(place: str) -> None:
        for n in range(KEPT + 7):
            world.attempt(f"d{n}")
        news = await world.feed.follow(Wanted(), place, 0, most=3)
        assert (news.missed, [one.delivery for one in news.items]) == (7, ["d7", "d8", "d9"])
        rest = await world.feed.follow(Wanted(), news.next, 0, most=KEPT)
        assert (rest.missed, len(rest.items)) == (0, KEPT - 3)

    follow(world, scenario)


def test_the_feed_ends_when_nobody_has_asked_for_a_while():
    world = World()

    async def scenario(place: str) -> None:
        world.clock.advance(LINGER_S - 1)
        world.attempt("d1")
        await asyncio.sleep(0)
        assert world.observers == [world.feed]
        world.clock.advance(2)
        world.attempt("d2")
        await asyncio.sleep(0)
        assert world.observers == []
        assert world.waiters.on_finish is None
        news = await world.feed.follow(Wanted(), place, 0)
        assert (news.items, news.missed) == ([], 2)

    follow(world, scenario)


def test_a_dead_delivery_and_an_attempt_that_is_not_done_count_as_failed():
    world = World()

    async def scenario(place: str) -> None:
        world.attempt("d1")
        world.attempt("d2", Status.WAITING, "retry")
        world.attempt("d3", Status.SUCCEEDED, "reject")
        world.finish("d4", Status.DEAD)
        world.finish("d5", Status.SUCCEEDED)
        news = await world.feed.follow(Wanted(failed=True), place, 0)
        assert [one.delivery for one in news.items] == ["d2", "d3", "d4"]

    follow(world, scenario)


@pytest.mark.parametrize(
    "place", ["", "7", "-7", "run_1", "run_1-", "run_1--7", "run_1-x", "run_1-٧", "run_1-" + "7" * 20]
)
def test_what_is_no_place_is_refused_and_nothing_is_collected_for_it(place: str):
    world = World()
    with pytest.raises(UsageError, match="is no place to go on from"):
        asyncio.run(world.feed.follow(Wanted(), place, 0))
    assert world.observers == []


def test_closing_answers_whoever_waits():
    world = World()

    async def scenario(place: str) -> None:
        waiting = asyncio.create_task(world.feed.follow(Wanted(), place, 600))
        await asyncio.sleep(0)
        world.feed.close()
        async with asyncio.timeout(20):
            assert (await waiting).items == []
            assert (await world.feed.follow(Wanted(), place, 600)).items == []

    follow(world, scenario)
