"""Works off the jobs of the store, in the process that delivers.

A job goes on where its row says that it was, whatever happened in between: each step writes its deliveries and how far
the job is in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hookrt.clock import Clock, wait_at_most
from hookrt.delivery.leases import cancel_all
from hookrt.errors import HookrtError, StoreError
from hookrt.model.job import MAX_ERRORS, Job, JobError, JobStatus, Progress
from hookrt.plugin.observer import Observer
from hookrt.plugin.protocols import Log
from hookrt.runtime.jobs.plans import CANCELLED_BY_HAND, Plan, Planner, Tools, make_planner
from hookrt.store.job_contract import JobStep

AT_ONCE = 8
"""How many jobs are worked off side by side; the others wait in the order in which they were asked for."""

STEP = 100
"""Most deliveries of one step, which is one transaction."""

STEP_S = 0.25
"""The time that one step of a job with a rate stands for: the lower the rate, the smaller the step."""

POLL_S = 2.0
"""How often the store is asked for jobs that another process made."""

LOOK_S = 2.0
"""How often a job that rests for its rate looks whether it was cancelled."""

PATIENCE_S = 1.0
"""The pause after the store could not do something, and while it has too many open deliveries."""


@dataclass(slots=True)
class RunnerPorts:
    """What the runner is handed. `made` is told how many new deliveries are due, `crowded` says whether there are too
    many already.
    """

    tools: Tools
    clock: Clock
    log: Log
    made: Callable[[int], None]
    crowded: Callable[[], bool]
    mask: Callable[[str], str] = str
    observer: Observer = field(default_factory=Observer)


class JobRunner:
    """Runs every job that is not final, AT_ONCE at a time. It must be stopped; what is not done then, is done later."""

    def __init__(self, ports: RunnerPorts) -> None:
        self._ports = ports
        self._running: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    def start(self) -> None:
        """Begin, if that is not done yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="hookrt jobs")

    async def stop(self) -> None:
        """End; a step under way is on disk, or was never made."""
        task, self._task = self._task, None
        if task is not None:
            await cancel_all([task, *self._running.values()])

    def wake(self) -> None:
        """There is a new job."""
        self._woken.set()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                for job in await self._ports.tools.store.jobs.unfinished():
                    self._begin(job)
            except StoreError as error:
                self._ports.log.error("jobs-not-read", error=str(error))
            await wait_at_most(POLL_S, self._woken)

    def _begin(self, job: Job) -> None:
        if job.id in self._running or len(self._running) >= AT_ONCE:
            return
        task = asyncio.create_task(self._work(job), name=f"hookrt {job.id}")
        self._running[job.id] = task
        task.add_done_callback(lambda _: self._finished(job.id))

    def _finished(self, job: str) -> None:
        self._running.pop(job, None)
        self._woken.set()

    async def _work(self, job: Job) -> None:
        """All steps of a job, whatever the store is like meanwhile."""
        self._ports.log.info("job-started", job=job.id, kind=job.kind.value, total=job.progress.total)
        current: Job | None = job
        try:
            planner = make_planner(job, self._ports.tools)
            pace = Pace(planner.request.rate, self._ports.clock)
            while current is not None and not current.status.final:
                current = await self._step_surely(current, planner, pace)
        except HookrtError as error:
            current = await self._fail(job.id, str(error))
        except Exception as error:  # a mistake of ours: the job ends, its row says why, and the others go on
            current = await self._fail(job.id, f"{type(error).__name__}: {error}")
        if current is not None:
            self._tell(current)

    async def _step_surely(self, job: Job, planner: Planner, pace: Pace) -> Job | None:
        """One step. After an error of the store it asks anew how far the job is, since the step may be on disk."""
        try:
            if self._ports.crowded():
                await self._ports.clock.sleep(PATIENCE_S)
                return await self._ports.tools.store.jobs.find(job.id)
            plan = await planner.plan(job.progress, pace.step)
            status = JobStatus.DONE if plan.ended else JobStatus.RUNNING
            advanced = await self._advance(job, plan, status)
            if advanced is None:  # cancelled, or its row is not as we knew it
                return await self._ports.tools.store.jobs.find(job.id)
        except StoreError as error:
            self._ports.log.error("job-stalled", job=job.id, error=str(error))
            await self._ports.clock.sleep(PATIENCE_S)
            return await self._find_surely(job)
        if plan.size:  # also after a cancellation, since another one of an order key may have the turn now
            self._ports.made(len(plan.add))
        return advanced if plan.ended else await self._rest(advanced, pace.pause(plan.size))

    async def _rest(self, job: Job, seconds: float) -> Job | None:
        """Wait, and look now and then whether the job was cancelled, so that a slow one does not keep its place."""
        current: Job | None = job
        while seconds > 0 and current is not None and not current.status.final:
            await self._ports.clock.sleep(min(seconds, LOOK_S))
            seconds -= LOOK_S
            current = await self._find_surely(job)
        return current

    async def _advance(self, job: Job, plan: Plan, status: JobStatus) -> Job | None:
        errors = [JobError(error.of, self._ports.mask(error.message)) for error in plan.errors]
        progress = replace(plan, errors=errors).applied_to(job.progress)
        step = JobStep(job.id, job.progress, progress, status, plan.add, plan.cancel, CANCELLED_BY_HAND)
        return await self._ports.tools.store.jobs.advance(step)

    async def _find_surely(self, job: Job) -> Job | None:
        try:
            return await self._ports.tools.store.jobs.find(job.id)
        except StoreError:
            return job  # a step that follows from an old progress is refused

    async def _fail(self, job: str, why: str) -> Job | None:
        """End a job that cannot go on, and say why in its row."""
        jobs = self._ports.tools.store.jobs
        while True:
            try:
                found = await jobs.find(job)
                if found is None or found.status.final:
                    return found
                progress = _with_error(found.progress, self._ports.mask(why))
                if failed := await jobs.advance(JobStep(job, found.progress, progress, JobStatus.FAILED)):
                    return failed
            except StoreError as error:
                self._ports.log.error("job-stalled", job=job, error=str(error))
                await self._ports.clock.sleep(PATIENCE_S)

    def _tell(self, job: Job) -> None:
        progress = job.progress
        counts = {"done": progress.done, "skipped": progress.skipped, "failed": progress.failed}
        fields = {"job": job.id, "kind": job.kind.value, **counts}
        if job.status is JobStatus.FAILED:
            self._ports.log.error("job-failed", **fields, why=progress.errors[-1].message)
        else:
            self._ports.log.info("job-ended", **fields, status=job.status.value)
        self._ports.observer.job_ended(job.kind.value, job.status.value)


class Pace:
    """Keeps a job to its rate: small steps, each followed by the time that it stands for."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._free_at = clock.monotonic()
        self.step = STEP if rate is None else max(1, min(STEP, int(rate * STEP_S)))

    def pause(self, touched: int) -> float:
        """Seconds until the next step may be made, after one of so many deliveries."""
        if self._rate is None or not touched:
            return 0.0
        now = self._clock.monotonic()
        self._free_at = max(self._free_at, now) + touched / self._rate
        return self._free_at - now


def _with_error(progress: Progress, why: str) -> Progress:
    return replace(progress, errors=(*progress.errors[: MAX_ERRORS - 1], JobError("", why)))
