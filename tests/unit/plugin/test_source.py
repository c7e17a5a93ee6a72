"""What sources are given beside their run."""

from __future__ import annotations

import asyncio

import pytest

from hookrt.plugin import heed_cancellation


def test_a_cancellation_that_a_library_lost_is_heeded() -> None:
    heard = []

    async def read() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            heard.append("lost")  # as a client library does that has an answer at that moment
        heed_cancellation()
        heard.append("went on")

    async def go() -> None:
        heed_cancellation()  # nobody told this task to end
        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(go())
    assert heard == ["lost"]
