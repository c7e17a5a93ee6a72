"""Promise 7, `order`: of one key one delivery at a time, in the order of commit."""

import asyncio

import pytest

from hookrt.model.delivery import Status
from hookrt.store.keys import Keys

IN_LINE, SKIPPING = Keys(order="k"), Keys(order="k", skip=True)


async def save(store, place, *names, keys=IN_LINE, **changes) -> None:
    for name in names:
        await store.save(place.event(f"event of {name}", place.delivery(name, keys=keys, **changes)))


async def claim(store, place, **changes) -> list[str]:
    return place.ids(await store.claim_due(place.claim(**changes)))


async def end(store, place, name, status=Status.SUCCEEDED, **changes) -> None:
    delivery = (await store.delivery(name)).delivery
    attempts = delivery.attempts + 1
    changes = {"attempts": attempts, "step_attempts": attempts, "attempt": place.attempt(attempts), **changes}
    await store.record(place.recording(name, delivery.lease_token, status, **changes))


async def retry(store, place, name, seconds) -> None:
    await end(store, place, name, Status.WAITING, due_us=place.clock.us + seconds * 1_000_000)


def test_only_the_first_of_a_key_is_claimed_until_it_is_final(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2", "d3")
        for name in ("d1", "d2", "d3"):
            assert await claim(store, place) == [name]
            assert await claim(store, place, owner="other") == []
            await end(store, place, name)
        assert await claim(store, place) == []

    place.run(scenario)


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.DEAD])
def test_an_end_frees_the_key(place, status) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2")
        assert await claim(store, place) == ["d1"]
        await end(store, place, "d1", status)
        assert await claim(store, place) == ["d2"]

    place.run(scenario)


