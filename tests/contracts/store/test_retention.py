"""What is old is removed, and nothing else."""

from dataclasses import replace

import pytest

from hookrt.errors import NotFound
from hookrt.model.attempt import Exchange
from hookrt.model.delivery import Status, StepResult, StepStatus
from hookrt.model.job import Job, JobKind, JobStatus, Progress
from hookrt.store.contract import HOUR_US, DeliveryQuery, EventQuery
from hookrt.store.job_contract import Addition, JobStep, Stretch
from hookrt.store.retention_contract import Ages, Figures, Removed

DAY_US = 24 * HOUR_US
ALL = Stretch(0, 2**62, 1000)
AGES = Ages(DAY_US, succeeded_us=7 * DAY_US, cancelled_us=7 * DAY_US, dead_us=30 * DAY_US, unmatched_us=7 * DAY_US)
PAYLOADS = replace(AGES, payload_us=2 * DAY_US)


async def end(place, store, delivery: str, status: Status = Status.SUCCEEDED, **changes) -> None:
    """Give a pending delivery an attempt with which it ends now."""
    [claimed] = await store.claim_due(place.claim())
    assert claimed.delivery.id == delivery
    exchange = Exchange("POST", "https://crm.example.com", request_body="sent", status=200, response_body="told")
    attempt = place.attempt(logs=("a line",), exchange=exchange)
    await store.record(
        place.recording(delivery, claimed.delivery.lease_token, status, attempt=attempt, attempts=1, **changes)
    )


async def save_ended(place, store, name: str, status: Status = Status.SUCCEEDED) -> None:
    await store.save(place.event(f"e{name}", f"d{name}"))
    await end(place, store, f"d{name}", status)


async def sweep(place, store, ages: Ages = AGES) -> Removed:
    """Remove whatever may go now."""
    positions = [aged.position for aged in await store.retention.look(ALL)]
    return await store.retention.remove(positions, ages, place.clock.us)


async def names(store) -> list[str]:
    return [stored.event.id for stored in (await store.events(EventQuery())).items]


def test_an_event_goes_with_its_deliveries_and_attempts_when_all_are_old_enough(place) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1")
        await store.save(place.event("newest", "dn"))
        place.clock.us += 7 * DAY_US - 1
        assert await sweep(place, store) == Removed()
        place.clock.us += 1
        assert await sweep(place, store) == Removed(1, 1, 1)
        assert await names(store) == ["newest"]
        assert await store.event("http", "e1") is None
        assert await store.delivery("d1") is None
        assert await store.attempts("d1") == ()

    place.run(scenario)


@pytest.mark.parametrize(
    ("status", "days"), [(Status.SUCCEEDED, 7), (Status.CANCELLED, 7), (Status.DEAD, 30)], ids=lambda one: str(one)
)
def test_each_final_status_has_an_age_of_its_own(place, status, days) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1", status)
        await store.save(place.event("newest", "dn"))
        place.clock.us += days * DAY_US - 1
        assert await sweep(place, store) == Removed()
        place.clock.us += 1
        assert await sweep(place, store) == Removed(1, 1, 1)

    place.run(scenario)


def test_of_several_deliveries_the_one_that_is_kept_longest_counts(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1", place.delivery("d2", due_us=place.clock.us + 1)))
        await end(place, store, "d1")
        place.clock.us += 1
        await end(place, store, "d2", Status.DEAD)
        await store.save(place.event("newest", "dn"))
        place.clock.us += 8 * DAY_US
        assert await sweep(place, store) == Removed()
        place.clock.us += 22 * DAY_US
        assert await sweep(place, store) == Removed(1, 2, 2)

    place.run(scenario)


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.WAITING, Status.HELD], ids=str)
def test_an_event_with_an_open_delivery_never_goes(place, status) -> None:
    async def scenario(store) -> None:
        lease = place.lease() if status in {Status.RUNNING, Status.WAITING} else None
        held = status is Status.HELD
        await store.save(place.event("e1", place.delivery("d1", lease=lease, held=held)))
        if status is Status.WAITING:
            await store.record(place.recording("d1", lease.token, Status.WAITING))
        await store.save(place.event("newest", "dn"))
        place.clock.us += 4000 * DAY_US
        assert await sweep(place, store, PAYLOADS) == Removed()
        assert await store.retention.drop_payloads([1], PAYLOADS, place.clock.us) == 0
        [first, *_] = await store.retention.look(ALL)
        assert first.open

    place.run(scenario)


