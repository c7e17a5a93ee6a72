"""RULES "Deliveries": items that wait together share a transaction, and a failing one fails alone."""

import asyncio

from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.store.contract import Recorded, Recording, Saved


async def trace(store) -> list[str]:
    """The statements that the writing connection runs from now on."""
    seen: list[str] = []

    def begin(session, tally) -> None:
        session.connection.set_trace_callback(seen.append)

    await store._change(begin)
    seen.clear()  # it saw its own commit
    return seen


def test_what_is_queued_together_is_committed_together(place) -> None:
    async def scenario(store) -> None:
        seen = await trace(store)
        leases = [place.lease(n + 1) for n in range(300)]
        saves = [place.event(f"e{n}", place.delivery(f"d{n}", lease=lease)) for n, lease in enumerate(leases)]
        await asyncio.gather(*map(store.save, saves))
        assert seen.count("COMMIT") == 1
        records = [Recording(f"d{n}", n + 1, Status.SUCCEEDED, "crm", 0, 0) for n in range(300)]
        done = await asyncio.gather(*map(store.record, records), *(store.put("a", str(n), b"v") for n in range(10)))
        assert done[:300] == [Recorded.DONE] * 300
        assert seen.count("COMMIT") == 2
        assert not any(sql.startswith("SAVEPOINT") for sql in seen)

    place.run(scenario)


def test_a_failing_item_costs_the_others_one_more_try_in_savepoints(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e0", place.delivery("taken")))
        seen = await trace(store)
        saves = [place.event(f"n{n}", place.delivery("taken" if n == 5 else f"d{n}")) for n in range(10)]
        done = await asyncio.gather(*map(store.save, saves), return_exceptions=True)
        assert [isinstance(one, StoreError) for one in done] == [n == 5 for n in range(10)]
        assert seen.count("COMMIT") == 1
        assert sum(sql.startswith("SAVEPOINT") for sql in seen) == 10
        assert (await store.counts())[Status.PENDING] == 10

    place.run(scenario)


def test_a_caller_that_gives_up_disturbs_nobody(place) -> None:
    async def scenario(store) -> None:
        tasks = [asyncio.create_task(store.save(place.event(f"e{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert done[1::2] == [Saved(())] * 10
        assert all(isinstance(one, asyncio.CancelledError) for one in done[::2])
        assert await store.save(place.event("later")) == Saved(())

    place.run(scenario)


def test_closing_writes_what_is_queued(place) -> None:
    async def scenario() -> list[Saved]:
        async with place.opened() as store:
            saves = [asyncio.ensure_future(store.save(place.event(f"e{n}"))) for n in range(50)]
            await asyncio.sleep(0)
        return await asyncio.gather(*saves)

    assert asyncio.run(scenario()) == [Saved(())] * 50
    assert place.run(lambda store: store.event("http", "e49")) is not None


def test_order_of_commit_is_the_order_of_asking(place) -> None:
    async def scenario(store) -> None:
        saves = [store.save(place.event(f"e{n}", place.delivery(f"d{n}"))) for n in range(100)]
        await asyncio.gather(*saves)
        claimed = []
        while more := await store.claim_due(place.claim()):
            claimed += [one.delivery.id for one in more]
        assert claimed == [f"d{n}" for n in range(100)]

    place.run(scenario)


def test_saves_go_on_beside_a_loop_that_never_rests(place) -> None:
    async def scenario(store) -> None:
        stop = asyncio.Event()

        async def spin() -> None:
            while not stop.is_set():
                sum(range(2_000))
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            for _ in range(40):
                group.create_task(spin())
            for n in range(20):
                await asyncio.gather(
                    *(store.save(place.event(f"e{n}.{k}", place.delivery(f"d{n}.{k}"))) for k in range(20))
                )
            assert (await store.counts())[Status.PENDING] == 400
            stop.set()

    place.run(scenario)
