"""Promises 1, 2, 5 and 6: what an attempt changed."""

import asyncio

import pytest

from hookrt.errors import UsageError
from hookrt.model.attempt import Exchange
from hookrt.model.delivery import Delivery, Status, StepResult, StepStatus
from hookrt.store.contract import DeliveryQuery, Recorded


def test_a_recording_changes_all_that_it_names_and_ends_the_lease(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease()
        await store.save(place.event("e1", place.delivery("d1", lease=lease)))
        later = place.clock.us + 9
        recording = place.recording(
            "d1", lease.token, Status.WAITING, lane="next", due_us=later, at_us=place.clock.us + 3,
            attempts=4, step_attempts=2, failed_steps=1, reason="status",
        )  # fmt: skip
        assert await store.record(recording) is Recorded.DONE
        found = (await store.delivery("d1")).delivery
        assert (found.status, found.lane, found.due_us) == (Status.WAITING, "next", later)
        assert (found.attempts, found.step_attempts, found.failed_steps) == (4, 2, 1)
        assert (found.reason, found.updated_us, found.lease_token) == ("status", place.clock.us + 3, 0)
        assert (found.created_us, found.expires_us) == (place.clock.us, place.delivery("x").expires_us)

    place.run(scenario)


def test_attempts_of_a_step_are_read_with_the_step_that_they_belong_to(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1"))

        async def record(**changes) -> Delivery:
            [claimed] = await store.claim_due(place.claim("me", room=1))
            token = claimed.delivery.lease_token
            assert await store.record(place.recording("d1", token, **changes)) is Recorded.DONE
            return (await store.delivery("d1")).delivery

        attempt = place.attempt(number=1, step="second")
        waiting = await record(status=Status.WAITING, attempts=1, step_attempts=1, attempt=attempt)
        assert waiting.tried == "second"
        postponed = await record(status=Status.WAITING, attempts=1, step_attempts=1)
        assert postponed.tried == "second"
        [claimed] = await store.claim_due(place.claim("me", room=1))
        assert claimed.delivery.tried == "second"
        over = place.recording("d1", claimed.delivery.lease_token, Status.PENDING, attempts=1)
        assert await store.record(over) is Recorded.DONE
        assert (await store.delivery("d1")).delivery.tried is None

    place.run(scenario)


def test_a_stale_token_changes_nothing_and_is_said(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease("old", 1)
        await store.save(place.event("e1", place.delivery("d1", lease=lease), "d2"))
        place.clock.us += 2_000_000
        await store.claim_due(place.claim("new", first_token=7, room=1))
        before = await store.delivery("d1")
        emitted = [place.event("emitted")]
        stale = place.recording("d1", lease.token, attempt=place.attempt(), emitted=emitted)
        assert await store.record(stale) is Recorded.STALE
        assert await store.delivery("d1") == before
        assert list(await store.attempts("d1")) == []
        assert await store.event("http", "emitted") is None
        assert await store.record(place.recording("d2", 0)) is Recorded.STALE
        assert await store.record(place.recording("unknown", 7)) is Recorded.STALE

    place.run(scenario)


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.DEAD, Status.CANCELLED])
def test_a_final_delivery_never_changes_again(place, status) -> None:
    async def scenario(store) -> None:
        lease = place.lease()
        await store.save(place.event("e1", place.delivery("d1", lease=lease)))
        assert await store.record(place.recording("d1", lease.token, status, reason="why")) is Recorded.DONE
        final = await store.delivery("d1")
        place.clock.us += 10**9
        assert await store.record(place.recording("d1", lease.token, Status.DEAD)) is Recorded.STALE
        assert await store.record(place.recording("d1", 0, Status.DEAD)) is Recorded.STALE
        assert not await store.cancel("d1", "x")
        assert not await store.retry_now("d1")
        assert await store.hold_orphans({"file": ()}, "removed") == 0
        assert await store.relane("welcome", "file", {"a": "other"}) == 0
        assert await store.release("me") == 0
        assert place.ids(await store.claim_due(place.claim("other"))) == []
        assert await store.delivery("d1") == final

    place.run(scenario)


def test_results_of_steps_add_up(place) -> None:
    first = StepResult(StepStatus.SUCCEEDED, {"deep": [{"x": "y\n"}], "n": 1.5, "none": None})
    second = StepResult(StepStatus.FAILED, error="status: 500")

    async def scenario(store) -> None:
        lease = place.lease()
        await store.save(place.event("e1", place.delivery("d1", lease=lease)))
        for results in ({"a": first}, {}, {"b": second}):
            goes_on = place.recording("d1", lease.token, Status.RUNNING, new_results=results, lease=lease)
            assert await store.record(goes_on) is Recorded.DONE
        assert (await store.delivery("d1")).delivery.results == {"a": first, "b": second}
        await store.record(place.recording("d1", lease.token, Status.WAITING, new_results={"b": first}))
        [claimed] = await store.claim_due(place.claim())
        assert claimed.delivery.results == {"a": first, "b": first}

    place.run(scenario)


def test_with_a_lease_a_delivery_stays_with_its_owner_until_the_new_time(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease("me", 1)
        await store.save(place.event("e1", place.delivery("d1", lease=lease)))
        longer = type(lease)("me", lease.token, place.clock.us + 60_000_000)
        await store.record(place.recording("d1", lease.token, Status.RUNNING, lease=longer))
        assert (await store.delivery("d1")).delivery.status is Status.RUNNING
        place.clock.us += 59_000_000
        assert place.ids(await store.claim_due(place.claim("other"))) == []
        assert await store.record(place.recording("d1", lease.token)) is Recorded.DONE

    place.run(scenario)


def test_a_lease_and_running_go_together(place) -> None:
    async def scenario(store) -> None:
        with pytest.raises(UsageError):
            await store.record(place.recording("d1", 1, Status.RUNNING))
        with pytest.raises(UsageError):
            await store.record(place.recording("d1", 1, Status.DEAD, lease=place.lease()))

    place.run(scenario)


def test_attempts_are_kept_first_to_last_as_they_were(place) -> None:
    exchange = Exchange(
        "POST", "https://x.example/é", {"a": "1"}, "body", 500, {"b": "2"}, "answer\0", "203.0.113.7:443"
    )
    first = place.attempt(1, "retry", reason="status", message="500", logs=("one", "two\n"), exchange=exchange)
    second = place.attempt(2, step="other", exchange=Exchange("GET", "https://x.example"))

    async def scenario(store) -> None:
        lease = place.lease()
        await store.save(place.event("e1", place.delivery("d1", lease=lease)))
        await store.record(place.recording("d1", lease.token, Status.RUNNING, lease=lease, attempt=first))
        await store.record(place.recording("d1", lease.token, attempt=second))
        assert list(await store.attempts("d1")) == [first, second]
        assert list(await store.attempts("unknown")) == []

    place.run(scenario)


def test_the_end_of_a_delivery_may_be_recorded_without_an_attempt(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease()
        await store.save(place.event("e1", place.delivery("d1", lease=lease)))
        await store.record(place.recording("d1", lease.token, Status.DEAD, reason="expired"))
        assert (await store.delivery("d1")).delivery.reason == "expired"
        assert list(await store.attempts("d1")) == []

    place.run(scenario)


def test_what_a_step_emits_is_saved_with_its_attempt_and_a_repetition_is_no_error(place) -> None:
    async def scenario(store) -> None:
        lease = place.lease()
        await store.save(place.event("e1", place.delivery("d1", lease=lease)))
        await store.save(place.event("known", "d2"))
        emitted = [place.event("new", "d3"), place.event("known", "x"), place.event("known", "y", digest=b"other")]
        assert await store.record(place.recording("d1", lease.token, emitted=emitted)) is Recorded.DONE
        assert [one.id for one in (await store.event("http", "new")).deliveries] == ["d3"]
        assert [one.id for one in (await store.event("http", "known")).deliveries] == ["d2"]

    place.run(scenario)


def test_recordings_and_saves_at_the_same_time_all_take_effect_once(place) -> None:
    async def scenario(store) -> None:
        leases = [place.lease() for _ in range(300)]
        made = [place.event(f"e{n}", place.delivery(f"d{n}", lease=lease)) for n, lease in enumerate(leases)]
        await asyncio.gather(*map(store.save, made))
        twice = [place.recording(f"d{n}", lease.token) for n, lease in enumerate(leases) for _ in range(2)]
        more = [place.event(f"more{n}", f"m{n}") for n in range(100)]
        done = await asyncio.gather(*map(store.record, twice), *map(store.save, more))
        assert done[:600].count(Recorded.DONE) == done[:600].count(Recorded.STALE) == 300
        assert (await store.counts())[Status.SUCCEEDED] == 300
        assert (await store.counts())[Status.PENDING] == 100
        page = await store.deliveries(DeliveryQuery(statuses=(Status.SUCCEEDED,), limit=1000))
        assert len(page.items) == 300

    place.run(scenario)


def test_a_recording_that_fails_fails_alone(place) -> None:
    async def scenario(store) -> None:
        leases = [place.lease() for _ in range(3)]
        for n, lease in enumerate(leases):
            await store.save(place.event(f"e{n}", place.delivery(f"d{n}", lease=lease)))
        recordings = [place.recording(f"d{n}", lease.token) for n, lease in enumerate(leases)]
        bad = place.recording("d1", leases[1].token, emitted=[place.event("bad", "d0")])
        done = await asyncio.gather(
            *(store.record(one) for one in (recordings[0], bad, recordings[2])), return_exceptions=True
        )
        assert (done[0], done[2]) == (Recorded.DONE, Recorded.DONE)
        assert isinstance(done[1], Exception)
        assert (await store.delivery("d1")).delivery.status is Status.RUNNING
        assert await store.record(recordings[1]) is Recorded.DONE

    place.run(scenario)
