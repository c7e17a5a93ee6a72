"""Cost that does not grow with the backlog: the hot queries go through indexes, and nothing is scanned or sorted."""

import json

import pytest

from hookrt.model.delivery import Status
from hookrt.store.contract import DeliveryQuery
from hookrt.store.sqlite.claiming import choose
from hookrt.store.sqlite.statements import load_statements

PENDING = 20_000
LISTING = {
    "before": 10**9, "limit": 50, "hook": "h7", "event_source": None, "event_id": "e1", "since": None, "until": None,
    "reason": None, "id": "e1", "type": "User.Created", "source": None,
}  # fmt: skip

PLANS = {
    "due_in_lane": ("crm", 10**16, 32),
    "expired_leases": (10**16, "me"),
    "next_due": (0,),
    "next_expiry": (0,),
    "leased": (None,),
    "renew_leases": ("me", 1),
    "unleased_of_hook": ("h7", "file", 0, 2000),
    "held_for": (0, "removed", 10**16, 2000),
    "state_of": ("d7",),
    "turn": ("h7", "k"),
    "first_behind": ("h7", "k"),
    "first_passed": ("h7", "k"),
    "newest_of_burst": ("h7", "k"),
    "ahead_of": ("d7",),
    "order_keys_of": (json.dumps([1, 2, 3]),),
    "window_since": ("h7", "dedupe", "k"),
    "delete_old_windows": (10**16, 100),
    "count_values": ("state/h7/python", 10**16),
    "event": ("e1", "http"),
    "delivery": ("d7",),
    "deliveries_of_event": (7,),
    "first_deliveries": (7,),
    "attempts": ("d7",),
    "deliveries_by_seq": (json.dumps([1, 2, 3]),),
    "list_of_hook": LISTING | {"status": "succeeded"},
    "list_unleased_of_hook": LISTING | {"status": "pending"},
    "list_in_status": LISTING | {"status": "dead"},
    "list_running": LISTING,
    "list_of_event": LISTING | {"status": None},
    "list_newest": LISTING,
    "events_newest": LISTING,
    "events_of_type": LISTING,
    "events_with_id": LISTING,
}
MAY_SORT = {"list_running", "list_of_event", "events_with_id", "expired_leases"}  # few: what is leased, or has one id
MAY_WALK = {"list_newest": "SCAN d", "events_newest": "SCAN e"}  # down by number from the cursor, as far as the limit


@pytest.fixture
def filled(place):
    async def fill(store) -> None:
        lanes = [f"lane{n}" for n in range(50)]
        await store.save_all([
            place.event(f"e{n}", place.delivery(f"d{n}", lane=lanes[n % 50] if n % 2 else "crm", hook=f"h{n % 100}"))
            for n in range(PENDING)
        ])  # fmt: skip

    place.run(fill)
    return place


def explain(session, sql, parameters) -> list[str]:
    return [row[3] for row in session.connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]


def test_no_hot_query_scans_or_sorts_the_backlog(filled) -> None:
    statements = load_statements()

    async def scenario(store) -> None:
        for name, parameters in PLANS.items():
            if isinstance(parameters, dict):
                parameters = {key: value for key, value in parameters.items() if f":{key}" in statements[name].sql}
            sql = statements[name].sql
            plan = await store._change(lambda session, _, sql=sql, values=parameters: explain(session, sql, values))
            for step in plan:
                walks = step.startswith(("SCAN d", "SCAN e", "SCAN a")) and "deliveries_leased" not in step
                assert not walks or step == MAY_WALK.get(name), (name, plan)
                assert "USE TEMP B-TREE" not in step or name in MAY_SORT, (name, plan)

    filled.run(scenario)


def test_lanes_are_found_by_skipping_from_one_to_the_next(filled) -> None:
    statements = load_statements()

    async def scenario(store) -> None:
        sql = statements["next_lanes"].sql
        plan = await store._read(lambda session: explain(session, sql, ("", 256)))
        steps = [step for step in plan if "deliveries" in step or " d " in step]
        assert steps
        assert all(step.startswith("SEARCH") and "deliveries_due" in step for step in steps)

    filled.run(scenario)


@pytest.mark.parametrize("name", ["find_events", "find_leased", "update_deliveries", "lease_deliveries"])
def test_writing_finds_its_rows_by_index(filled, name) -> None:
    statement = load_statements()[name]

    async def scenario(store) -> None:
        values = [0] * statement.width * 16
        plan = await store._change(lambda session, _: explain(session, statement.for_rows(16), values))
        searched = [step for step in plan if step.startswith("SEARCH")]
        assert len(searched) == 1
        assert "INTEGER PRIMARY KEY" in searched[0] or "INDEX" in searched[0]
        assert not any(step.startswith(("SCAN deliveries", "SCAN d", "SCAN e")) for step in plan)

    filled.run(scenario)


def test_the_steps_of_a_claim_do_not_grow_with_the_backlog(place) -> None:
    def steps(session) -> int:
        """How often SQLite's machine turned, in hundreds of instructions, to choose what a claim leases."""
        turns = [0]

        def turn() -> int:
            turns[0] += 1
            return 0

        session.connection.set_progress_handler(turn, 100)
        assert len(choose(session, place.claim(), place.clock.now_us(), "").claimed) == 100
        session.connection.set_progress_handler(None, 100)
        return turns[0]

    async def scenario(store) -> None:
        async def add(begin: int, end: int) -> None:
            await store.save_all([place.event(f"e{n}", place.delivery(f"d{n}")) for n in range(begin, end)])

        await add(0, 500)
        few = await store._read(steps)
        assert few > 10
        await add(500, PENDING)
        assert await store._read(steps) <= few * 1.1

    place.run(scenario)


def test_a_delivery_handed_over_in_memory_touches_no_index_of_the_backlog(place) -> None:
    def open_rows(session):
        return [
            session.connection.execute(
                f"SELECT count(*) FROM deliveries INDEXED BY {index} WHERE status IN {statuses}"
            ).fetchone()[0]
            for index, statuses in (
                ("deliveries_due", "('pending', 'waiting') AND blocked = 0"),
                ("deliveries_next", "('pending', 'waiting') AND blocked = 0"),
                ("deliveries_unleased", "('pending', 'waiting', 'held')"),
            )
        ]

    async def scenario(store) -> None:
        await store.save(place.event("e1", place.delivery("d1", lease=place.lease(1))))
        assert await store._read(open_rows) == [0, 0, 0]
        await store.save(place.event("e2", place.delivery("d2")))
        assert await store._read(open_rows) == [1, 1, 1]

    place.run(scenario)


def test_pages_reach_the_oldest_rows_without_repeating_one(filled) -> None:
    async def scenario(store) -> None:
        seen, cursor = 0, None
        while True:
            page = await store.deliveries(DeliveryQuery(hook="h8", statuses=(Status.PENDING,), cursor=cursor, limit=70))
            seen += len(page.items)
            if (cursor := page.next) is None:
                break
        assert seen == PENDING // 100

    filled.run(scenario)
