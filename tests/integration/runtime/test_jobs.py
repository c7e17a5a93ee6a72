"""Jobs through restarts, failing stores and other processes."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from hookrt import Event, Runtime
from hookrt.clock import SystemClock
from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.model.job import Job, JobStatus
from hookrt.model.policy import NO_RETRY
from hookrt.plugin import Outcome
from hookrt.runtime.jobs.requests import ReplayDeliveries
from hookrt.store.job_contract import JobStep
from hookrt.store.memory.jobs import MemoryJobs
from hookrt.store.memory.store import MemoryStore


class Hook:
    def __init__(self, runtime: Runtime, name: str = "flaky") -> None:
        self.outcome = Outcome.reject("nope")
        self.calls: Counter[str] = Counter()

        @runtime.on("A.B", name=name, retry=NO_RETRY)
        async def run(event: Event) -> Outcome:
            self.calls[event.id] += 1
            return self.outcome


async def emit_dead(runtime: Runtime, count: int) -> None:
    receipts = [await runtime.emit("A.B") for _ in range(count)]
    for receipt in receipts:
        [delivery] = await receipt.wait(20)
        assert delivery.status is Status.DEAD


async def ended(runtime: Runtime, job: Job) -> Job:
    async with asyncio.timeout(30):
        while True:
            found = await runtime.store.jobs.find(job.id)
            assert found is not None
            if found.status.final:
                return found
            await asyncio.sleep(0.01)


async def settled(runtime: Runtime) -> None:
    async with asyncio.timeout(30):
        while any(n for status, n in (await runtime.store.counts()).items() if not status.final):
            await asyncio.sleep(0.01)


def test_a_job_goes_on_where_it_was_after_a_restart_and_replays_nothing_twice(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hookrt.db"

    async def run() -> None:
        first = Runtime(store=url)
        Hook(first)
        async with first:
            await emit_dead(first, 60)
            job = await first.control.jobs.replay_deliveries(ReplayDeliveries(hook="flaky", rate=40.0))
            async with asyncio.timeout(20):
                while (found := await first.store.jobs.find(job.id)) is None or found.progress.done == 0:
                    await asyncio.sleep(0.01)
        second = Runtime(store=url)
        hook = Hook(second)
        hook.outcome = Outcome.done()
        async with second:
            between = await second.store.jobs.find(job.id)
            assert between is not None
            assert between.status is JobStatus.RUNNING
            assert 0 < between.progress.done < 60
            over = await ended(second, job)
            await settled(second)
            counts = await second.store.counts()
        assert (over.status, over.progress.done, over.progress.total) == (JobStatus.DONE, 60, 60)
        assert sum(counts.values()) == 120, "one new delivery for each of the old ones"

    asyncio.run(run())


class UnsureJobs(MemoryJobs):
    """Fails every other step: before it is written, or after, so that nobody knows."""

    turn = 0

    async def advance(self, step: JobStep) -> Job | None:
        self.turn += 1
        if self.turn % 4 == 1:
            raise StoreError("the disk hiccups before")
        advanced = await super().advance(step)
        if self.turn % 4 == 3:
            raise StoreError("the disk hiccups after")
        return advanced


def test_a_store_that_fails_before_or_after_a_step_makes_no_delivery_twice_and_loses_none() -> None:
    class QuickClock(SystemClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(min(seconds, 0.01))

    async def run() -> None:
        store = MemoryStore(QuickClock())
        plain = store.jobs
        store.jobs = UnsureJobs(plain._ready, plain._now_us, plain._cancel_row)
        runtime = Runtime(store=store, clock=QuickClock())
        hook = Hook(runtime)
        async with runtime:
            await emit_dead(runtime, 20)
            hook.outcome = Outcome.done()
            job = await runtime.control.jobs.replay_deliveries(ReplayDeliveries(hook="flaky", rate=10.0))
            over = await ended(runtime, job)
            await settled(runtime)
            assert (over.status, over.progress.done) == (JobStatus.DONE, 20)
            assert set(hook.calls.values()) == {2}

    asyncio.run(run())


def test_only_the_process_that_delivers_works_off_jobs_that_another_one_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hookrt.db"

    async def run() -> None:
        leader, other = Runtime(store=url), Runtime(store=url, deliver=False)
        hook = Hook(leader)
        Hook(other)
        async with leader:
            await emit_dead(leader, 3)
            hook.outcome = Outcome.done()
            async with other:
                job = await other.control.jobs.replay_deliveries(ReplayDeliveries(hook="flaky"))
                assert (await ended(other, job)).progress.done == 3
            await settled(leader)
            assert set(hook.calls.values()) == {2}

    asyncio.run(run())


def test_jobs_run_side_by_side_so_that_a_slow_one_holds_up_nobody() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")
        hook = Hook(runtime)
        async with runtime:
            await emit_dead(runtime, 3)
            hook.outcome = Outcome.done()
            slow = await runtime.control.jobs.replay_deliveries(ReplayDeliveries(hook="flaky", rate=0.001, again=True))
            quick = await runtime.control.jobs.replay_deliveries(ReplayDeliveries(hook="flaky", again=True))
            assert (await ended(runtime, quick)).progress.done == 3
            found = await runtime.store.jobs.find(slow.id)
            assert found is not None
            assert found.status in {JobStatus.QUEUED, JobStatus.RUNNING}
            await runtime.control.jobs.cancel(slow.id)

    asyncio.run(run())


def test_a_mistake_in_one_job_ends_it_with_its_reason_and_no_other() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")
        hook = Hook(runtime)
        async with runtime:
            await emit_dead(runtime, 2)
            hook.outcome = Outcome.done()
            good = await runtime.control.jobs.replay_deliveries(ReplayDeliveries(hook="flaky"))
            broken: Any = Job("job_broken", good.kind, JobStatus.QUEUED, b"[]", good.progress, 0, 0)
            await runtime.store.jobs.add(broken)
            failed = await ended(runtime, broken)
            assert failed.status is JobStatus.FAILED
            assert "cannot be read" in failed.progress.errors[0].message
            assert (await ended(runtime, good)).progress.done == 2

    asyncio.run(run())
