"""Leading, renewing, giving back."""

from hookrt.model.delivery import Status
from hookrt.store.contract import Recorded


async def save_leased(store, place, owner, *names):
    leases = {name: place.lease(owner) for name in names}
    for name, lease in leases.items():
        await store.save(place.event(f"event of {name}", place.delivery(name, lease=lease)))
    return leases


async def states(store, *names):
    return [(await store.delivery(name)).delivery.status for name in names]


def test_renewing_extends_all_leases_of_one_owner_only(place) -> None:
    async def scenario(store) -> None:
        leases = await save_leased(store, place, "me", "d1", "d2")
        await save_leased(store, place, "other", "d3")
        assert await store.renew("me", place.clock.us + 90_000_000) == 2
        assert await store.renew("nobody", place.clock.us + 90_000_000) == 0
        place.clock.us += 60_000_000
        assert place.ids(await store.claim_due(place.claim("third"))) == ["d3"]
        assert await store.record(place.recording("d1", leases["d1"].token)) is Recorded.DONE

    place.run(scenario)


def test_released_deliveries_are_as_before_their_lease_and_due_at_once(place) -> None:
    async def scenario(store) -> None:
        leases = await save_leased(store, place, "me", "d1", "d2")
        await save_leased(store, place, "other", "d3")
        again = place.recording(
            "d2", leases["d2"].token, Status.RUNNING, lease=place.lease("me"), step_attempts=1, attempts=1,
            due_us=place.clock.us + 10**9,
        )  # fmt: skip
        assert await store.record(again) is Recorded.DONE
        assert await store.release("me") == 2
        assert await states(store, "d1", "d2", "d3") == [Status.PENDING, Status.WAITING, Status.RUNNING]
        assert await store.record(place.recording("d1", leases["d1"].token)) is Recorded.STALE
        assert sorted(place.ids(await store.claim_due(place.claim()))) == ["d1", "d2"]

    place.run(scenario)


def test_released_deliveries_keep_their_place_in_the_order(place) -> None:
    async def scenario(store) -> None:
        await save_leased(store, place, "me", "d1")
        place.clock.us += 10
        await store.save(place.event("e2", "d2"))
        place.clock.us += 10
        await store.release("me")
        assert place.ids(await store.claim_due(place.claim())) == ["d1", "d2"]

    place.run(scenario)


def test_whoever_becomes_the_leader_voids_all_leases(place) -> None:
    async def scenario(store) -> None:
        leases = await save_leased(store, place, "dead", "d1", "d2")
        waiting = place.recording("d2", leases["d2"].token, Status.RUNNING, lease=place.lease("dead"), step_attempts=3)
        await store.record(waiting)
        assert await store.lead()
        assert await states(store, "d1", "d2") == [Status.PENDING, Status.WAITING]
        assert await store.record(place.recording("d1", leases["d1"].token)) is Recorded.STALE
        assert sorted(place.ids(await store.claim_due(place.claim()))) == ["d1", "d2"]

    place.run(scenario)


def test_staying_the_leader_voids_nothing(place) -> None:
    async def scenario(store) -> None:
        assert await store.lead()
        leases = await save_leased(store, place, "me", "d1")
        assert await store.lead()
        assert await store.record(place.recording("d1", leases["d1"].token)) is Recorded.DONE

    place.run(scenario)


def test_one_leads_until_it_closes_and_then_another_may(place) -> None:
    async def scenario(store) -> None:
        assert await store.leader() is None
        async with place.opened() as first:
            assert await first.lead()
            assert not await store.lead()
            assert await first.leader() is not None
            assert await store.leader() is not None
            await save_leased(store, place, "me", "d1")
            assert not await store.lead()
            assert await states(store, "d1") == [Status.RUNNING]
        assert await store.leader() is None
        assert await store.lead()
        assert await states(store, "d1") == [Status.PENDING]

    place.run(scenario)
