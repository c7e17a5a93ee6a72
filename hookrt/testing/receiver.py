"""A real HTTP server on loopback that keeps what it gets and answers as told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
from datetime import datetime
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from hookrt.testing.exchange import Answer, ReceivedRequest, Script


class Receiver(Script):
    """A server in a thread of its own, on a free port of 127.0.0.1.

    Use it as `with Receiver() as receiver:` or `async with`; `receiver.url` is where it listens. It speaks HTTP/1.1
    with connections kept open, as real endpoints do. Faults: an answer with `timeout` never comes, with `reset` the
    connection is closed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, `http://127.0.0.1:PORT`; raises RuntimeError while it does not."""
        if self._server is None:
            raise RuntimeError("the receiver is not started: use it as `with Receiver() as receiver:`")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to listen."""
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="hookrt receiver")
        self._thread.start()

    def close(self) -> None:
        """Close all connections and stop; doing it twice is no error."""
        server, self._server = self._server, None
        if server is None or self._thread is None:
            return
        server.shutdown()
        self._thread.join()
        server.hang_up()
        server.server_close()

    async def received(self, count: int = 1, timeout: float = 10.0) -> tuple[ReceivedRequest, ...]:
        """Wait until so many requests have come; raises TimeoutError saying how many did."""
        return await asyncio.to_thread(self.wait_for, count, timeout)

    def verify(self, secret: str, now: datetime | None = None) -> None:
        """Check the signature of every request so far; raises AssertionError when there is none to check."""
        requests = self.requests
        if not requests:
            raise AssertionError("no request has come yet")
        for request in requests:
            request.verify(secret, now)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is none of the test's business."""

    def hang_up(self) -> None:
        """Close the connections under the handlers, so that their threads end."""
        self.closing.set()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):  # closed by its handler in this very moment
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _take(self) -> None:
        try:
            answer = self.server.script.take(self._read())
        except Exception as error:  # of the test's own function; the thread must not swallow it
            answer = Answer(500, f"no answer could be made: {error!r}")
        if answer.fault is None:
            self._write(answer)
        elif answer.fault == "timeout":
            self.close_connection = True
            self.server.closing.wait()
        elif answer.fault == "reset":
            self._reset()
        else:
            self._write(Answer(500, f"a receiver cannot do the fault {answer.fault!r}"))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _take  # noqa: N815 - the library's names

    def _read(self) -> ReceivedRequest:
        headers = {name.lower(): ", ".join(self.headers.get_all(name, ())) for name in self.headers}
        return ReceivedRequest(self.command, self._url(), headers, self._body(headers))

    def _url(self) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}{self.path}"

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            continue
        return b"".join(chunks)

    def _write(self, answer: Answer) -> None:
        bodiless = answer.status in {204, 304} or answer.status < 200
        content = b"" if bodiless else answer.content
        headers = answer.all_headers
        if not bodiless and "transfer-encoding" not in headers:
            headers.setdefault("content-length", str(len(content)))
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"HTTP/1.1 {answer.status} {responses.get(answer.status, '')}", *lines, "", ""])
        raw = head.encode("latin-1", "replace")
        self.wfile.write(raw if self.command == "HEAD" else raw + content)  # in one piece, else Nagle waits
        if headers.get("connection", "").lower() == "close":
            self.close_connection = True

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # past the polite end that closing it would make

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
