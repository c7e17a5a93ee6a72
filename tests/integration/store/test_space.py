"""The space of a SQLite file: freed by retention, given back in small bites, told of exactly."""

import asyncio

import pytest

from hookrt.model.delivery import Status
from hookrt.store.contract import Recording
from hookrt.store.job_contract import Stretch
from hookrt.store.retention_contract import Ages

DAY_US = 24 * 3_600_000_000
BARE = Ages(DAY_US)
ALL = Stretch(0, 2**62, 1000)


async def fill(place, store, count: int, size: int) -> None:
    """Events whose deliveries have succeeded, and one more that stays."""
    for n in range(count):
        made = place.delivery(f"d{n}", lease=place.lease(n + 1))
        await store.save(place.event(f"e{n}", made, content=b"x" * size, binary=True))
        now_us = place.clock.now_us()
        await store.record(Recording(f"d{n}", n + 1, Status.SUCCEEDED, "crm", now_us, now_us))
    await store.save(place.event("newest", place.delivery("dn")))


def later(place, days: int = 2) -> int:
    return place.clock.now_us() + days * DAY_US


async def empty(place, store) -> None:
    positions = [aged.position for aged in await store.retention.look(ALL)]
    assert (await store.retention.remove(positions, BARE, later(place))).events == len(positions) - 1


def test_what_is_removed_is_free_and_given_back_bite_by_bite(place) -> None:
    async def scenario(store) -> None:
        await fill(place, store, 100, 50_000)
        before = await store.retention.size()
        assert before.bytes > 5_000_000
        await empty(place, store)
        freed = await store.retention.size()
        assert freed.free > 4_500_000
        assert 200_000 < await store.retention.give_back(256 * 1024) <= 256 * 1024
        while await store.retention.give_back(256 * 1024):
            pass
        assert (await store.retention.size()).free == 0
        pages = await store._read(lambda session: session.connection.execute("PRAGMA page_count").fetchone()[0])
        assert pages * 4096 < 500_000

    place.run(scenario)
    assert place.path.stat().st_size < 500_000


def test_a_dropped_payload_frees_its_space_and_keeps_its_row(place) -> None:
    async def scenario(store) -> None:
        await fill(place, store, 20, 50_000)
        ages = Ages(DAY_US, payload_us=0, succeeded_us=7 * DAY_US, cancelled_us=1, dead_us=1, unmatched_us=1)
        positions = [aged.position for aged in await store.retention.look(ALL)]
        assert await store.retention.drop_payloads(positions, ages, later(place)) == 20
        assert (await store.retention.size()).free > 900_000
        assert (await store.retention.figures()).events == 21

    place.run(scenario)


def test_removing_goes_on_beside_saves_and_counts_stay_exact(place) -> None:
    async def scenario(store) -> None:
        await fill(place, store, 300, 10)
        saved = 0

        async def save() -> None:
            nonlocal saved
            while not done.is_set():
                await store.save(place.event(f"n{saved}", place.delivery(f"m{saved}")))
                saved += 1

        done = asyncio.Event()
        saving = asyncio.create_task(save())
        aged = await store.retention.look(ALL)
        for start in range(0, 300, 20):
            batch = [one.position for one in aged[start : start + 20]]
            await store.retention.remove(batch, BARE, later(place))
        done.set()
        await saving
        figures = await store.retention.figures()
        rows = await store._read(
            lambda session: session.connection.execute(
                "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM deliveries)"
            ).fetchone()
        )
        assert rows == (figures.events, figures.deliveries) == (saved + 1, saved + 1)
        counts = await store.counts()
        assert (counts[Status.PENDING], counts[Status.SUCCEEDED]) == (saved + 1, 0)

    place.run(scenario)


def test_what_was_removed_is_known_after_a_restart(place) -> None:
    async def first(store) -> None:
        await fill(place, store, 10, 10)
        await empty(place, store)

    async def second(store) -> None:
        figures = await store.retention.figures()
        assert (figures.events, figures.deliveries) == (1, 1)

    place.run(first)
    place.run(second)


@pytest.mark.parametrize("name", ["aged_events", "aged_at", "remove_deliveries", "remove_attempts", "expired_values"])
def test_what_retention_asks_goes_through_indexes(place, name) -> None:
    parameters = {"aged_events": (0, 10**9, 500), "expired_values": (1, 2)}.get(name, ("[1]",))

    async def scenario(store) -> None:
        plan = await store._read(
            lambda session: session.connection.execute(
                f"EXPLAIN QUERY PLAN {session._statements[name].sql}", parameters
            ).fetchall()
        )
        assert not [step[3] for step in plan if step[3].startswith(("SCAN d", "SCAN e", "SCAN a", "SCAN k"))]

    place.run(scenario)
