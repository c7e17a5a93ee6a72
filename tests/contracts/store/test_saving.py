"""Promises 1 to 3: what is saved is there, whole, once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hookrt.errors import NotFound, StoreError, UsageError
from hookrt.model.delivery import Status, StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.store.contract import NewEvent, Saved
from hookrt.store.keys import Keys


def test_a_saved_event_comes_back_as_it_was(place) -> None:
    event = Event(
        "e-1",
        "User.Créé",
        "https://källa/",
        datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC),
        subject="users/1",
        content=b'{"a": 1.10, "\xc3\xa9": "\\u00e9"}',
        content_type="application/vnd.x+json",
        attributes={"traceparent": "00-x", "n": 3, "flag": True},
        cause="dlv_0",
        depth=2,
    )

    async def scenario(store) -> None:
        await store.save(NewEvent(event, b"d", place.clock.us + 5))
        stored = await store.event(event.source, event.id)
        assert stored.event == event
        assert stored.received_us == place.clock.us + 5
        assert stored.deliveries == ()

    place.run(scenario)


@pytest.mark.parametrize("content", [b"", bytes(range(256)), b"\0", b"null", b"x" * 1_000_000])
def test_content_is_kept_byte_for_byte(place, content) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1", content=content, binary=True))
        assert (await store.event("http", "e1")).event.content == content
        [claimed] = await store.claim_due(place.claim())
        assert claimed.event.content == content
        assert claimed.event.binary

    place.run(scenario)


def test_a_saved_delivery_comes_back_as_it_was(place) -> None:
    results = {
        "first": StepResult(StepStatus.SUCCEEDED, {"n": [1, None, "é"]}),
        "second": StepResult(StepStatus.SKIPPED),
    }
    new = place.delivery(
        "d1",
        lane="x",
        due_us=place.clock.us + 7,
        origin="code",
        keys=Keys(order="k"),
        salt="s",
        replay_of="d0",
        results=results,
    )

    async def scenario(store) -> None:
        assert await store.save(place.event("e1", new)) == Saved(("d1",))
        delivery = (await store.delivery("d1")).delivery
        for name in (
            "id",
            "hook",
            "lane",
            "due_us",
            "expires_us",
            "origin",
            "salt",
            "replay_of",
            "results",
        ):
            assert getattr(delivery, name) == getattr(new, name)
        assert delivery.order_key == "k"
        assert (delivery.status, delivery.event_source, delivery.event_id) == (Status.PENDING, "http", "e1")
        assert (delivery.created_us, delivery.updated_us, delivery.lease_token) == (place.clock.us, place.clock.us, 0)

    place.run(scenario)


def test_a_delivery_starts_pending_held_or_already_leased(place) -> None:
    lease = place.lease()

    async def scenario(store) -> None:
        leased, held = place.delivery("d2", lease=lease), place.delivery("d3", held=True)
        await store.save(place.event("e1", "d1", leased, held))
        found = {one.id: one for one in (await store.event("http", "e1")).deliveries}
        assert [found[name].status for name in ("d1", "d2", "d3")] == [Status.PENDING, Status.RUNNING, Status.HELD]
        assert found["d2"].lease_token == lease.token

    place.run(scenario)


def test_an_event_that_matches_nothing_is_stored_too(place) -> None:
    async def scenario(store) -> None:
        assert await store.save(place.event("e1")) == Saved(())
        assert (await store.event("http", "e1")).event.id == "e1"
        assert await store.event("http", "e2") is None

    place.run(scenario)


def test_a_second_event_with_the_same_source_id_and_digest_is_a_duplicate_with_the_first_ones_deliveries(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1", "d2"))
        assert await store.save(place.event("e1", "d3")) == Saved(("d1", "d2"), duplicate=True)
        assert await store.delivery("d3") is None
        await store.add_delivery("http", "e1", place.delivery("d4", replay_of="d1"))
        assert await store.save(place.event("e1", "d5")) == Saved(("d1", "d2"), duplicate=True)

    place.run(scenario)


def test_a_second_event_with_another_digest_is_a_conflict_and_writes_nothing(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1"))
        assert await store.save(place.event("e1", "d2", digest=b"other")) == Saved(conflict=True)
        assert await store.delivery("d2") is None

    place.run(scenario)


def test_the_same_id_from_another_source_is_another_event(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1"))
        assert await store.save(place.event("e1", "d2", source="nightly", digest=b"other")) == Saved(("d2",))

    place.run(scenario)


def test_of_equal_events_saved_at_once_exactly_one_is_new(place) -> None:
    async def scenario(store) -> None:
        saves = [store.save(place.event("e1", f"d{n}")) for n in range(20)]
        saved = await asyncio.gather(*saves)
        [first] = [one for one in saved if not one.duplicate]
        assert all(one.deliveries == first.deliveries for one in saved)
        assert len((await store.event("http", "e1")).deliveries) == 1

    place.run(scenario)


def test_of_different_events_with_one_identity_saved_at_once_one_is_new_and_the_others_conflict(place) -> None:
    async def scenario(store) -> None:
        saves = [store.save(place.event("e1", f"d{n}", digest=bytes([n]))) for n in range(5)]
        assert sorted(one.conflict for one in await asyncio.gather(*saves)) == [False, True, True, True, True]

    place.run(scenario)


def test_an_item_that_fails_fails_alone(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e0", "d0"))
        saves = [place.event("e1", "d1"), place.event("e2", "d0"), place.event("e3", "d3")]
        done = await asyncio.gather(*map(store.save, saves), return_exceptions=True)
        assert done[0] == Saved(("d1",))
        assert isinstance(done[1], StoreError)
        assert done[2] == Saved(("d3",))
        assert await store.event("http", "e2") is None
        assert (await store.event("http", "e3")).event.id == "e3"

    place.run(scenario)


def test_a_batch_is_saved_whole_and_answered_in_order(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1"))
        saved = await store.save_all([place.event("e0", "d0"), place.event("e1", "x"), place.event("e2", "d2")])
        assert list(saved) == [Saved(("d0",)), Saved(("d1",), duplicate=True), Saved(("d2",))]

    place.run(scenario)


def test_a_batch_with_one_conflict_writes_nothing_and_says_which(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1"))
        saved = await store.save_all([place.event("e0", "d0"), place.event("e1", "x", digest=b"other")])
        assert [one.conflict for one in saved] == [False, True]
        assert saved[0].deliveries == ("d0",)
        assert await store.event("http", "e0") is None
        assert await store.delivery("d0") is None

    place.run(scenario)


def test_a_batch_that_contradicts_itself_is_a_conflict(place) -> None:
    async def scenario(store) -> None:
        saved = await store.save_all([place.event("e1", "d1"), place.event("e1", "d2", digest=b"other")])
        assert [one.conflict for one in saved] == [False, True]
        assert await store.event("http", "e1") is None

    place.run(scenario)


def test_an_event_that_stands_twice_in_a_batch_is_a_duplicate_of_the_first(place) -> None:
    async def scenario(store) -> None:
        saved = await store.save_all([place.event("e1", "d1"), place.event("e1", "d2")])
        assert list(saved) == [Saved(("d1",)), Saved(("d1",), duplicate=True)]
        assert await store.delivery("d2") is None

    place.run(scenario)


def test_a_refused_batch_leaves_its_events_to_others_that_come_at_the_same_time(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1"))
        refused = store.save_all([place.event("e2", "x"), place.event("e1", "y", digest=b"other")])
        _, saved = await asyncio.gather(refused, store.save(place.event("e2", "d2")))
        assert saved == Saved(("d2",))

    place.run(scenario)


def test_an_event_with_a_fresh_id_is_known_when_it_is_sent_again(place) -> None:
    async def scenario(store) -> None:
        new = replace(place.event("e1", "d1"), fresh=True)
        saved = await asyncio.gather(store.save(new), store.save_all([new]))
        assert [one.duplicate for one in (saved[0], *saved[1])] == [False, True]
        assert list(await store.save_all([new])) == [Saved(("d1",), duplicate=True)]
        assert await store.save(replace(new, fresh=False)) == Saved(("d1",), duplicate=True)

    place.run(scenario)


def test_an_empty_batch_saves_nothing(place) -> None:
    async def scenario(store) -> None:
        assert list(await store.save_all([])) == []

    place.run(scenario)


def test_a_failing_batch_is_all_or_nothing(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e0", "d0"))
        with pytest.raises(StoreError):
            await store.save_all([place.event("e1", "d1"), place.event("e2", "d0")])
        assert await store.event("http", "e1") is None

    place.run(scenario)


def test_a_replay_is_added_to_its_event_and_the_old_delivery_stays(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1"))
        before = await store.delivery("d1")
        await store.add_delivery("http", "e1", place.delivery("d2", replay_of="d1"))
        first, second = (await store.event("http", "e1")).deliveries
        assert (first, second.id, second.replay_of) == (before.delivery, "d2", "d1")
        with pytest.raises(NotFound):
            await store.add_delivery("http", "e9", place.delivery("d3"))
        with pytest.raises(StoreError):
            await store.add_delivery("http", "e1", place.delivery("d2"))

    place.run(scenario)


def test_what_was_saved_is_there_for_another_opener(place) -> None:
    async def scenario(store) -> None:
        async with place.opened() as other:
            await store.save(place.event("e1", "d1"))
            assert (await other.delivery("d1")).event.id == "e1"
            assert await other.save(place.event("e1", "d2")) == Saved(("d1",), duplicate=True)

    place.run(scenario)


def test_a_store_that_is_not_open_says_so(place) -> None:
    async def scenario(store) -> None:
        other = place.make()
        with pytest.raises(UsageError, match="not open"):
            await other.save(place.event())
        await other.open()
        with pytest.raises(UsageError, match="open"):
            await other.open()
        await other.close()
        await other.close()
        with pytest.raises(UsageError, match=r"open|closed"):
            await other.counts()

    place.run(scenario)


def test_text_that_cannot_be_stored_fails_alone(place) -> None:
    if place.kind == "memory":
        return  # it has no encoding

    async def scenario(store) -> None:
        bad = replace(place.event("e1", "d1"), event=place.event("\ud800").event)
        done = await asyncio.gather(store.save(bad), store.save(place.event("e2", "d2")), return_exceptions=True)
        assert isinstance(done[0], StoreError)
        assert done[1] == Saved(("d2",))

    place.run(scenario)
