"""The receiver of all delivery measurements: a process of its own that answers 200 and counts, as cheaply as it can."""

from __future__ import annotations

import asyncio
import multiprocessing
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"


class Counting(asyncio.Protocol):
    def __init__(self, count: Synchronized) -> None:
        self.count = count
        self.buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            self.count.value += 1
            self.transport.write(ANSWER)


def _serve(count: Synchronized, ready: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Counting(count), "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    try:
        import uvloop

        uvloop.run(serve())
    except KeyboardInterrupt:
        return


@contextmanager
def sink() -> Iterator[tuple[str, Synchronized]]:
    """The sink's URL, and how many requests it has answered."""
    context = multiprocessing.get_context("spawn")
    count = context.Value("q", 0, lock=False)
    parent, child = context.Pipe()
    process = context.Process(target=_serve, args=(count, child), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{parent.recv()}", count
    finally:
        process.terminate()
        process.join()
