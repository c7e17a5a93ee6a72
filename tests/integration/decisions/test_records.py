"""Every decision is recorded like a delivery, and nothing makes one run again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hookrt.delivery import decisions
from hookrt.errors import Overloaded, StoreError, UsageError
from hookrt.model.delivery import Status
from hookrt.model.event import Event
from hookrt.runtime.jobs.requests import ReplayDeliveries, ReplayEvents

HOOK = "h:\n  on: A.B\n  mode: decide\n  steps: [{do: allow}]\n"
DENY = "no:\n  on: A.B\n  mode: decide\n  steps: [{do: deny}]\n"
ORDINARY = "other:\n  on: A.B\n  steps: [{do: allow}]\n"


async def hang(call: Any) -> Any:
    await asyncio.Event().wait()


def test_a_decision_is_listed_with_what_each_hook_said(house: Any, store: str) -> None:
    async def run() -> None:
        async with house.runtime(HOOK + DENY, store=store) as runtime:
            decision = await runtime.decide("A.B", {"n": 1}, timeout=20, subject="s")
            stored = await runtime.store.event("app", decision.id)  # on disk when it is answered in time
            assert stored is not None
            assert (stored.event.type, stored.event.data, stored.event.subject) == ("A.B", {"n": 1}, "s")
            found = [(one.hook, one.status, one.reason) for one in stored.deliveries]
            assert found == [("h", Status.SUCCEEDED, "allow"), ("no", Status.SUCCEEDED, "deny")]
            assert [one.id for one in stored.deliveries] == [said.delivery for said in decision.hooks]
            [attempt] = await runtime.store.attempts(stored.deliveries[1].id)
            assert (attempt.number, attempt.step, attempt.outcome) == (1, "do", "done")
            counts = await runtime.store.counts()
            assert not any(counts.get(one) for one in Status if not one.final)

    asyncio.run(run())


def test_what_is_said_before_its_record_is_begun_is_recorded_all_the_same(house: Any, records: Any, store: str) -> None:
    """A condition without an answer, and a deadline that comes at once."""
    unanswerable = "w:\n  on: A.B\n  mode: decide\n  on_error: allow\n  when: event.data.x\n  steps: [{do: allow}]\n"

    async def run() -> None:
        async with house.runtime(unanswerable + HOOK, store=store) as runtime:
            await runtime.decide("A.B", {}, timeout=20)
            assert [one.reason for one in await records(runtime)] == ["allow: condition", "allow"]
            await runtime.decide("A.B", {}, timeout=1e-9)
            async with asyncio.timeout(20):
                while len(written := await records(runtime)) < 4:
                    await asyncio.sleep(0.01)
            found = [(one.status, one.reason) for one in written[2:]]
            assert found == [(Status.DEAD, "allow: deadline"), (Status.DEAD, "deny: deadline")] or found == [
                (Status.DEAD, "allow: condition"),
                (Status.DEAD, "deny: deadline"),
            ]

    asyncio.run(run())


def test_a_decision_cannot_be_replayed(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(HOOK + ORDINARY) as runtime:
            decision = await runtime.decide("A.B", timeout=20)
            house.ran.clear()
            with pytest.raises(UsageError, match="never run again"):
                await runtime.control.replay(decision.hooks[0].delivery)
            job = await runtime.control.jobs.replay_deliveries(ReplayDeliveries((Status.SUCCEEDED,), hook="h"))
            async with asyncio.timeout(10):
                while (found := await runtime.store.jobs.find(job.id)) is None or not found.status.final:
                    await asyncio.sleep(0.01)
            assert (found.progress.done, found.progress.failed) == (0, 1)
            assert house.ran == []

    asyncio.run(run())


def test_what_was_only_asked_about_fires_nothing_later(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(HOOK + ORDINARY) as runtime:
            await runtime.decide("A.B", timeout=20)
            jobs = runtime.control.jobs
            preview = await jobs.look_at_events(ReplayEvents(hook="other"), 10)
            assert preview.reasons == {"decide": 1}
            job = await jobs.replay_events(ReplayEvents(hook="other"))
            async with asyncio.timeout(10):
                while (found := await runtime.store.jobs.find(job.id)) is None or not found.status.final:
                    await asyncio.sleep(0.01)
            assert (found.progress.done, found.progress.skipped) == (0, 1)
            with pytest.raises(UsageError, match="mode: decide"):
                await jobs.replay_events(ReplayEvents(hook="h"))

    asyncio.run(run())


def test_a_stop_answers_who_waits_and_records_it(house: Any, tmp_path: Any) -> None:
    asked = asyncio.Event()

    async def hangs(call: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    house.behaviours["hang"] = hangs
    store = f"sqlite:///{tmp_path}/app.db"

    async def run() -> None:
        runtime = house.runtime(HOOK.replace("allow", "hang"), store=store)
        await runtime.start()
        waiting = asyncio.create_task(runtime.decide("A.B", timeout=30))
        await asked.wait()
        await runtime.stop(timedelta(0))
        async with asyncio.timeout(10):
            decision = await waiting
        assert (decision.decision, decision.hooks[0].cause) == ("deny", "stopping")
        async with house.runtime(HOOK, store=store) as again:
            stored = await again.store.event("app", decision.id)
            assert [(one.status, one.reason) for one in stored.deliveries] == [(Status.DEAD, "deny: stopping")]
            with pytest.raises(UsageError):
                await runtime.decide("A.B", timeout=20)

    asyncio.run(run())


def test_a_caller_who_goes_leaves_a_cancelled_record(house: Any, records: Any) -> None:
    asked = asyncio.Event()

    async def hangs(call: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    house.behaviours["hang"] = hangs

    async def run() -> None:
        async with house.runtime(HOOK.replace("allow", "hang")) as runtime:
            task = asyncio.create_task(runtime.decide("A.B", timeout=30))
            await asked.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            [record] = await records(runtime)
            assert (record.status, record.reason) == (Status.CANCELLED, "decision-interrupted")

    asyncio.run(run())


def test_a_store_that_takes_nothing_makes_on_error_answer(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(HOOK + DENY) as runtime:

            async def fails(new: Any) -> Any:
                raise StoreError("the disk is broken")

            runtime.store.save = fails
            decision = await runtime.decide("A.B", timeout=20)
            assert (decision.decision, decision.hooks[0].cause) == ("deny", "store")
            assert decision.hooks[0].delivery is None
            assert house.ran == []

    asyncio.run(run())


def test_a_process_that_does_not_deliver_decides_too(house: Any, tmp_path: Any) -> None:
    store = f"sqlite:///{tmp_path}/app.db"

    async def run() -> None:
        leader, follower = house.runtime(DENY, store=store), house.runtime(DENY, store=store, deliver=False)
        async with leader, follower:
            assert (leader.leading, follower.leading) == (True, False)
            decision = await follower.decide("A.B", timeout=20)
            assert decision.hooks[0].by == "answer"
            found = await leader.store.event("app", decision.id)
            assert [one.status for one in found.deliveries] == [Status.SUCCEEDED]
            await leader.control.hooks.disable("no")
            assert await follower.decide("A.B", timeout=20)

    asyncio.run(run())


def test_too_many_at_once_are_refused(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "MOST_AT_ONCE", 1)
    house.behaviours["hang"] = hang

    async def run() -> None:
        async with house.runtime(HOOK.replace("allow", "hang")) as runtime:
            task = asyncio.create_task(runtime.decide("A.B", timeout=0.2))
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await runtime.decide("A.B")
            assert not await task

    asyncio.run(run())


def test_explain_tells_of_deciding_hooks(house: Any) -> None:
    async def run() -> None:
        async with house.runtime(HOOK) as runtime:
            [found] = runtime.explain(Event("e", "A.B", "app", datetime(2026, 1, 1, tzinfo=UTC)))
            assert (found.fires, found.reason) == (False, "decide")

    asyncio.run(run())
