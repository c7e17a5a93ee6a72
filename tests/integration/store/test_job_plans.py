"""A job reads the backlog in stretches through indexes, and sorts none of it."""

import pytest

from hookrt.store.sqlite.statements import load_statements

WALK = {
    "status": "dead", "after": 100, "last": 10**9, "limit": 50, "hook": "h7", "since": None, "until": None,
    "reason": None, "unreplayed": 1, "type": "User.Created", "source": None, "without_hook": "h7",
}  # fmt: skip
THROUGH = {
    "walk_in_status": "SEARCH d USING INDEX deliveries_status (status=? AND rowid>? AND rowid<?)",
    "count_in_status": "SEARCH d USING INDEX deliveries_status (status=? AND rowid>? AND rowid<?)",
    "walk_running": "SCAN d USING INDEX deliveries_leased",
    "walk_events": "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    "count_events": "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    "walk_events_of_type": "SEARCH e USING INDEX events_type (type=? AND rowid>? AND rowid<?)",
    "count_events_of_type": "SEARCH e USING INDEX events_type (type=? AND rowid>? AND rowid<?)",
}


@pytest.mark.parametrize("name", THROUGH)
def test_a_stretch_is_read_through_an_index(place, name):
    sql = load_statements()[name].sql
    values = {key: value for key, value in WALK.items() if f":{key}" in sql}

    async def scenario(store):
        rows = await store._read(
            lambda session: session.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        )
        plan = [row[3] for row in rows]
        assert THROUGH[name] in plan, plan
        sorts = any("TEMP B-TREE" in step for step in plan)
        assert not sorts or name == "walk_running", "few: what is leased"
        assert not [step for step in plan if step.startswith("SCAN") and "deliveries_leased" not in step], plan

    place.run(scenario)
