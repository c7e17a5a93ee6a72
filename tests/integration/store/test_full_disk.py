"""RULES "Disk full": an error that says so, nothing half, and on again when there is space."""

import asyncio
import sqlite3

import pytest

from hookrt.errors import StoreError, StoreFull
from hookrt.store.contract import Recorded, Recording, Saved, Status

LIMITED = """
import asyncio, resource, signal, sys
from pathlib import Path
from hookrt.clock import SystemClock, from_us
from hookrt.errors import StoreError
from hookrt.model.event import Event
from hookrt.store.contract import NewEvent
from hookrt.store.sqlite.store import SqliteStore

def new(n):
    return NewEvent(Event(f"e{n}", "A.B", "http", from_us(0), content=b"x" * 20_000), b"d", 0)

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock())
    await store.open()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, most))
    saved = 0
    try:
        for n in range(1000):
            await store.save(new(n))
            saved += 1
    except StoreError as error:
        print(type(error).__name__, "|", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    await store.save(new(5000))
    print(saved, (await store.event("http", "e5000")) is not None, await store.event("http", f"e{saved}"))
    await store.close()

asyncio.run(main())
"""


async def limit_pages(store, extra: int | None) -> None:
    """Let the file grow by so many pages and no more, as a full disk does; None: as far as it likes."""

    def limit(session, tally) -> None:
        pages = session.connection.execute("PRAGMA page_count").fetchone()[0]
        session.connection.execute(f"PRAGMA max_page_count = {pages + extra if extra is not None else 2**30}")

    await store._change(limit)


def test_a_full_disk_is_said_and_leaves_nothing_half(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e0", place.delivery("d0", lease=place.lease(7))))
        await limit_pages(store, 2)
        big = place.event("big", place.delivery("d1"), content=b"x" * 100_000)
        with pytest.raises(StoreFull, match="no space left"):
            await store.save(big)
        assert await store.event("http", "big") is None
        assert await store.delivery("d1") is None
        with pytest.raises(StoreFull):
            await store.save_all([place.event("small"), big])
        assert await store.event("http", "small") is None
        await limit_pages(store, None)
        assert await store.save(big) == Saved(("d1",))
        assert await store.record(Recording("d0", 7, Status.SUCCEEDED, "crm", 0, 0)) is Recorded.DONE

    place.run(scenario)


def test_on_a_full_disk_what_fits_is_still_saved(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e0"))
        await limit_pages(store, 3)
        saves = [place.event(f"e{n}", content=b"x" * (200_000 if n % 2 else 1)) for n in range(1, 7)]
        done = await asyncio.gather(*map(store.save, saves), return_exceptions=True)
        assert [isinstance(one, StoreFull) for one in done] == [True, False] * 3
        stored = [await store.event("http", f"e{n}") is not None for n in range(1, 7)]
        assert stored == [False, True] * 3

    place.run(scenario)


def test_a_write_that_the_system_refuses_is_said_and_works_again_later(place) -> None:
    process = place.child(LIMITED)
    said, after, *_ = process.communicate()[0].splitlines()
    assert said.startswith("Store")
    assert "Traceback" not in said
    saved, new_is_there, failed_one = after.split(maxsplit=2)
    assert int(saved) > 5
    assert (new_is_there, failed_one) == ("True", "None")


def test_a_writer_that_another_process_blocks_waits_and_then_gives_up(place, monkeypatch) -> None:
    monkeypatch.setattr("hookrt.store.sqlite.connection.BUSY_S", 0.2)

    async def scenario(store) -> None:
        blocker = sqlite3.connect(place.path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        blocked = [asyncio.ensure_future(store.save(place.event(f"e{n}"))) for n in range(20)]
        with pytest.raises(StoreError, match="another process has been writing"):
            await blocked[0]
        assert await store.event("http", "e0") is None  # reading goes on
        blocker.execute("ROLLBACK")
        blocker.close()
        await asyncio.gather(*blocked, return_exceptions=True)
        assert await store.save(place.event("later")) == Saved(())

    place.run(scenario)


def test_a_writer_waits_for_another_process_that_is_quick(place) -> None:
    async def scenario(store) -> None:
        blocker = sqlite3.connect(place.path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        save = asyncio.ensure_future(store.save(place.event("e1")))
        for _ in range(20):  # the loop stays alive meanwhile, and other calls are answered
            assert await store.event("http", "e1") is None
        assert not save.done()
        blocker.execute("COMMIT")
        blocker.close()
        assert await save == Saved(())

    place.run(scenario)
