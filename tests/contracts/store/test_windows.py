"""Promise 7, `dedupe`, `throttle` and `debounce`: which of the deliveries of one key are cancelled."""

import asyncio
from dataclasses import replace

import pytest

from hookrt.model.delivery import Status
from hookrt.store.contract import DeliveryQuery
from hookrt.store.keys import Burst, Dropped, Keys, Window

SECOND = 1_000_000


def within(kind: str, key: str = "k", seconds: float = 10) -> Keys:
    return replace(Keys(), **{kind: Window(key, round(seconds * SECOND))})


def burst(wait: int = 10, longest: int | None = None, key: str = "k", **more) -> Keys:
    return Keys(debounce=Burst(key, wait * SECOND, None if longest is None else longest * SECOND), **more)


async def save(store, place, name, keys, **changes):
    return await store.save(place.event(f"event of {name}", place.delivery(name, keys=keys, **changes)))


async def standing(store) -> dict[str, tuple[Status, str | None]]:
    page = await store.deliveries(DeliveryQuery(limit=1000))
    return {one.id: (one.status, one.reason) for one in page.items}


async def claim(store, place) -> list[str]:
    return place.ids(await store.claim_due(place.claim()))


PENDING = (Status.PENDING, None)


@pytest.mark.parametrize("kind", ["dedupe", "throttle"])
def test_within_the_window_the_first_wins_and_the_others_are_cancelled_with_the_reason(place, kind) -> None:
    async def scenario(store) -> None:
        assert (await save(store, place, "d1", within(kind))).dropped == ()
        place.clock.us += 9 * SECOND
        saved = await save(store, place, "d2", within(kind))
        assert (saved.deliveries, saved.dropped) == (("d2",), (Dropped("d2", "welcome", kind),))
        await save(store, place, "other", within(kind, "j"))
        await save(store, place, "other-hook", within(kind), hook="bye")
        assert (await standing(store))["d2"] == (Status.CANCELLED, kind)
        assert (await store.event("http", "event of d2")).deliveries[0].status is Status.CANCELLED
        assert sorted(await claim(store, place)) == ["d1", "other", "other-hook"]
        counts = await store.counts()
        assert (counts[Status.CANCELLED], counts[Status.RUNNING], counts[Status.PENDING]) == (1, 3, 0)

    place.run(scenario)


@pytest.mark.parametrize("kind", ["dedupe", "throttle"])
def test_the_window_is_the_firsts_and_what_is_dropped_does_not_move_it(place, kind) -> None:
    async def scenario(store) -> None:
        for name, seconds in (("d1", 0), ("d2", 9), ("d3", 1), ("d4", 9), ("d5", 1)):
            place.clock.us += seconds * SECOND
            await save(store, place, name, within(kind))
        found = await standing(store)
        assert [name for name in sorted(found) if found[name] == PENDING] == ["d1", "d3", "d5"]

    place.run(scenario)


def test_a_window_stands_whatever_becomes_of_the_first_and_over_a_restart(place) -> None:
    async def before(store) -> None:
        await save(store, place, "d1", within("dedupe"))
        await store.cancel("d1", "by hand")

    async def after(store) -> None:
        await save(store, place, "d2", within("dedupe"))
        assert (await standing(store))["d2"] == (Status.CANCELLED, "dedupe")

    place.run(before)
    place.run(after)


