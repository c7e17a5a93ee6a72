"""A program that is killed while it waits for a decision. Arguments: hooks.yaml, the store's URL."""

import asyncio
import sys

from hookrt import Runtime


async def main(hooks: str, store: str) -> None:
    async with Runtime.from_file(hooks, store=store) as runtime:
        await runtime.decide("A.B", {"n": 1}, timeout=30)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
