"""A process whose source dies between `emit` and the acknowledgement: `dying.py FOLDER MODULE NAME HOOKS.yaml`."""

import asyncio
import importlib
import os
import signal
import sys

from hookrt import Runtime
from hookrt.plugin.manager import load_plugins


async def main(module: str, name: str, path: str) -> None:
    registry = load_plugins(extra=[importlib.import_module(module)])
    source = registry.sources[name]
    run = source.run

    async def dying(self, given):
        emit = given.emit

        async def emit_once(*event, **named):
            await emit(*event, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        object.__setattr__(given, "emit", emit_once)
        await run(self, given)

    source.run = dying
    async with Runtime.from_file(path, registry=registry, env={}):
        await asyncio.Event().wait()


sys.path.insert(0, sys.argv[1])
asyncio.run(main(*sys.argv[2:]))
