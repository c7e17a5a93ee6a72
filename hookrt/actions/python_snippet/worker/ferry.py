"""Frames handed on unread, by a process that must keep no trace of them: those it makes later inherit its memory."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

from hookrt.actions.python_snippet.worker.wire import HEADER, MAX_REQUEST


class Ferry:
    """One end of a socket, or of two pipes, from which a frame is taken at a time, and wiped from memory after use."""

    def __init__(self, descriptor: int, output: int | None = None) -> None:
        self.descriptor = descriptor
        self._file = io.FileIO(descriptor, closefd=False)
        self._output = descriptor if output is None else output

    @contextmanager
    def frame(self) -> Iterator[memoryview | None]:
        """The next frame with its header, only the header of one that is too long, None at the end; gone afterwards."""
        data = self._take()
        try:
            yield None if data is None else memoryview(data)
        finally:
            if data is not None:
                memoryview(data)[:] = bytes(len(data))

    def write(self, data: memoryview | bytes) -> None:
        """Write all of it."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._output, rest) :]

    def _take(self) -> bytearray | None:
        head = bytearray(HEADER.size)
        if not self._fill(memoryview(head)):
            return None
        (length,) = HEADER.unpack(head)
        if length > MAX_REQUEST:
            return head
        data = bytearray(HEADER.size + length)
        data[: HEADER.size] = head
        return data if self._fill(memoryview(data)[HEADER.size :]) else None

    def _fill(self, room: memoryview) -> bool:
        while room:
            read = self._file.readinto(room)
            if not read:
                return False
            room = room[read:]
        return True
