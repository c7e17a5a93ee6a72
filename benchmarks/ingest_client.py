"""Posts events over keep-alive connections as fast as they are answered, and prints how many were in the time."""

from __future__ import annotations

import asyncio
import sys

import uvloop


class Poster(asyncio.Protocol):
    """One connection that sends the next request when the last one is answered."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def data_received(self, data: bytes) -> None:
        self.pending += data
        head, end, body = self.pending.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 202"):
            self.client.refused = self.pending
        self.pending = b""
        self.client.answered += 1
        if self.client.running:
            self.send()

    def send(self) -> None:
        self.transport.write(self.client.request)  # type: ignore[attr-defined]


class Client:
    """All connections of one process."""

    def __init__(self, port: int, body: bytes) -> None:
        head = f"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        self.request = head.encode() + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        self.port = port
        self.answered = 0
        self.refused = b""
        self.running = True

    async def run(self, connections: int, warm_up_s: float, measured_s: float) -> float:
        """Answers per second over the measured time."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            await loop.create_connection(lambda: Poster(self), "127.0.0.1", self.port)
        await asyncio.sleep(warm_up_s)
        before, began = self.answered, loop.time()
        await asyncio.sleep(measured_s)
        rate = (self.answered - before) / (loop.time() - began)
        self.running = False
        if self.refused:
            sys.exit(f"not accepted: {self.refused[:600]!r}")
        return rate


def main() -> None:
    port, connections, warm_up_s, measured_s = (
        int(sys.argv[1]),
        int(sys.argv[2]),
        float(sys.argv[3]),
        float(sys.argv[4]),
    )
    client = Client(port, sys.stdin.buffer.read())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(client.run(connections, warm_up_s, measured_s)))


if __name__ == "__main__":
    main()
