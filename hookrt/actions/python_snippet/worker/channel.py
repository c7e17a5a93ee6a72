"""A worker's end of a socket or of two pipes: whole frames in, whole frames out."""

from __future__ import annotations

import os

import msgspec

from hookrt.actions.python_snippet.worker.wire import HEADER, MAX_REQUEST, Reply, decode_reply, frame

BROKEN = 3
"""The exit status of a worker that cannot make sense of what it reads."""

_AT_ONCE = 64 * 1024


class Channel:
    """Reads frames from one descriptor and writes them to another, or the same."""

    def __init__(self, descriptor: int, output: int | None = None) -> None:
        self._input = descriptor
        self._output = descriptor if output is None else output
        self._ahead = b""

    def receive(self) -> bytes | None:
        """The next frame's body; None when the other end has closed. Reads ahead, since a call of the system costs."""
        head = self._read(HEADER.size)
        if head is None:
            return None
        (length,) = HEADER.unpack(head)
        if length > MAX_REQUEST:
            os._exit(BROKEN)
        return self._read(length)

    def exchange(self, call: bytes) -> Reply:
        """Send a call's body and wait for its reply; ends the process where the service breaks the rules or goes."""
        self.write(HEADER.pack(len(call)) + call)
        body = self.receive()
        if body is None:
            os._exit(0)
        try:
            return decode_reply(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            os._exit(BROKEN)

    def send(self, message: msgspec.Struct) -> None:
        """Write one frame whole."""
        self.write(frame(message))

    def write(self, data: bytes) -> None:
        """Write all of it."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._output, rest) :]

    def _read(self, length: int) -> bytes | None:
        if len(self._ahead) < length:
            parts = bytearray(self._ahead)
            while len(parts) < length:
                data = os.read(self._input, max(_AT_ONCE, length - len(parts)))
                if not data:
                    return None
                parts += data
            self._ahead = bytes(parts)
        wanted, self._ahead = self._ahead[:length], self._ahead[length:]
        return wanted