def test_a_clock_set_far_back_does_not_stop_a_key_for_as_long(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", within("dedupe"))
        place.clock.us -= 5 * SECOND
        assert (await save(store, place, "d2", within("dedupe"))).dropped
        place.clock.us -= 24 * 3600 * SECOND
        assert not (await save(store, place, "d3", within("dedupe"))).dropped

    place.run(scenario)


def test_what_the_throttle_drops_begins_no_window_of_dedupe(place) -> None:
    async def scenario(store) -> None:
        def both(key: str) -> Keys:
            return Keys(dedupe=Window(key, 60 * SECOND), throttle=Window("all", 10 * SECOND))

        await save(store, place, "d1", both("a"))
        [dropped] = (await save(store, place, "d2", both("b"))).dropped
        assert dropped.reason == "throttle"
        place.clock.us += 10 * SECOND
        assert not (await save(store, place, "d3", both("b"))).dropped
        place.clock.us += 10 * SECOND
        [dropped] = (await save(store, place, "d4", both("b"))).dropped
        assert dropped.reason == "dedupe"

    place.run(scenario)


@pytest.mark.parametrize("kind", ["dedupe", "throttle"])
def test_several_of_one_key_in_one_commit_cannot_race(place, kind) -> None:
    async def scenario(store) -> None:
        batch = [place.event(f"b{n}", *(place.delivery(f"b{n}{m}", keys=within(kind)) for m in "xy")) for n in range(9)]
        saved = await store.save_all(batch)
        assert sum(len(one.dropped) for one in saved) == 17
        assert not saved[0].dropped[1:]
        async with place.opened() as other:
            saves = [
                one.save(place.event(f"e{n}-{m}", place.delivery(f"d{n}-{m}", keys=within(kind, f"k{n}"))))
                for n in range(10)
                for m, one in enumerate((store, other, store, other))
            ]
            await asyncio.gather(*saves)
        found = await standing(store)
        for n in range(10):
            assert sum(found[f"d{n}-{m}"] == PENDING for m in range(4)) == 1

    place.run(scenario)


def test_a_duplicate_event_and_a_refused_batch_begin_no_window(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d0"))
        await store.save(place.event("e1", place.delivery("d1", keys=within("dedupe"))))
        await store.save_all([
            place.event("e2", place.delivery("d2", keys=within("dedupe"))), place.event("e1", digest=b"another"),
        ])  # fmt: skip
        assert not (await save(store, place, "d3", within("dedupe"))).dropped

    place.run(scenario)


def test_of_a_burst_the_last_is_delivered_when_it_is_quiet(place) -> None:
    async def scenario(store) -> None:
        for name in ("d1", "d2", "d3"):
            saved = await save(store, place, name, burst())
            place.clock.us += 4 * SECOND
        assert saved.dropped == (Dropped("d2", "welcome", "debounce"),)
        found = await standing(store)
        assert found["d1"] == found["d2"] == (Status.CANCELLED, "debounce")
        assert await claim(store, place) == []
        assert (await store.delivery("d3")).delivery.due_us == place.clock.us + 6 * SECOND
        place.clock.us += 6 * SECOND
        assert await claim(store, place) == ["d3"]

    place.run(scenario)


def test_a_burst_ends_at_its_maximum_and_the_next_event_begins_another(place) -> None:
    async def scenario(store) -> None:
        first = place.clock.us
        for n in range(5):
            await save(store, place, f"d{n}", burst(10, 15))
            place.clock.us += 5 * SECOND
        # at 0, 5, 10: one burst, due at 15; at 15 and 20: the next one, due at 30
        found = await standing(store)
        assert [name for name in sorted(found) if found[name] == PENDING] == ["d2", "d4"]
        assert (await store.delivery("d2")).delivery.due_us == first + 15 * SECOND
        assert (await store.delivery("d4")).delivery.due_us == first + 30 * SECOND

    place.run(scenario)


def test_what_has_started_is_not_taken_the_place_of(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", burst())
        place.clock.us += 10 * SECOND
        [claimed] = await store.claim_due(place.claim())
        assert not (await save(store, place, "d2", burst())).dropped
        recording = place.recording("d1", claimed.delivery.lease_token, Status.PENDING, lane="b", attempts=1)
        await store.record(replace(recording, attempt=place.attempt()))
        [dropped] = (await save(store, place, "d3", burst())).dropped
        assert dropped.delivery == "d2"
        assert [(await standing(store))[name][0] for name in ("d1", "d2", "d3")] == [
            Status.PENDING, Status.CANCELLED, Status.PENDING,
        ]  # fmt: skip

    place.run(scenario)


def test_bursts_of_other_keys_and_hooks_and_of_one_commit(place) -> None:
    async def scenario(store) -> None:
        await store.save_all([place.event(f"e{n}", place.delivery(f"d{n}", keys=burst())) for n in range(5)])
        await save(store, place, "other", burst(key="j"))
        await save(store, place, "other-hook", burst(), hook="bye")
        place.clock.us += 10 * SECOND
        assert sorted(await claim(store, place)) == ["d4", "other", "other-hook"]

    place.run(scenario)


def test_a_held_one_has_not_started_and_is_taken_the_place_of(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", burst(), held=True)
        await save(store, place, "d2", burst(), held=True)
        found = await standing(store)
        assert found == {"d1": (Status.CANCELLED, "debounce"), "d2": (Status.HELD, None)}

    place.run(scenario)


def test_what_is_dropped_frees_its_order_key_and_stands_in_no_line(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, "d1", burst(order="k"))
        await save(store, place, "d2", burst(order="k"))
        await save(store, place, "d3", burst(order="k", key="j"))
        assert await store.ahead_of("d3") == "d2"
        place.clock.us += 10 * SECOND
        assert await claim(store, place) == ["d2"]
        await store.cancel("d2", "by hand")
        assert await claim(store, place) == ["d3"]
        await save(store, place, "d4", replace(within("dedupe"), order="x"))
        await save(store, place, "d5", replace(within("dedupe"), order="x"))
        await save(store, place, "d6", Keys(order="x"))
        assert await store.ahead_of("d5") is None
        assert await store.ahead_of("d6") == "d4"

    place.run(scenario)
