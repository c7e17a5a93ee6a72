"""One of several processes that embed the runtime on one store: emits numbered events until it is killed.

Arguments: hooks.yaml, the store's URL, this process's name, the file to which it appends what was accepted.
"""

import asyncio
import os
import sys

from hookrt import Runtime


async def main(hooks: str, store: str, name: str, accepted: str) -> None:
    descriptor = os.open(accepted, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async with Runtime.from_file(hooks, store=store) as runtime:
        number = 0
        while True:
            number += 1
            receipt = await runtime.emit("Number.Counted", {"n": number}, id=f"{name}-{number}")
            os.write(descriptor, f"{receipt.id} {'leading' if runtime.leading else 'following'}\n".encode())
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
