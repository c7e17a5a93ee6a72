"""Promises about jobs: each step is one transaction, is made once, and never meets what it made itself."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.model.job import Job, JobError, JobKind, JobStatus, Progress
from hookrt.store.job_contract import (
    FINAL_JOBS_KEPT_US,
    Addition,
    DeliveryWalk,
    EventWalk,
    JobStep,
    Positions,
    Stretch,
)

ALL = Stretch(0, 10**9)
DEAD = DeliveryWalk((Status.DEAD,))


def job(place: Any, identity: str = "job_1", **changes: Any) -> Job:
    made = Job(identity, JobKind.REPLAY_DELIVERIES, JobStatus.QUEUED, b"{}", Progress(), place.clock.us, place.clock.us)
    return replace(made, **changes)


async def die(store: Any, place: Any, *ids: str, reason: str = "timeout") -> None:
    """Let these stored deliveries be claimed, and die."""
    claimed = {one.delivery.id: one.delivery.lease_token for one in await store.claim_due(place.claim())}
    for identity in ids:
        await store.record(place.recording(identity, claimed[identity], Status.DEAD, reason=reason))


def ids(found: Any) -> list[str]:
    return [item.id for _, item in found]


def test_a_job_is_found_again_as_it_was_also_by_another_store(place):
    async def run() -> None:
        made = job(place, progress=Progress(3, 9, 4, 2, 1, 1, (JobError("d1", "no ‹hook›"),)), request=b'{"hook": "a"}')
        async with place.opened() as store:
            await store.jobs.add(made)
            assert await store.jobs.find("job_1") == made
            assert await store.jobs.find("job_2") is None
        async with place.opened() as store:
            assert await store.jobs.find("job_1") == made

    asyncio.run(run())


def test_an_id_of_a_job_is_taken_once(place):
    async def scenario(store: Any) -> None:
        await store.jobs.add(job(place))
        with pytest.raises(StoreError):
            await store.jobs.add(job(place))

    place.run(scenario)


def test_jobs_are_listed_newest_first_page_by_page(place):
    async def scenario(store: Any) -> None:
        for n in range(5):
            await store.jobs.add(job(place, f"job_{n}"))
        first = await store.jobs.recent(2)
        second = await store.jobs.recent(2, first.next)
        third = await store.jobs.recent(2, second.next)
        assert [[one.id for one in page.items] for page in (first, second, third)] == [
            ["job_4", "job_3"],
            ["job_2", "job_1"],
            ["job_0"],
        ]
        assert third.next is None

    place.run(scenario)


def test_unfinished_jobs_come_oldest_first_without_the_final_ones(place):
    async def scenario(store: Any) -> None:
        for n, status in enumerate(JobStatus):
            await store.jobs.add(job(place, f"job_{n}", status=status))
        assert [one.status for one in await store.jobs.unfinished()] == [JobStatus.QUEUED, JobStatus.RUNNING]

    place.run(scenario)


def test_final_jobs_are_forgotten_after_their_time_and_open_ones_never(place):
    async def scenario(store: Any) -> None:
        await store.jobs.add(job(place, "job_1", status=JobStatus.DONE))
        await store.jobs.add(job(place, "job_2", status=JobStatus.RUNNING))
        place.clock.us += FINAL_JOBS_KEPT_US + 1
        await store.jobs.add(job(place, "job_3"))
        assert [one.id for one in (await store.jobs.recent()).items] == ["job_3", "job_2"]

    place.run(scenario)


def test_a_step_adds_its_deliveries_and_remembers_how_far_it_is_at_once(place):
    async def run() -> None:
        async with place.opened() as store:
            await store.save(place.event("e1", "d1"))
            await store.jobs.add(job(place))
            place.clock.us += 5
            new = place.delivery("d2", replay_of="d1")
            progress = Progress(after=1, last=1, total=1, done=1)
            step = JobStep("job_1", Progress(), progress, JobStatus.DONE, [Addition("http", "e1", new)])
            advanced = await store.jobs.advance(step)
            assert (advanced.progress, advanced.status, advanced.updated_us) == (
                progress,
                JobStatus.DONE,
                place.clock.us,
            )
        async with place.opened() as store:
            assert await store.jobs.find("job_1") == advanced
            added = await store.delivery("d2")
            assert (added.delivery.replay_of, added.delivery.status) == ("d1", Status.PENDING)
            assert (await store.counts())[Status.PENDING] == 2

    asyncio.run(run())


def test_a_step_from_another_progress_than_the_stored_one_writes_nothing(place):
    async def scenario(store: Any) -> None:
        await store.save(place.event("e1", "d1"))
        await store.jobs.add(job(place))
        step = JobStep("job_1", Progress(), Progress(after=1, done=1), JobStatus.RUNNING)
        assert await store.jobs.advance(step) is not None
        again = replace(step, add=[Addition("http", "e1", place.delivery("d2"))])
        assert await store.jobs.advance(again) is None
        assert await store.delivery("d2") is None
        assert await store.jobs.advance(replace(step, job="job_none")) is None

    place.run(scenario)


def test_a_final_job_takes_no_step(place):
    async def scenario(store: Any) -> None:
        await store.save(place.event("e1", "d1"))
        await store.jobs.add(job(place))
        assert await store.jobs.cancel("job_1") is True
        step = JobStep("job_1", Progress(), Progress(done=1), JobStatus.DONE, cancel=["d1"], reason="x")
        assert await store.jobs.advance(step) is None
        assert (await store.delivery("d1")).delivery.status is Status.PENDING
        assert (await store.jobs.find("job_1")).status is JobStatus.CANCELLED

    place.run(scenario)


def test_a_job_is_cancelled_once(place):
    async def scenario(store: Any) -> None:
        await store.jobs.add(job(place))
        assert [await store.jobs.cancel(one) for one in ("job_1", "job_1", "job_2")] == [True, False, False]

    place.run(scenario)


def test_a_delivery_that_is_there_is_not_added_again_and_counts_as_done(place):
    async def scenario(store: Any) -> None:
        await store.save(place.event("e1", "d1"))
        await store.jobs.add(job(place))
        step = JobStep(
            "job_1",
            Progress(),
            Progress(done=2),
            JobStatus.RUNNING,
            [Addition("http", "e1", place.delivery("d1")), Addition("http", "e1", place.delivery("d2"))],
        )
        assert (await store.jobs.advance(step)).progress == Progress(done=2)
        assert [one.id for one in (await store.event("http", "e1")).deliveries] == ["d1", "d2"]

    place.run(scenario)


def test_what_cannot_be_added_or_cancelled_counts_as_skipped(place):
    async def scenario(store: Any) -> None:
        await store.save(place.event("e1", "d1", "d2"))
        await die(store, place, "d2")
        await store.jobs.add(job(place))
        step = JobStep(
            "job_1",
            Progress(),
            Progress(done=4),
            JobStatus.RUNNING,
            [Addition("http", "gone", place.delivery("d9"))],
            ["d1", "d2", "d7"],
            "by-hand",
        )
        assert (await store.jobs.advance(step)).progress == Progress(done=1, skipped=3)
        cancelled = (await store.delivery("d1")).delivery
        assert (cancelled.status, cancelled.reason) == (Status.CANCELLED, "by-hand")
        assert (await store.delivery("d2")).delivery.status is Status.DEAD
        assert (await store.counts())[Status.CANCELLED] == 1

    place.run(scenario)


def test_deliveries_are_walked_oldest_first_in_stretches(place):
    async def scenario(store: Any) -> None:
        for n in range(6):
            await store.save(place.event(f"e{n}", f"d{n}"))
        await die(store, place, "d0", "d2", "d3", "d5")
        first = await store.jobs.walk_deliveries(DEAD, Stretch(0, 10**9, 3))
        assert ids(first) == ["d0", "d2", "d3"]
        assert ids(await store.jobs.walk_deliveries(DEAD, Stretch(first[-1][0], 10**9, 3))) == ["d5"]
        assert ids(await store.jobs.walk_deliveries(DEAD, Stretch(0, first[-1][0], 9))) == ["d0", "d2", "d3"]
        assert await store.jobs.count_deliveries(DEAD, Stretch(0, 10**9, 1)) == 4
        both = DeliveryWalk((Status.DEAD, Status.RUNNING))
        assert ids(await store.jobs.walk_deliveries(both, ALL)) == [f"d{n}" for n in range(6)]
        assert await store.jobs.count_deliveries(both, ALL) == 6

    place.run(scenario)


def test_every_filter_of_a_walk_holds(place):
    async def scenario(store: Any) -> None:
        start = place.clock.us
        await store.save(place.event("e1", place.delivery("d1", hook="other")))
        place.clock.us += 10
        await store.save(place.event("e2", "d2", source="app"))
        await store.save(place.event("e3", "d3"))
        await die(store, place, "d1", "d2")
        await die_later(store, place, "d3")
        found = {
            "hook": DeliveryWalk((Status.DEAD,), hook="other"),
            "reason": DeliveryWalk((Status.DEAD,), reason="refused"),
            "since": DeliveryWalk((Status.DEAD,), since_us=start + 10),
            "until": DeliveryWalk((Status.DEAD,), until_us=start + 10),
        }
        walked = {name: ids(await store.jobs.walk_deliveries(walk, ALL)) for name, walk in found.items()}
        assert walked == {
            "hook": ["d1"],
            "reason": ["d3"],
            "since": ["d2", "d3"],
            "until": ["d1"],
        }
        for name, walk in found.items():
            assert await store.jobs.count_deliveries(walk, ALL) == len(walked[name])

    async def die_later(store: Any, place: Any, identity: str) -> None:
        place.clock.us += 60_000_000  # the lease of the first claim is over
        claimed = await store.claim_due(place.claim("another"))
        [token] = [one.delivery.lease_token for one in claimed if one.delivery.id == identity]
        await store.record(place.recording(identity, token, Status.DEAD, reason="refused"))

    place.run(scenario)


def test_what_was_replayed_is_left_out_when_asked(place):
    async def scenario(store: Any) -> None:
        await store.save(place.event("e1", "d1", "d2"))
        await die(store, place, "d1", "d2")
        await store.add_delivery("http", "e1", place.delivery("d3", replay_of="d1"))
        assert ids(await store.jobs.walk_deliveries(replace(DEAD, unreplayed=True), ALL)) == ["d2"]
        assert await store.jobs.count_deliveries(replace(DEAD, unreplayed=True), ALL) == 1
        assert ids(await store.jobs.walk_deliveries(DEAD, ALL)) == ["d1", "d2"]

    place.run(scenario)


def test_what_is_stored_after_the_positions_were_taken_is_beyond_them(place):
    async def scenario(store: Any) -> None:
        assert await store.jobs.positions() == Positions(0, 0)
        await store.save(place.event("e1", "d1", "d2"))
        end = await store.jobs.positions()
        await store.save(place.event("e2", "d3"))
        pending = DeliveryWalk((Status.PENDING,))
        assert ids(await store.jobs.walk_deliveries(pending, Stretch(0, end.deliveries))) == ["d1", "d2"]
        assert ids(await store.jobs.walk_events(EventWalk(), Stretch(0, end.events))) == ["e1"]
        assert ids(await store.jobs.walk_deliveries(pending, Stretch(end.deliveries, 10**9))) == ["d3"]
        assert ids(await store.jobs.walk_events(EventWalk(), Stretch(end.events, 10**9))) == ["e2"]

    place.run(scenario)


def test_events_are_walked_oldest_first_by_every_filter(place):
    async def scenario(store: Any) -> None:
        start = place.clock.us
        await store.save(place.event("e1", "d1"))
        place.clock.us += 10
        await store.save(place.event("e2", type="Other", source="app"))
        await store.save(place.event("e3", place.delivery("d3", hook="other")))
        walks = {
            "all": EventWalk(),
            "type": EventWalk(type="Other"),
            "source": EventWalk(source="app"),
            "since": EventWalk(since_us=start + 10),
            "until": EventWalk(until_us=start + 10),
            "without": EventWalk(without_hook="welcome"),
            "typed without": EventWalk(type="User.Created", without_hook="welcome"),
        }
        walked = {name: ids(await store.jobs.walk_events(walk, ALL)) for name, walk in walks.items()}
        assert walked == {
            "all": ["e1", "e2", "e3"],
            "type": ["e2"],
            "source": ["e2"],
            "since": ["e2", "e3"],
            "until": ["e1"],
            "without": ["e2", "e3"],
            "typed without": ["e3"],
        }
        for name, walk in walks.items():
            assert await store.jobs.count_events(walk, Stretch(0, 10**9, 1)) == len(walked[name])
        assert ids(await store.jobs.walk_events(EventWalk(), Stretch(1, 2, 5))) == ["e2"]

    place.run(scenario)
