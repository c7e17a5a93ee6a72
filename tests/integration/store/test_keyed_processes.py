"""Keys between processes, and over a kill: what was decided is on disk, and nobody is forgotten."""

from hookrt.model.delivery import Status
from hookrt.store.contract import DeliveryQuery, Recording

SAVE = """
import asyncio, sys
from pathlib import Path
from hookrt.clock import SystemClock, from_us
from hookrt.model.event import Event
from hookrt.store.contract import NewDelivery, NewEvent
from hookrt.store.keys import Keys, Window
from hookrt.store.sqlite.store import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock())
    await store.open()
    print("open", flush=True)
    sys.stdin.readline()

    async def save(n):
        keys = Keys(order=f"o{n % 3}", dedupe=Window(f"w{n}", 3_600_000_000))
        name = f"{sys.argv[2]}-{n}"
        made = NewDelivery("d-" + name, "welcome", "crm", store.now_us(), 2**52, keys=keys)
        await store.save(NewEvent(Event(name, "A.B", "http", from_us(0)), b"d", 0, [made]))

    for begin in range(0, int(sys.argv[3]), 10):
        await asyncio.gather(*(save(n) for n in range(begin, begin + 10)))
        print("saved", begin + 10, flush=True)

asyncio.run(main())
"""


async def all_of(store):
    found, cursor = [], None
    while True:
        page = await store.deliveries(DeliveryQuery(cursor=cursor, limit=100))
        found += page.items
        if (cursor := page.next) is None:
            return list(reversed(found))


async def deliver_all(store, place) -> list[str]:
    """Claim and end whatever may be claimed, until there is nothing any more."""
    order: list[str] = []
    while claimed := await store.claim_due(place.claim()):
        assert len({one.delivery.order_key for one in claimed}) == len(claimed)
        for one in claimed:
            order.append(one.delivery.id)
            end = Recording(one.delivery.id, one.delivery.lease_token, Status.SUCCEEDED, "crm", 0, 0)
            await store.record(end)
    return order


def check_order(deliveries, order) -> None:
    for key in ("o0", "o1", "o2"):
        committed = [one.id for one in deliveries if one.order_key == key and one.status is not Status.CANCELLED]
        assert [name for name in order if name in set(committed)] == committed


def test_processes_that_save_at_the_same_time_cannot_race(place) -> None:
    place.run(lambda store: store.counts())
    children = [place.child(SAVE, name, "40") for name in "abc"]
    for child in children:
        assert child.stdout.readline() == "open\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
        assert child.returncode == 0

    async def scenario(store) -> None:
        deliveries = await all_of(store)
        assert len(deliveries) == 120
        for n in range(40):
            ones = [one for one in deliveries if one.id.endswith(f"-{n}")]
            assert sorted(one.status for one in ones) == [Status.CANCELLED, Status.CANCELLED, Status.PENDING]
            assert ones[0].status is Status.PENDING  # the first in the order of commit wins
        check_order(deliveries, await deliver_all(store, place))
        assert Status.PENDING not in {one.status for one in await all_of(store)}

    place.run(scenario)


def test_a_kill_loses_no_key_and_no_window(place) -> None:
    child = place.child(SAVE, "a", "100000")
    assert child.stdout.readline() == "open\n"
    child.stdin.write("go\n")
    child.stdin.flush()
    while child.stdout.readline() != "saved 100\n":
        pass
    child.kill()
    child.wait()

    async def scenario(store) -> None:
        before = await all_of(store)
        assert len(before) >= 100
        again = place.child(SAVE, "b", "100")
        again.communicate("go\n")
        after = await all_of(store)
        assert all(one.status is Status.CANCELLED for one in after[len(before) :])
        order = await deliver_all(store, place)
        assert len(order) == len(before)
        check_order(before, order)

    place.run(scenario)
