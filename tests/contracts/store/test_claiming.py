"""Promise 4: who gets what is due, and when."""

import asyncio

import pytest

from hookrt.model.delivery import Status


async def save(store, place, *deliveries) -> None:
    for new in deliveries:
        await store.save(place.event(f"event of {new.id}", new))


def test_what_is_claimed_is_running_and_carries_its_event_and_token(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1", "d2"))
        place.clock.us += 5
        claimed = await store.claim_due(place.claim(first_token=77))
        assert [one.delivery.lease_token for one in claimed] == [77, 78]
        for one in claimed:
            assert one.event == place.event("e1").event
            assert (one.delivery.status, one.delivery.updated_us) == (Status.RUNNING, place.clock.us)
            assert (await store.delivery(one.delivery.id)).delivery == one.delivery

    place.run(scenario)


def test_nothing_is_claimed_before_its_due_time(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, place.delivery("d1", due_us=place.clock.us + 1))
        assert await store.claim_due(place.claim()) in ((), [])
        place.clock.us += 1
        assert place.ids(await store.claim_due(place.claim())) == ["d1"]

    place.run(scenario)


def test_the_oldest_due_time_comes_first_in_each_lane(place) -> None:
    async def scenario(store) -> None:
        now = place.clock.us
        for name, due in (("d1", now - 1), ("d2", now - 3), ("d3", now - 2), ("d4", now - 3)):
            await save(store, place, place.delivery(name, due_us=due))
        assert place.ids(await store.claim_due(place.claim(room=3))) == ["d2", "d4", "d3"]

    place.run(scenario)


def test_a_claim_takes_no_more_of_a_lane_than_it_has_free_places(place) -> None:
    async def scenario(store) -> None:
        for lane in ("a", "b", "c"):
            await save(store, place, *(place.delivery(f"{lane}{n}", lane=lane) for n in range(5)))
        claimed = await store.claim_due(place.claim(free_elsewhere=1, free={"a": 3, "b": 0}))
        assert sorted(place.ids(claimed)) == ["a0", "a1", "a2", "c0"]

    place.run(scenario)


def test_a_hung_lane_with_many_rows_starves_nobody(place) -> None:
    async def scenario(store) -> None:
        hung = [place.event(f"h{n}", place.delivery(f"h{n}", lane="a-hung", due_us=0)) for n in range(3_000)]
        await store.save_all(hung)
        await save(store, place, place.delivery("d1", lane="b"), place.delivery("d2", lane="c"))
        claim = place.claim(free={"a-hung": 0}, limit=10)
        assert sorted(place.ids(await store.claim_due(claim))) == ["d1", "d2"]

    place.run(scenario)


def test_the_limit_bounds_a_claim_and_lanes_take_turns(place) -> None:
    async def scenario(store) -> None:
        for lane in ("a", "b", "c"):
            await save(store, place, *(place.delivery(f"{lane}{n}", lane=lane) for n in range(10)))
        lanes = []
        for _ in range(4):
            claimed = await store.claim_due(place.claim(limit=2))
            assert len(claimed) == 2
            lanes.append({one.delivery.lane for one in claimed})
        assert set().union(*lanes[:3]) == {"a", "b", "c"}
        assert lanes[3] == lanes[0]

    place.run(scenario)


def test_the_byte_limit_bounds_the_payloads_but_the_first_always_fits(place) -> None:
    async def scenario(store) -> None:
        for n in range(4):
            await store.save(place.event(f"e{n}", f"d{n}", content=b"x" * 100))
        assert len(await store.claim_due(place.claim(byte_limit=10))) == 1
        assert len(await store.claim_due(place.claim(byte_limit=200))) == 2
        assert len(await store.claim_due(place.claim(byte_limit=200))) == 1

    place.run(scenario)


def test_after_a_short_byte_limit_the_other_lanes_have_their_turn(place) -> None:
    async def scenario(store) -> None:
        for n in range(4):
            await store.save(place.event(f"a{n}", place.delivery(f"a{n}", lane="a"), content=b"x" * 100))
            await store.save(place.event(f"b{n}", place.delivery(f"b{n}", lane="b"), content=b"x" * 100))
        lanes = {(await store.claim_due(place.claim(byte_limit=1)))[0].delivery.lane for _ in range(2)}
        assert lanes == {"a", "b"}

    place.run(scenario)


def test_only_what_is_open_and_not_leased_is_claimed(place) -> None:
    async def scenario(store) -> None:
        await save(
            store, place, place.delivery("held", held=True), place.delivery("leased", lease=place.lease("other")),
            place.delivery("gone"), place.delivery("open"),
        )  # fmt: skip
        await store.cancel("gone", "by hand")
        assert place.ids(await store.claim_due(place.claim())) == ["open"]
        assert place.ids(await store.claim_due(place.claim("third"))) == []

    place.run(scenario)


def test_an_expired_lease_counts_as_due(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, place.delivery("d1", lease=place.lease("other", 30)), place.delivery("d2", lane="b"))
        place.clock.us += 29_999_999
        assert place.ids(await store.claim_due(place.claim())) == ["d2"]
        place.clock.us += 1
        [claimed] = await store.claim_due(place.claim(first_token=5))
        assert (claimed.delivery.id, claimed.delivery.lease_token) == ("d1", 5)
        assert claimed.delivery.status is Status.RUNNING

    place.run(scenario)


def test_an_expired_lease_waits_for_a_free_place_like_any_other(place) -> None:
    async def scenario(store) -> None:
        old = place.clock.us - 10
        await save(store, place, place.delivery("d1", due_us=old, lease=place.lease("other", 1)))
        await save(store, place, place.delivery("d2"), place.delivery("d3", due_us=old - 1))
        place.clock.us += 2_000_000
        assert place.ids(await store.claim_due(place.claim(room=0))) == []
        assert place.ids(await store.claim_due(place.claim(room=2))) == ["d3", "d1"]

    place.run(scenario)


def test_a_process_never_claims_what_it_holds_itself(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, place.delivery("d1", lease=place.lease("me", 1)))
        place.clock.us += 5_000_000
        assert place.ids(await store.claim_due(place.claim("me"))) == []
        assert place.ids(await store.claim_due(place.claim("other"))) == ["d1"]

    place.run(scenario)


def test_claims_at_the_same_time_never_get_the_same_delivery(place) -> None:
    async def scenario(store) -> None:
        await store.save_all([place.event(f"e{n}", place.delivery(f"d{n}", lane=f"l{n % 7}")) for n in range(200)])
        async with place.opened() as other:
            claims = [one.claim_due(place.claim(str(n), limit=15)) for n in range(10) for one in (store, other)]
            found = [name for claimed in await asyncio.gather(*claims) for name in place.ids(claimed)]
            while rest := await store.claim_due(place.claim("last", limit=15)):
                found += place.ids(rest)
        assert sorted(found) == sorted(f"d{n}" for n in range(200))

    place.run(scenario)


def test_many_lanes_are_all_served(place) -> None:
    async def scenario(store) -> None:
        names = [f"https://host-{n}.example.com" for n in range(600)]
        await store.save_all([place.event(f"e{n}", place.delivery(f"d{n}", lane=lane)) for n, lane in enumerate(names)])
        found: list[str] = []
        for _ in range(3):
            found += [one.delivery.lane for one in await store.claim_due(place.claim(limit=200))]
        assert sorted(found) == sorted(names)

    place.run(scenario)


@pytest.mark.parametrize("lane", ["", "lane with spaces", "ünïcode/☃", "a" * 1000, "%_'\"; --"])
def test_a_lane_may_have_any_name(place, lane) -> None:
    async def scenario(store) -> None:
        await save(store, place, place.delivery("d1", lane=lane), place.delivery("d2", lane=lane + "!"))
        assert place.ids(await store.claim_due(place.claim(free_elsewhere=0, free={lane: 1}))) == ["d1"]

    place.run(scenario)


def test_next_due_is_the_earliest_due_time_or_end_of_a_lease_after_a_time(place) -> None:
    async def scenario(store) -> None:
        now = place.clock.us
        assert await store.next_due_us(0) is None
        await save(
            store, place, place.delivery("d1", due_us=now - 5), place.delivery("d2", due_us=now + 50),
            place.delivery("d3", due_us=now + 40, lane="b"), place.delivery("d4", lease=place.lease("me", 0.000045)),
            place.delivery("d5", due_us=now + 1, held=True),
        )  # fmt: skip
        assert await store.next_due_us(now - 6) == now - 5
        assert await store.next_due_us(now - 5) == now + 40
        assert await store.next_due_us(now + 40) == now + 45
        assert await store.next_due_us(now + 45) == now + 50
        assert await store.next_due_us(now + 50) is None

    place.run(scenario)
