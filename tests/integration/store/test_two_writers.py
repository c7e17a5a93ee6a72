"""RULES "Identity": also to another process, a second event is a duplicate of the first, after the first's commit."""

import asyncio

from hookrt.store.contract import Saved

FIRST = """
import asyncio, sqlite3, sys
from functools import partial
from pathlib import Path

class Connection(sqlite3.Connection):
    held = False

    def execute(self, sql, *parameters):
        if sql == "COMMIT" and Connection.held:
            print("written", flush=True)
            sys.stdin.readline()
        return super().execute(sql, *parameters)

sqlite3.connect = partial(sqlite3.connect, factory=Connection)

from hookrt.clock import SystemClock, from_us
from hookrt.model.event import Event
from hookrt.store.contract import NewDelivery, NewEvent
from hookrt.store.sqlite.store import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock())
    await store.open()
    Connection.held = True
    event = Event("e1", "User.Created", "http", from_us(0), content=b'{"n": 1}')
    deliveries = [NewDelivery(name, "welcome", "crm", 0, 2**52) for name in ("d1", "d2")]
    print(await store.save(NewEvent(event, b"same", 0, deliveries)), flush=True)
    Connection.held = False
    await store.close()

asyncio.run(main())
"""


def test_a_second_event_of_another_process_is_answered_after_the_firsts_commit_with_its_deliveries(place) -> None:
    async def scenario(store) -> None:
        first = place.child(FIRST)
        assert first.stdout.readline() == "written\n"
        second = asyncio.ensure_future(store.save(place.event("e1", place.delivery("d3"))))
        for _ in range(20):
            assert await store.event("http", "e1") is None  # the first one is not on disk,
        assert not second.done()  # so that nobody is told of it
        said, _ = await asyncio.to_thread(first.communicate, "\n")
        assert said.strip() == repr(Saved(("d1", "d2")))
        assert await second == Saved(("d1", "d2"), duplicate=True)
        assert [one.id for one in (await store.event("http", "e1")).deliveries] == ["d1", "d2"]

    place.run(scenario)
