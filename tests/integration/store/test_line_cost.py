"""Cost that does not grow with the length of a line: neither to claim, nor to save, nor to pass the turn."""

from functools import partial

from hookrt.model.delivery import Status
from hookrt.store.contract import Recording
from hookrt.store.keys import Burst, Keys, Window
from hookrt.store.sqlite.claiming import choose
from hookrt.store.sqlite.group import apply_group
from hookrt.store.sqlite.work import EventRows, Record, Save

FEW, MANY = 200, 20_000
KEYS = Keys(order="k", skip=True)


def turns_of(session, work) -> int:
    """How often SQLite's machine turned, in tens of instructions."""
    turns = [0]

    def turn() -> int:
        turns[0] += 1
        return 0

    session.connection.set_progress_handler(turn, 10)
    work()
    session.connection.set_progress_handler(None, 10)
    return turns[0]


def test_a_line_of_many_costs_what_a_line_of_few_does(place) -> None:
    async def add(store, begin: int, end: int) -> None:
        await store.save_all([place.event(f"e{n}", place.delivery(f"d{n}", keys=KEYS)) for n in range(begin, end)])

    def claim(session, _=None) -> int:
        return turns_of(session, lambda: choose(session, place.claim(), place.clock.now_us(), ""))

    def save(session, _, name: str) -> int:
        keys = Keys(order="k", dedupe=Window(name, 1), debounce=Burst("b", 10**12))
        rows = EventRows(place.event(f"e{name}", place.delivery(f"d{name}", keys=keys)), place.clock.now_us())
        return turns_of(session, lambda: apply_group(session, [Save((rows,))]))

    def end(session, _, recording) -> int:
        return turns_of(session, lambda: apply_group(session, [Record(recording, 0)]))

    async def costs(store, name: str) -> list[int]:
        found = [await store._read(claim), await store._change(partial(save, name=name))]
        [claimed] = await store.claim_due(place.claim())
        later, one = place.clock.now_us() + 10**12, claimed.delivery
        recording = Recording(one.id, one.lease_token, Status.WAITING, "crm", later, 0, attempts=1)
        return [*found, await store._change(partial(end, recording=recording))]

    async def scenario(store) -> None:
        await add(store, 0, FEW)
        await costs(store, "first")  # which finds no burst to go on with
        few = await costs(store, "few")
        await add(store, FEW, MANY)
        many = await costs(store, "many")
        for before, after in zip(few, many, strict=True):
            assert after <= before * 1.3 + 5, (few, many)

    place.run(scenario)
