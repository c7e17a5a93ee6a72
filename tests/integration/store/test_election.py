"""RULES "Processes": exactly one process delivers, and another takes over when it dies."""

import asyncio
import os

import pytest

from hookrt.errors import UsageError
from hookrt.model.delivery import Status
from hookrt.store.contract import Recorded, Recording

LEADER = """
import asyncio, sys
from pathlib import Path
from hookrt.clock import SystemClock
from hookrt.store.contract import Claim
from hookrt.store.sqlite.store import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock())
    await store.open()
    print(await store.lead(), flush=True)
    claimed = await store.claim_due(Claim("leader", 1, 10**12, free_elsewhere=9))
    print(len(claimed), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await store.close()

asyncio.run(main())
"""

FORKING = """
import os, sys, time
from pathlib import Path
from hookrt.store.sqlite.lock import LeaderLock

lock = LeaderLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
child = os.fork()
if child == 0:
    print("child", lock.held, flush=True)
    sys.stdin.read()
    os._exit(0)
sys.stdin.readline()
os._exit(0)
"""


def test_exactly_one_process_leads_and_another_takes_over_when_it_is_killed(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", place.delivery("d1"), place.delivery("d2")))
        process = place.child(LEADER)
        assert [process.stdout.readline(), process.stdout.readline()] == ["True\n", "2\n"]
        assert not await store.lead()
        assert await store.leader() == f"process {process.pid}"
        assert (await store.counts())[Status.RUNNING] == 2
        process.kill()
        process.wait()
        assert await store.leader() is None
        assert await store.lead()
        assert await store.leader() == f"process {os.getpid()}"
        assert (await store.counts())[Status.PENDING] == 2
        dead = Recording("d1", 1, Status.SUCCEEDED, "crm", 0, 0)
        assert await store.record(dead) is Recorded.STALE
        assert len(await store.claim_due(place.claim())) == 2

    place.run(scenario)


def test_a_leader_that_closes_lets_another_lead(place) -> None:
    async def scenario(store) -> None:
        process = place.child(LEADER)
        process.stdout.readline()
        assert not await store.lead()
        process.communicate("\n")
        assert await store.lead()

    place.run(scenario)


def test_any_process_may_emit_and_read_beside_the_leader(place) -> None:
    async def scenario(store) -> None:
        process = place.child(LEADER)
        assert [process.stdout.readline(), process.stdout.readline()] == ["True\n", "0\n"]
        await asyncio.gather(*(store.save(place.event(f"e{n}", place.delivery(f"d{n}"))) for n in range(50)))
        assert (await store.counts())[Status.PENDING] == 50

    place.run(scenario)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_is_told_that_the_store_is_not_its_own(place) -> None:
    async def scenario(store) -> None:
        assert await store.lead()
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writable, _misuse(store).encode())
            finally:
                os._exit(0)
        os.close(writable)
        os.waitpid(child, 0)
        with os.fdopen(readable) as told:
            text = told.read()
        assert f"opened in process {os.getpid()}" in text
        assert "after the fork" in text
        assert await store.lead()
        async with place.opened() as other:
            assert not await other.lead()

    place.run(scenario)


def _misuse(store) -> str:
    """The first step of each call, as there is no event loop in the child."""
    told = []
    for call in (store.lead(), store.save(None), store.counts(), store.close(), store.leader()):
        try:
            call.send(None)
        except UsageError as error:
            told.append(str(error))
    return told[0] if len(set(told)) == 1 and len(told) == 5 else f"told {told}"


def test_a_forked_child_does_not_keep_the_lead_of_its_dead_parent(place) -> None:
    process = place.child(FORKING)
    assert {process.stdout.readline(), process.stdout.readline()} == {"True\n", "child False\n"}
    process.kill()
    process.wait()

    async def scenario(store) -> None:
        assert await store.lead()

    place.run(scenario)
