"""Hooks that come and go, and what people do to single deliveries."""

from hookrt.model.delivery import Status, StepResult, StepStatus
from hookrt.store.contract import Recorded

DONE = StepResult(StepStatus.SUCCEEDED)


async def save(store, place, *deliveries) -> None:
    for new in deliveries:
        await store.save(place.event(f"event of {new.id}", new))


async def state(store, name):
    found = (await store.delivery(name)).delivery
    return found.status, found.reason


def test_deliveries_of_a_removed_hook_are_held_the_leased_ones_excepted(place) -> None:
    async def scenario(store) -> None:
        await save(
            store, place, place.delivery("d1", hook="gone"), place.delivery("d2"),
            place.delivery("d3", hook="gone", lease=place.lease()), place.delivery("d4", hook="gone", origin="code"),
            place.delivery("d5", hook="code-hook", origin="code"),
        )  # fmt: skip
        assert await store.hold_orphans({"file": ("welcome",), "code": ("code-hook", "gone")}, "hook-removed") == 1
        assert await state(store, "d1") == (Status.HELD, "hook-removed")
        assert await store.hold_orphans({"file": ("welcome",), "code": ("code-hook",)}, "hook-removed") == 1
        assert await state(store, "d4") == (Status.HELD, "hook-removed")
        assert await store.hold_orphans({"file": ("welcome",), "code": ("code-hook",)}, "hook-removed") == 0
        assert sorted(place.ids(await store.claim_due(place.claim("other")))) == ["d2", "d5"]

    place.run(scenario)


def test_an_origin_that_is_not_named_is_left_alone(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, place.delivery("d1", origin="store"), place.delivery("d2"))
        assert await store.hold_orphans({"code": ()}, "hook-removed") == 0
        assert await store.hold_orphans({}, "hook-removed") == 0

    place.run(scenario)


def test_a_waiting_delivery_is_held_and_comes_back_pending_in_the_new_lane_and_due(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease()
        await save(store, place, place.delivery("d1", lease=lease))
        await store.record(
            place.recording("d1", lease.token, Status.WAITING, due_us=place.clock.us + 10**10, step_attempts=1)
        )
        assert await store.hold_orphans({"file": ()}, "hook-removed") == 1
        assert await store.release_held("welcome", "code", "new") == 0
        assert await store.release_held("welcome", "file", "new") == 1
        [claimed] = await store.claim_due(place.claim(free_elsewhere=0, free={"new": 1}))
        assert (claimed.delivery.id, claimed.delivery.reason, claimed.delivery.step_attempts) == ("d1", None, 1)

    place.run(scenario)


def test_what_has_been_held_too_long_for_a_reason_is_cancelled_with_it(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, place.delivery("d1", hook="gone"), place.delivery("d2", held=True))
        await store.hold_orphans({"file": ("welcome",)}, "hook-removed")
        place.clock.us += 100
        await save(store, place, place.delivery("d3", hook="gone"))
        await store.hold_orphans({"file": ("welcome",)}, "hook-removed")
        assert await store.cancel_held(place.clock.us, "other") == 0
        assert await store.cancel_held(place.clock.us, "hook-removed") == 1
        assert await state(store, "d1") == (Status.CANCELLED, "hook-removed")
        assert await state(store, "d2") == (Status.HELD, None)
        assert await state(store, "d3") == (Status.HELD, "hook-removed")

    place.run(scenario)


def test_held_for_another_reason_is_held_for_the_new_one_from_then_on(place) -> None:
    async def scenario(store) -> None:
        await save(store, place, place.delivery("d1", held=True))
        place.clock.us += 100
        assert await store.hold_orphans({"file": ()}, "hook-removed") == 1
        assert await state(store, "d1") == (Status.HELD, "hook-removed")
        assert await store.cancel_held(place.clock.us, "hook-removed") == 0
        assert await store.cancel_held(place.clock.us + 1, "hook-removed") == 1

    place.run(scenario)


def test_thousands_of_deliveries_are_held_and_released(place) -> None:
    async def scenario(store) -> None:
        await store.save_all([place.event(f"e{n}", place.delivery(f"d{n}", hook="gone")) for n in range(5_000)])
        assert await store.hold_orphans({"file": ()}, "hook-removed") == 5_000
        assert (await store.counts())[Status.HELD] == 5_000
        assert await store.release_held("gone", "file", "crm") == 5_000
        assert (await store.counts())[Status.PENDING] == 5_000
        assert len(await store.claim_due(place.claim(room=300, limit=300))) == 300

    place.run(scenario)


def test_a_changed_hook_takes_its_deliveries_to_the_lane_of_their_next_step(place) -> None:
    async def scenario(store) -> None:
        await save(
            store, place, place.delivery("d1"), place.delivery("d2", results={"first": DONE}),
            place.delivery("d3", results={"first": DONE, "second": DONE}), place.delivery("d4", lease=place.lease()),
            place.delivery("d5", hook="other"), place.delivery("d6", lane="new"), place.delivery("d7", held=True),
            place.delivery("d8", origin="code"),
        )  # fmt: skip
        before = (await store.delivery("d7")).delivery.updated_us
        place.clock.us += 5
        assert await store.relane("welcome", "file", {"first": "new", "second": "newer"}) == 3
        lanes = {f"d{n}": (await store.delivery(f"d{n}")).delivery.lane for n in range(1, 9)}
        assert lanes == {
            "d1": "new", "d2": "newer", "d3": "crm", "d4": "crm", "d5": "crm", "d6": "new", "d7": "new", "d8": "crm",
        }  # fmt: skip
        assert (await store.delivery("d7")).delivery.updated_us == before
        claimed = await store.claim_due(place.claim(free_elsewhere=0, free={"new": 5}))
        assert sorted(place.ids(claimed)) == ["d1", "d6"]

    place.run(scenario)


def test_a_waiting_delivery_can_be_made_due_at_once(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease()
        await save(store, place, place.delivery("d1", lease=lease), place.delivery("d2"))
        assert not await store.retry_now("d1")
        await store.record(
            place.recording("d1", lease.token, Status.WAITING, due_us=place.clock.us + 10**10, step_attempts=1)
        )
        assert place.ids(await store.claim_due(place.claim("other"))) == ["d2"]
        assert await store.retry_now("d1")
        assert not await store.retry_now("d2")
        assert not await store.retry_now("unknown")
        assert place.ids(await store.claim_due(place.claim("other"))) == ["d1"]

    place.run(scenario)


def test_a_cancelled_delivery_is_final_and_the_result_of_its_lease_is_stale(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease()
        await save(
            store, place, place.delivery("d1", lease=lease), place.delivery("d2"), place.delivery("d3", held=True)
        )
        for name in ("d1", "d2", "d3"):
            assert await store.cancel(name, "by-hand")
            assert await state(store, name) == (Status.CANCELLED, "by-hand")
            assert not await store.cancel(name, "again")
        assert not await store.cancel("unknown", "by-hand")
        assert await store.record(place.recording("d1", lease.token)) is Recorded.STALE
        assert place.ids(await store.claim_due(place.claim("other"))) == []

    place.run(scenario)