def test_a_cancellation_frees_the_key_also_of_a_leased_one_and_of_one_in_the_middle(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2", "d3", "d4")
        assert await claim(store, place) == ["d1"]
        await store.cancel("d2", "by hand")
        assert await claim(store, place) == []
        await store.cancel("d1", "by hand")
        assert await claim(store, place) == ["d3"]
        await store.cancel("d3", "by hand")
        assert await claim(store, place) == ["d4"]

    place.run(scenario)


def test_a_retry_blocks_its_key_and_no_other(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2")
        await save(store, place, "other", keys=Keys(order="j"))
        await save(store, place, "other-hook", hook="bye")
        assert sorted(await claim(store, place)) == ["d1", "other", "other-hook"]
        await retry(store, place, "d1", 10)
        assert await claim(store, place) == []
        place.clock.us += 10_000_000
        assert await claim(store, place) == ["d1"]
        await end(store, place, "d1")
        assert await claim(store, place) == ["d2"]

    place.run(scenario)


def test_a_step_in_another_lane_keeps_the_turn(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2")
        assert await claim(store, place) == ["d1"]
        await end(store, place, "d1", Status.PENDING, lane="b")
        assert await claim(store, place, free={"b": 0}) == []
        assert await claim(store, place) == ["d1"]

    place.run(scenario)


def test_with_skip_others_pass_while_one_waits_for_a_retry(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2", "d3", keys=SKIPPING)
        assert await claim(store, place) == ["d1"]
        assert await claim(store, place) == []
        await retry(store, place, "d1", 10)
        assert await claim(store, place) == ["d2"]
        await end(store, place, "d2")
        assert await claim(store, place) == ["d3"]
        place.clock.us += 10_000_000
        assert await claim(store, place) == []  # it is due, but one of its key is under way
        await end(store, place, "d3")
        assert await claim(store, place) == ["d1"]

    place.run(scenario)


def test_with_skip_a_new_one_passes_a_waiting_one_and_a_due_retry_comes_before_the_next_new_one(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", keys=SKIPPING)
        assert await claim(store, place) == ["d1"]
        await retry(store, place, "d1", 10)
        await save(store, place, "d2", "d3", keys=SKIPPING)
        assert await claim(store, place) == ["d2"]
        place.clock.us += 10_000_000
        await end(store, place, "d2")
        assert await claim(store, place) == ["d1"]
        await end(store, place, "d1")
        assert await claim(store, place) == ["d3"]

    place.run(scenario)


def test_with_skip_the_waiting_ones_come_by_their_due_times(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2", "d3", keys=SKIPPING)
        for name, seconds in (("d1", 30), ("d2", 10), ("d3", 20)):
            assert await claim(store, place) == [name]
            await retry(store, place, name, seconds)
        assert await store.next_due_us(place.clock.us) == place.clock.us + 10_000_000
        for name in ("d2", "d3", "d1"):
            place.clock.us += 10_000_000
            assert await claim(store, place) == [name]
            await end(store, place, name)

    place.run(scenario)


def test_with_skip_one_that_waits_for_its_first_attempt_is_not_passed(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2", keys=SKIPPING)
        assert await claim(store, place) == ["d1"]
        later = place.clock.us + 10_000_000
        await end(store, place, "d1", Status.WAITING, due_us=later, attempts=0, step_attempts=0, attempt=None)
        assert await claim(store, place) == []
        place.clock.us = later
        assert await claim(store, place) == ["d1"]

    place.run(scenario)


def test_retry_now_gives_a_passed_one_the_turn_but_never_beside_another(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2", keys=SKIPPING)
        for name, seconds in (("d1", 30), ("d2", 10)):
            assert await claim(store, place) == [name]
            await retry(store, place, name, seconds)
        await store.retry_now("d1")
        assert await claim(store, place) == ["d1"]
        await store.retry_now("d2")
        assert await claim(store, place) == []
        await end(store, place, "d1")
        assert await claim(store, place) == ["d2"]

    place.run(scenario)


def test_a_held_one_blocks_its_key_and_is_the_first_when_it_is_released(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2", "d3")
        assert await claim(store, place) == ["d1"]
        await end(store, place, "d1", Status.HELD, attempts=0, step_attempts=0, attempt=None)
        assert await claim(store, place) == []
        await store.hold_orphans({"file": []}, "gone")
        await store.release_held("welcome", "file", "crm")
        for name in ("d1", "d2", "d3"):
            assert await claim(store, place) == [name]
            await end(store, place, name)

    place.run(scenario)


def test_what_is_held_and_cancelled_frees_its_key(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2")
        await store.hold_orphans({"file": []}, "gone")
        place.clock.us += 1
        await save(store, place, "d3")
        assert await claim(store, place) == []
        assert await store.cancel_held(place.clock.us, "gone") == 2
        assert await claim(store, place) == ["d3"]

    place.run(scenario)


def test_released_and_expired_leases_keep_their_turn(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2")
        assert await claim(store, place) == ["d1"]
        await store.release("me")
        assert await claim(store, place) == ["d1"]
        place.clock.us += 60_000_000
        assert await claim(store, place, owner="other") == ["d1"]
        assert await claim(store, place, owner="me") == []

    place.run(scenario)


def test_what_is_saved_with_a_key_is_not_leased_and_a_batch_keeps_its_order(place) -> None:
    async def scenario(store) -> None:
        made = [place.delivery(f"d{n}", keys=IN_LINE, lease=place.lease()) for n in range(5)]
        await store.save_all([
            place.event("e1", *made[:2]), place.event("e2", made[2]), place.event("e3", *made[3:])
        ])  # fmt: skip
        for n in range(5):
            assert await claim(store, place) == [f"d{n}"]
            await end(store, place, f"d{n}")

    place.run(scenario)


def test_saves_of_one_group_commit_stand_in_line_one_after_the_other(place) -> None:
    async def scenario(store) -> None:
        saves = [store.save(place.event(f"e{n}", place.delivery(f"d{n}", keys=IN_LINE))) for n in range(50)]
        await asyncio.gather(*saves)
        order = []
        while found := await claim(store, place):
            assert len(found) == 1
            order += found
            await end(store, place, found[0])
        assert sorted(order) == sorted(f"d{n}" for n in range(50))

    place.run(scenario)


def test_a_replay_takes_no_part_in_order(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2")
        await store.add_delivery("http", "event of d1", place.delivery("r1", keys=IN_LINE, replay_of="d1"))
        assert sorted(await claim(store, place)) == ["d1", "r1"]
        await end(store, place, "r1")
        assert await claim(store, place) == []
        assert (await store.delivery("r1")).delivery.order_key is None

    place.run(scenario)


def test_a_key_with_many_rows_starves_nobody(place) -> None:
    async def scenario(store) -> None:
        line = [place.event(f"e{n}", place.delivery(f"d{n}", keys=IN_LINE, due_us=0)) for n in range(3_000)]
        await store.save_all(line)
        await save(store, place, "other", keys=Keys(order="j"))
        await save(store, place, "free", keys=None)
        assert sorted(await claim(store, place, room=5, limit=5)) == ["d0", "free", "other"]

    place.run(scenario)


def test_it_is_told_who_is_ahead(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", "d2", "d3")
        await save(store, place, "free", keys=None)
        assert [await store.ahead_of(name) for name in ("d1", "d2", "d3")] == [None, "d1", "d1"]
        assert await store.ahead_of("free") is None
        assert await store.ahead_of("unknown") is None
        await store.cancel("d1", "by hand")
        assert [await store.ahead_of(name) for name in ("d1", "d2", "d3")] == [None, None, "d2"]
        assert (await store.delivery("d3")).delivery.order_key == "k"

    place.run(scenario)


def test_the_line_outlives_a_restart(place) -> None:
    async def before(store) -> None:
        await store.lead()
        await save(store, place, "d1", "d2")
        assert await claim(store, place) == ["d1"]

    async def after(store) -> None:
        await store.lead()
        assert await claim(store, place) == ["d1"]
        await end(store, place, "d1")
        assert await claim(store, place) == ["d2"]

    place.run(before)
    place.run(after)