def test_an_event_that_no_hook_matched_has_an_age_of_its_own(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1"))
        await store.save(place.event("newest", "dn"))
        place.clock.us += 7 * DAY_US - 1
        assert await sweep(place, store) == Removed()
        place.clock.us += 1
        assert await sweep(place, store) == Removed(1, 0, 0)

    place.run(scenario)


def test_nothing_goes_within_a_day_of_coming_in_whatever_its_age_says(place) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1")
        await store.save(place.event("newest", "dn"))
        place.clock.us += DAY_US - 1
        assert await sweep(place, store, Ages(DAY_US)) == Removed()
        assert (await store.save(place.event("e1", "again"))).duplicate
        place.clock.us += 1
        assert await sweep(place, store, Ages(DAY_US)) == Removed(1, 1, 1)

    place.run(scenario)


def test_the_newest_event_and_the_newest_delivery_stay_so_that_no_place_is_given_twice(place) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1")
        await save_ended(place, store, "2")
        await store.save(place.event("e3"))
        before = await store.jobs.positions()
        place.clock.us += 40 * DAY_US
        assert await sweep(place, store) == Removed(1, 1, 1)
        assert await names(store) == ["e3", "e2"]
        assert await store.jobs.positions() == before
        await save_ended(place, store, "4")
        after = await store.jobs.positions()
        assert (after.events, after.deliveries) == (before.events + 1, before.deliveries + 1)
        assert await sweep(place, store) == Removed(2, 1, 1)

    place.run(scenario)


def test_a_replay_that_was_added_meanwhile_keeps_its_event(place) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1")
        await store.save(place.event("newest", "dn"))
        place.clock.us += 40 * DAY_US
        seen = [aged.position for aged in await store.retention.look(ALL)]
        await store.add_delivery("http", "e1", place.delivery("d9", replay_of="d1"))
        assert await store.retention.remove(seen, AGES, place.clock.us) == Removed()
        assert await store.retention.drop_payloads(seen, PAYLOADS, place.clock.us) == 0

    place.run(scenario)


def test_what_is_left_is_counted_and_listed_as_before(place) -> None:
    async def scenario(store) -> None:
        for name in ("1", "2"):
            await save_ended(place, store, name)
        await save_ended(place, store, "3", Status.DEAD)
        await store.save(place.event("e4", "d4"))
        assert await store.retention.figures() == Figures(4, 4)
        place.clock.us += 8 * DAY_US
        assert await sweep(place, store) == Removed(2, 2, 2)
        assert await store.retention.figures() == Figures(2, 2)
        counts = await store.counts()
        assert (counts[Status.SUCCEEDED], counts[Status.DEAD], counts[Status.PENDING]) == (0, 1, 1)
        page = await store.deliveries(DeliveryQuery(limit=1))
        assert [one.id for one in page.items] == ["d4"]
        page = await store.deliveries(DeliveryQuery(limit=1, cursor=page.next))
        assert [one.id for one in page.items] == ["d3"]
        assert page.next is None
        assert place.ids(await store.claim_due(place.claim())) == ["d4"]

    place.run(scenario)


def test_after_an_event_is_gone_its_id_is_free_again(place) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1")
        await store.save(place.event("newest", "dn"))
        place.clock.us += 8 * DAY_US
        await sweep(place, store)
        saved = await store.save(place.event("e1", "anew", digest=b"other"))
        assert (saved.duplicate, saved.conflict, list(saved.deliveries)) == (False, False, ["anew"])

    place.run(scenario)


def test_what_was_carried_is_dropped_while_the_record_stays(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "d1", binary=True))
        result = StepResult(StepStatus.SUCCEEDED, {"email": "a@example.com"})
        await end(place, store, "d1", new_results={"contact": result})
        place.clock.us += 2 * DAY_US - 1
        assert await store.retention.drop_payloads([1], PAYLOADS, place.clock.us) == 0
        place.clock.us += 1
        assert await store.retention.drop_payloads([1], AGES, place.clock.us) == 0
        assert await store.retention.drop_payloads([1], PAYLOADS, place.clock.us) == 1
        stored = await store.event("http", "e1")
        assert (stored.event.content, stored.event.payload_dropped, stored.event.data) == (b"", True, None)
        assert stored.event.type == "User.Created"
        assert stored.deliveries[0].results == {"contact": StepResult(StepStatus.SUCCEEDED)}
        [attempt] = await store.attempts("d1")
        assert (attempt.exchange, attempt.logs, attempt.outcome) == (None, (), "done")
        [aged] = await store.retention.look(ALL)
        assert aged.dropped
        assert aged.size == 0
        assert await store.retention.drop_payloads([1], PAYLOADS, place.clock.us) == 0

    place.run(scenario)


