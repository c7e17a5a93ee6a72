"""A copy of the file while others write to it, and the file made smaller while others use it."""

import asyncio
import sqlite3
import stat
from contextlib import closing

import pytest

from hookrt.errors import StoreError, StoreLocked
from hookrt.model.delivery import Status
from hookrt.store.contract import EventQuery
from hookrt.store.job_contract import Stretch
from hookrt.store.retention_contract import Ages
from hookrt.store.sqlite.backup import back_up
from hookrt.store.sqlite.store import SqliteStore
from hookrt.store.sqlite.upkeep import read_facts, rewrite, shrink

URL = "sqlite:///x"


def quiet(done: int, total: int) -> None:
    """Nobody watches."""


def filled(place, count: int = 50, size: int = 20_000) -> None:
    async def scenario(store) -> None:
        await store.save_all([place.event(f"e{n}", content=b"x" * size, binary=True) for n in range(count)])

    place.run(scenario)


def copies(place) -> list[str]:
    return sorted(path.name for path in place.path.parent.iterdir() if not path.name.startswith("hookrt.db"))


def test_a_copy_made_while_others_write_is_a_store_at_one_moment(place) -> None:
    target = place.path.with_name("copy.db")
    seen: list[tuple[int, int]] = []
    begun = asyncio.Event()

    async def scenario(store) -> None:
        await store.save_all([place.event(f"e{n}", content=b"x" * 50_000, binary=True) for n in range(200)])
        loop, done, saved = asyncio.get_running_loop(), asyncio.Event(), 0

        async def write() -> None:
            nonlocal saved
            while not done.is_set() or saved < 20:
                await store.save(place.event(f"n{saved}", place.delivery(f"m{saved}")))
                saved += 1
                begun.set()

        def progress(copied: int, total: int) -> None:
            seen.append((copied, total))
            asyncio.run_coroutine_threadsafe(store.save(place.event(f"p{len(seen)}")), loop).result(20)

        writing = asyncio.create_task(write())
        await begun.wait()
        size = await asyncio.to_thread(back_up, place.path, URL, target, progress)
        done.set()
        await writing
        assert size == target.stat().st_size > 200 * 50_000

    place.run(scenario)
    assert len(seen) > 2
    assert seen[-1][0] == seen[-1][1]
    assert [copied for copied, _ in seen] == sorted(copied for copied, _ in seen)  # it never began anew

    async def check() -> None:
        async with place.opened(target) as copy:
            events = [one.event.id for one in (await copy.events(EventQuery(limit=1000))).items]
            assert {f"e{n}" for n in range(200)} <= set(events)
            assert "n0" in events
            assert f"p{len(seen)}" not in events
            assert (await copy.counts())[Status.PENDING] == sum(name.startswith("n") for name in events)
            await copy.save(place.event("goes-on"))

    asyncio.run(check())


def test_a_copy_is_for_its_owner_only_and_nothing_else_is_left(place) -> None:
    filled(place)
    target = place.path.with_name("copy.db")
    back_up(place.path, URL, target, quiet)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert copies(place) == ["copy.db"]


def test_a_file_that_is_there_is_overwritten_by_force_only(place) -> None:
    filled(place)
    target = place.path.with_name("copy.db")
    target.write_text("precious")
    with pytest.raises(StoreError, match="--force"):
        back_up(place.path, URL, target, quiet)
    assert target.read_text() == "precious"
    back_up(place.path, URL, target, quiet, force=True)
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT count(*) FROM events").fetchone() == (50,)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", ".lock"])
def test_the_stores_own_files_are_never_overwritten(place, suffix) -> None:
    filled(place)
    with pytest.raises(StoreError, match="belongs to the store"):
        back_up(place.path, URL, place.path.with_name(place.path.name + suffix), quiet, force=True)


def test_an_interrupted_copy_leaves_nothing(place) -> None:
    filled(place)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(place.path, URL, place.path.with_name("copy.db"), interrupt)
    assert copies(place) == []


def test_a_damaged_store_makes_no_backup(place) -> None:
    filled(place)
    with place.path.open("r+b") as file:
        file.seek(4096 * 30)
        file.write(b"\xff" * 4096 * 60)
    with pytest.raises(StoreError):
        back_up(place.path, URL, place.path.with_name("copy.db"), quiet)
    assert copies(place) == []


def test_the_file_of_another_program_is_no_store(place) -> None:
    with closing(sqlite3.connect(place.path)) as other:
        other.execute("CREATE TABLE t (a)")
    for use in (
        lambda: read_facts(place.path, URL),
        lambda: shrink(place.path, URL, quiet),
        lambda: rewrite(place.path, URL),
        lambda: back_up(place.path, URL, place.path.with_name("copy.db"), quiet),
    ):
        with pytest.raises(StoreError, match="no store of hookrt"):
            use()


async def remove_all(place, store) -> None:
    later_us = place.clock.now_us() + 2 * 24 * 3_600_000_000
    positions = [aged.position for aged in await store.retention.look(Stretch(0, 2**62, 1000))]
    await store.retention.remove(positions, Ages(24 * 3_600_000_000), later_us)


def test_free_space_is_given_back_while_a_process_delivers(place) -> None:
    filled(place)

    async def scenario(store: SqliteStore) -> None:
        assert await store.lead()
        await remove_all(place, store)
        before = read_facts(place.path, URL)
        assert before.free_bytes > 900_000
        assert before.delivering is not None
        steps: list[int] = []
        given = await asyncio.to_thread(shrink, place.path, URL, lambda done, total: steps.append(done))
        assert given == before.free_bytes
        assert len(steps) > 2
        assert read_facts(place.path, URL).free_bytes == 0
        with pytest.raises(StoreLocked, match="--full"):
            await asyncio.to_thread(rewrite, place.path, URL)
        await store.save(place.event("goes-on"))

    place.run(scenario)
    assert place.path.stat().st_size < 400_000


def test_a_file_is_written_anew_when_nobody_delivers_from_it(place) -> None:
    filled(place)
    place.run(lambda store: remove_all(place, store))
    before = place.path.stat().st_size
    given = rewrite(place.path, URL)
    assert given > 900_000
    assert place.path.stat().st_size == before - given
    with closing(sqlite3.connect(place.path)) as file:
        assert file.execute("PRAGMA auto_vacuum").fetchone() == (2,)


def test_the_size_is_explained_and_what_is_large_is_reckoned_from_samples(place) -> None:
    filled(place, 30, 20_000)
    facts = read_facts(place.path, URL)
    assert (facts.payload_bytes, facts.estimated, facts.rows["events"]) == (600_000, False, 30)
    assert facts.file_bytes == place.path.stat().st_size
    parts = facts.payload_bytes + facts.exchange_bytes + facts.free_bytes + facts.other_bytes
    assert parts == facts.file_bytes
    assert facts.oldest_us <= facts.newest_us

    async def many(store) -> None:
        for start in range(0, 12_000, 1000):
            batch = [place.event(f"m{n}", content=b"x" * (n % 100), binary=True) for n in range(start, start + 1000)]
            await store.save_all(batch)

    place.run(many)
    facts = read_facts(place.path, URL)
    exact = 600_000 + sum(n % 100 for n in range(12_000))
    assert facts.estimated
    assert 0.5 * exact < facts.payload_bytes < 2 * exact
