"""A wall clock that jumps a day, back and forth."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from hookrt import Runtime
from hookrt.clock import SystemClock, duration_us

DAY_US = duration_us(timedelta(days=1))


class JumpingClock(SystemClock):
    """The machine's clock, set by somebody."""

    def __init__(self) -> None:
        self.ahead_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.ahead_us


async def reach(question: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not question():
            await asyncio.sleep(0.02)


def test_a_clock_that_jumps_a_day_loses_nothing_and_repeats_nothing(tmp_path: Path, endpoints: Any) -> None:
    file = tmp_path / "hooks.yaml"
    file.write_text(
        "hooks:\n"
        f"  good: {{on: Good, steps: [{{webhook: '{endpoints.url}/ok'}}]}}\n"
        f"  slow: {{on: Slow, steps: [{{webhook: '{endpoints.url}/hang', timeout: 1h}}]}}\n"
        "  late: {on: Late, steps: [{webhook: 'http://127.0.0.1:1/', retry: [1h]}]}\n"
    )
    clock = JumpingClock()

    async def go() -> None:
        async with Runtime.from_file(file, clock=clock) as runtime:
            await runtime.emit("Slow")
            late = await runtime.emit("Late")
            await reach(lambda: endpoints.requests["/hang"] == 1)
            await reach(lambda: runtime.lanes == {f"{endpoints.url}": (0, 1)})
            clock.ahead_us += DAY_US
            [delivery] = await late.wait(60)  # its second attempt was due within the day that was jumped over
            assert (delivery.status, delivery.attempts) == ("dead", 2)
            sent = 0
            for jump in (0, -DAY_US, -DAY_US, DAY_US):
                clock.ahead_us += jump
                receipts = [await runtime.emit("Good", {"n": n}) for n in range(20)]
                sent += len(receipts)
                for receipt in receipts:
                    [delivery] = await receipt.wait(60)
                    assert delivery.status == "succeeded"
            assert endpoints.requests == {"/ok": sent, "/hang": 1}  # its lease was over a day ago, and it is held still
            await runtime.stop(drain=timedelta(0))

    asyncio.run(go())
