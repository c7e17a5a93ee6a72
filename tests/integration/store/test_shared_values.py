"""A checked change of a value is atomic across processes, and a value survives the end of the one that stored it."""

import asyncio

from hookrt.delivery.stored_state import StoredState

ADDS = 40

ADDER = """
import asyncio, sys
from pathlib import Path
from hookrt.clock import SystemClock
from hookrt.delivery.stored_state import StoredState
from hookrt.store.sqlite.store import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock())
    await store.open()
    print("ready", flush=True)
    sys.stdin.readline()
    state = StoredState(store, "state/h/a")
    for _ in range(int(sys.argv[2])):
        await state.add("n")
    print("done", flush=True)
    sys.stdin.readline()  # and is killed

asyncio.run(main())
"""


def test_additions_of_several_processes_do_not_get_lost(place) -> None:
    async def scenario(store) -> None:
        others = [place.child(ADDER, str(ADDS)) for _ in range(2)]
        for other in others:
            assert other.stdout.readline() == "ready\n"
        for other in others:
            other.stdin.write("\n")
            other.stdin.flush()
        state = StoredState(store, "state/h/a")
        for _ in range(ADDS):
            await state.add("n")
        for other in others:
            assert await asyncio.to_thread(other.stdout.readline) == "done\n"
            other.kill()
        assert await state.get("n") == 3 * ADDS

    place.run(scenario)
    place.run(kept)


async def kept(store) -> None:
    assert await StoredState(store, "state/h/a").get("n") == 3 * ADDS
