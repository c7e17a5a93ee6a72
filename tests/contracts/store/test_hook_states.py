"""Hooks that are disabled at run time: what every store holds back for them."""

from hookrt.model.delivery import Status
from hookrt.model.hook_state import HOOK_DISABLED, HookState
from hookrt.store.contract import HOUR_US


def state(place, name: str = "welcome", *, disabled: bool = True, reason: str = "by-hand") -> HookState:
    return HookState(name, place.clock.us, reason, "because", "digest", disabled=disabled)


async def status_of(store, name):
    found = (await store.delivery(name)).delivery
    return found.status, found.reason


def test_what_is_saved_for_a_disabled_hook_is_held_and_the_answer_says_so(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e0", "before"))
        assert await store.hook_states.change(state(place)) is not None
        mixed = place.event("e1", "d1", place.delivery("d2", hook="other"), place.delivery("d3", lease=place.lease()))
        saved = await store.save(mixed)
        assert (list(saved.deliveries), list(saved.held)) == (["d1", "d2", "d3"], ["d1", "d3"])
        assert await status_of(store, "d1") == (Status.HELD, HOOK_DISABLED)
        assert await status_of(store, "d3") == (Status.HELD, HOOK_DISABLED)
        assert await status_of(store, "before") == (Status.PENDING, None)
        [one, two] = await store.save_all([place.event("e2", "d4"), place.event("e3", place.delivery("d5", hook="x"))])
        assert (list(one.held), list(two.held)) == (["d4"], [])
        assert sorted(place.ids(await store.claim_due(place.claim()))) == ["before", "d2", "d5"]
        counts = await store.counts()
        assert (counts[Status.HELD], counts[Status.PENDING], counts[Status.RUNNING]) == (3, 0, 3)
        stats = await store.hook_stats("welcome", 0)
        assert (stats.held, stats.pending) == (3, 1)

    place.run(scenario)


def test_what_steps_emit_and_what_is_replayed_is_held_for_a_disabled_hook(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease()
        await store.save(place.event("e1", place.delivery("d1", hook="other", lease=lease)))
        await store.hook_states.change(state(place))
        await store.record(place.recording("d1", lease.token, emitted=[place.event("e2", "d2")]))
        await store.add_delivery("http", "e1", place.delivery("d3"))
        assert await status_of(store, "d2") == (Status.HELD, HOOK_DISABLED)
        assert await status_of(store, "d3") == (Status.HELD, HOOK_DISABLED)

    place.run(scenario)


def test_every_store_on_the_same_data_holds_at_once_what_another_disabled(place) -> None:
    async def scenario(store) -> None:
        async with place.opened() as other:
            await other.hook_states.change(state(place))
            assert list((await store.save(place.event("e1", "d1"))).held) == ["d1"]
            await other.hook_states.change(state(place, disabled=False))
            assert list((await store.save(place.event("e2", "d2"))).held) == []

    place.run(scenario)


def test_a_state_survives_and_changes_are_told_in_order_after_a_version(place) -> None:
    async def scenario(store) -> None:
        first = await store.hook_states.change(state(place))
        second = await store.hook_states.change(state(place, "other", reason="failing"))
        assert first is not None
        assert second is not None
        assert first.version < second.version
        third = await store.hook_states.change(state(place, disabled=False))
        assert [one.hook for one in await store.hook_states.changed()] == ["other", "welcome"]
        assert await store.hook_states.changed(second.version) == (third,)

    async def later(store) -> None:
        [other, welcome] = await store.hook_states.changed()
        assert (other.disabled, other.reason, other.message, other.definition) == (True, "failing", "because", "digest")
        assert (welcome.disabled, welcome.since_us) == (False, place.clock.us)

    place.run(scenario)
    place.run(later)


def test_a_change_to_what_is_so_already_writes_nothing_not_even_its_events(place) -> None:
    async def scenario(store) -> None:
        told = place.event("told", place.delivery("d1", hook="watch"))
        assert await store.hook_states.change(state(place, disabled=False), [told]) is None
        assert await store.hook_states.changed() == ()
        assert await store.hook_states.change(state(place), [told]) is not None
        again = place.event("again", place.delivery("d2", hook="watch"))
        assert await store.hook_states.change(state(place, reason="failing"), [again]) is None
        [stored] = await store.hook_states.changed()
        assert stored.reason == "by-hand"
        assert await store.event("http", "told") is not None
        assert await store.event("http", "again") is None
        assert place.ids(await store.claim_due(place.claim())) == ["d1"]

    place.run(scenario)


def test_the_event_that_tells_of_a_disabled_hook_is_held_for_that_hook_itself(place) -> None:
    async def scenario(store) -> None:
        await store.hook_states.change(state(place), [place.event("told", "d1")])
        assert await status_of(store, "d1") == (Status.HELD, HOOK_DISABLED)

    place.run(scenario)


def test_what_is_open_of_one_hook_can_be_held_the_leased_ones_excepted(place) -> None:
    async def scenario(store) -> None:
        await store.save(
            place.event(
                "e1", "d1", place.delivery("d2", lease=place.lease()), place.delivery("d3", hook="other"),
                place.delivery("d4", origin="code"), place.delivery("d5", held=True),
            )
        )  # fmt: skip
        assert await store.hook_states.hold("welcome", "file", HOOK_DISABLED) == 2
        assert await status_of(store, "d1") == (Status.HELD, HOOK_DISABLED)
        assert await status_of(store, "d2") == (Status.RUNNING, None)
        assert await status_of(store, "d5") == (Status.HELD, HOOK_DISABLED)
        assert await store.hook_states.hold("welcome", "file", HOOK_DISABLED) == 0

    place.run(scenario)


def test_held_deliveries_are_cancelled_but_the_oldest(place) -> None:
    async def scenario(store) -> None:
        await store.hook_states.change(state(place))
        names = [f"d{n}" for n in range(5)]
        for name in names:
            await store.save(place.event(f"of {name}", name))
        await store.save(place.event("e9", place.delivery("d9", hook="other", held=True)))
        assert await store.hook_states.cancel_held("welcome", "file", "held-limit", 5) == 0
        assert await store.hook_states.cancel_held("welcome", "file", "held-limit", 2) == 3
        statuses = [await status_of(store, name) for name in names]
        assert statuses == [(Status.HELD, HOOK_DISABLED)] * 2 + [(Status.CANCELLED, "held-limit")] * 3
        assert await store.hook_states.cancel_held("welcome", "file", "discarded") == 2
        assert (await store.hook_stats("welcome", 0)).held == 0
        assert (await status_of(store, "d9"))[0] is Status.HELD

    place.run(scenario)


def test_a_delivery_lives_as_much_longer_as_it_was_held(place) -> None:
    async def scenario(store) -> None:
        await store.hook_states.change(state(place))
        expires_us = place.clock.us + 1_000
        await store.save(place.event("e1", place.delivery("d1", expires_us=expires_us)))
        place.clock.us += 5_000
        await store.hook_states.change(state(place, disabled=False))
        assert await store.release_held("welcome", "file", "crm") == 1
        assert (await store.delivery("d1")).delivery.expires_us == expires_us + 5_000

    place.run(scenario)


def test_a_hook_fails_since_its_first_failure_after_its_last_success_to_the_hour(place) -> None:
    async def end(store, status: Status) -> int:
        lease = place.lease()
        name = f"d{lease.token}"
        await store.save(place.event(f"of {name}", place.delivery(name, lease=lease)))
        outcome = "done" if status is Status.SUCCEEDED else "retry"
        await store.record(place.recording(name, lease.token, status, attempt=place.attempt(outcome=outcome)))
        return place.clock.us

    async def scenario(store) -> None:
        assert await store.hook_states.failing_since_us("welcome") is None
        await end(store, Status.DEAD)
        place.clock.us += HOUR_US
        await end(store, Status.SUCCEEDED)
        assert await store.hook_states.failing_since_us("welcome") is None
        place.clock.us += 2 * HOUR_US
        first = await end(store, Status.DEAD)
        place.clock.us += 3 * HOUR_US
        second = await end(store, Status.DEAD)
        assert await store.hook_states.failing_since_us("welcome") == first
        assert await store.hook_states.failing_since_us("welcome", first) == second
        assert await store.hook_states.failing_since_us("welcome", second) is None
        assert await store.hook_states.failing_since_us("other") is None

    place.run(scenario)
