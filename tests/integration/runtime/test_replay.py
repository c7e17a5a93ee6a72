"""RULES "Deliveries": what a replay does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hookrt import Event, Runtime
from hookrt.errors import NotFound, UsageError
from hookrt.model.delivery import Status
from hookrt.model.policy import NO_RETRY
from hookrt.plugin import Outcome


def test_a_replay_is_a_new_delivery_with_the_same_message_id_and_leaves_the_old_row() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")
        calls: list[str] = []
        fails = [True]

        @runtime.on("A.B", name="flaky", retry=NO_RETRY)
        async def flaky(event: Event, call: Any) -> Outcome:
            calls.append(call.message_id)
            return Outcome.reject("nope") if fails[0] else Outcome.done()

        async with runtime:
            receipt = await runtime.emit("A.B")
            [dead] = await receipt.wait(timeout=10)
            assert dead.status is Status.DEAD
            fails[0] = False
            again = await runtime.control.replay(dead.id)
            salted = await runtime.control.replay(dead.id, new_message_id=True)
            for identity in (again, salted):
                found = await runtime.store.delivery(identity)
                while found is not None and not found.delivery.status.final:
                    await asyncio.sleep(0)
                    found = await runtime.store.delivery(identity)
                assert found is not None
                assert (found.delivery.status, found.delivery.replay_of) == (Status.SUCCEEDED, dead.id)
            old = await runtime.store.delivery(dead.id)
            assert old is not None
            assert old.delivery == dead
        assert calls[0] == calls[1] != calls[2] or calls[0] == calls[2] != calls[1]

    asyncio.run(run())


def test_what_is_not_final_or_not_there_cannot_be_replayed() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:", deliver=False)
        runtime.on("A.B", name="note")(lambda event: None)
        async with runtime:
            receipt = await runtime.emit("A.B")
            with pytest.raises(UsageError, match="pending"):
                await runtime.control.replay(receipt.deliveries[0])
            with pytest.raises(NotFound):
                await runtime.control.replay("dlv_none")

    asyncio.run(run())


def test_who_retries_what_does_not_wait_is_told_what_to_do_instead() -> None:
    async def run() -> None:
        runtime = Runtime(store="memory:")
        runtime.on("A.B", name="refuses", retry=NO_RETRY)(lambda event: Outcome.reject("nope"))
        async with runtime:
            [dead] = await (await runtime.emit("A.B")).wait(timeout=10)
            with pytest.raises(UsageError, match="it is dead; replay it instead"):
                await runtime.control.retry_now(dead.id)
            await runtime.control.hooks.disable("refuses")
            [held] = (await runtime.emit("A.B")).deliveries
            with pytest.raises(UsageError, match="it is held until its hook is enabled, or defined again"):
                await runtime.control.retry_now(held)

    asyncio.run(run())
