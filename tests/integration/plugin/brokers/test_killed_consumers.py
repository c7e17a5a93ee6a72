"""kill -9 of the process that consumes, between `emit` and the acknowledgement: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import importlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from hookrt import Runtime
from hookrt.plugin.manager import load_plugins

PLUGINS = Path(__file__).parents[4] / "plugins"
DYING = Path(__file__).with_name("dying.py")
HOOK = "hooks: {h: {on: Orders.*, steps: [{log: got it}]}}"


def die(plugin: str, source: str, hooks: Path) -> int:
    module = plugin.replace("-", "_")
    command = [sys.executable, str(DYING), str(PLUGINS / plugin / "src"), module, source, str(hooks)]
    return subprocess.run(command, timeout=60, check=False).returncode


def go_on(module: str, hooks: Path) -> Runtime:
    return Runtime.from_file(hooks, registry=load_plugins(extra=[importlib.import_module(module)]), env={})


def test_nats(start: Any, tmp_path: Path) -> None:
    server = start("hookrt-nats")
    import nats

    hooks = tmp_path / "hooks.yaml"
    reads = f"nats: {{url: '{server.url}', stream: Orders, batch: 1, ack_wait: 1s}}"
    hooks.write_text(f"sources: {{orders: {{{reads}}}}}\n{HOOK}")

    async def story() -> tuple[int, int, int, int]:
        client = await nats.connect(server.url)
        context = client.jetstream()
        await context.add_stream(name="Orders", subjects=["Orders.>"])
        for number in range(3):
            await context.publish(f"Orders.{number}", b"1")
        died = await asyncio.to_thread(die, "hookrt-nats", "nats", hooks)
        left = (await context.consumer_info("Orders", "hookrt-orders")).num_ack_pending
        async with go_on("hookrt_nats", hooks) as runtime, asyncio.timeout(30):
            while (info := await context.consumer_info("Orders", "hookrt-orders")).ack_floor.stream_seq < 3:
                await asyncio.sleep(0.02)
            counts = await runtime.store.counts()
        await client.close()
        return died, left, info.num_ack_pending, sum(counts.values())

    assert asyncio.run(story()) == (-signal.SIGKILL, 1, 0, 3)


def test_redis(start: Any, tmp_path: Path) -> None:
    server = start("hookrt-redis")
    from redis import Redis

    hooks = tmp_path / "hooks.yaml"
    reads = f"redis_stream: {{url: '{server.url}', stream: orders, batch: 1}}"
    hooks.write_text(f"sources: {{orders: {{{reads}}}}}\n{HOOK}")
    client = Redis.from_url(server.url)
    for number in range(3):
        client.xadd("orders", {"type": "Orders.Paid", "data": str(number)})
    assert die("hookrt-redis", "redis_stream", hooks) == -signal.SIGKILL
    assert client.xpending("orders", "hookrt-orders")["pending"] == 1

    async def story() -> int:
        async with go_on("hookrt_redis", hooks) as runtime, asyncio.timeout(30):
            while client.xinfo_groups("orders")[0]["pending"] or client.xinfo_groups("orders")[0]["lag"]:
                await asyncio.sleep(0.02)
            return sum((await runtime.store.counts()).values())

    assert asyncio.run(story()) == 3
    client.close()
