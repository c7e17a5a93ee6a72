"""A program whose hooks are functions: emits an event and is killed while they work; the next one takes it up.

Arguments: the store's URL; `async` or `plain`; the file to which each call adds a line; `die` or `live`.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from hookrt import Event, Runtime


async def main(store: str, kind: str, calls: str, end: str) -> None:
    runtime = Runtime(store=store)

    def note(event: Event, call: Any) -> None:
        with open(calls, "a") as written:
            written.write(f"{event.id} {call.message_id}\n")
        if end == "die":
            os.kill(os.getpid(), signal.SIGKILL)

    async def note_async(event: Event, call: Any) -> None:
        note(event, call)

    runtime.on("A.B", name="note")(note_async if kind == "async" else note)
    async with runtime:
        receipt = await runtime.emit("A.B", id="one")
        deliveries = await receipt.wait(timeout=60)
        print(receipt.duplicate, *(delivery.status.value for delivery in deliveries))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