def test_a_second_event_of_an_identity_is_a_duplicate_also_when_the_payload_is_gone(place) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1")
        place.clock.us += 3 * DAY_US
        await store.retention.drop_payloads([1], PAYLOADS, place.clock.us)
        again = await store.save(place.event("e1", "d9"))
        assert (again.duplicate, list(again.deliveries)) == (True, ["d1"])
        assert (await store.save(place.event("e1", "d9", digest=b"other"))).conflict

    place.run(scenario)


def test_nothing_is_added_to_an_event_whose_payload_is_gone(place) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1")
        place.clock.us += 3 * DAY_US
        await store.retention.drop_payloads([1], PAYLOADS, place.clock.us)
        with pytest.raises(NotFound, match="payload"):
            await store.add_delivery("http", "e1", place.delivery("d9", replay_of="d1"))
        job = Job("j1", JobKind.REPLAY_DELIVERIES, JobStatus.RUNNING, b"{}", Progress(), 0, 0)
        await store.jobs.add(job)
        addition = Addition("http", "e1", place.delivery("d9", replay_of="d1"))
        step = JobStep("j1", Progress(), Progress(done=1), JobStatus.RUNNING, add=[addition])
        after = await store.jobs.advance(step)
        assert (after.progress.done, after.progress.skipped) == (0, 1)

    place.run(scenario)


def test_a_look_goes_up_in_the_order_of_commit_within_its_stretch(place) -> None:
    async def scenario(store) -> None:
        for n in range(5):
            await store.save(place.event(f"e{n}", f"d{n}", f"x{n}"))
        seen = await store.retention.look(Stretch(1, 4, 2))
        assert [(aged.position, aged.deliveries, aged.size) for aged in seen] == [(2, 2, 8), (3, 2, 8)]
        assert [aged.position for aged in await store.retention.look(Stretch(3, 4, 9))] == [4]
        assert list(await store.retention.look(Stretch(5, 2**62, 9))) == []

    place.run(scenario)


def test_expired_values_are_forgotten_and_others_stay(place) -> None:
    async def scenario(store) -> None:
        for n in range(3):
            await store.put("state", f"old{n}", b"1", place.clock.us + 10)
        await store.put("state", "later", b"2", place.clock.us + 1000)
        await store.put("state", "ever", b"3")
        place.clock.us += 10
        assert await store.retention.forget_values(2) == 2
        assert await store.retention.forget_values(2) == 1
        assert await store.retention.forget_values(2) == 0
        assert [await store.get("state", key) for key in ("later", "ever")] == [b"2", b"3"]

    place.run(scenario)


def test_old_figures_of_hooks_are_forgotten_and_others_stay(place) -> None:
    async def scenario(store) -> None:
        await save_ended(place, store, "1")
        place.clock.us += 3 * HOUR_US
        await save_ended(place, store, "2")
        assert await store.retention.forget_hours(place.clock.us - HOUR_US, 10) == 1
        assert await store.retention.forget_hours(place.clock.us - HOUR_US, 10) == 0
        assert (await store.hook_stats("welcome", 0)).succeeded == 1

    place.run(scenario)
