"""Compiling snippets while hooks.yaml is read: synchronously, but in a worker process all the same."""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from hookrt.actions.python_snippet.spawn import BOOT, START_TIMEOUT, Child, start_child
from hookrt.actions.python_snippet.worker.wire import HEADER, Answer, Finding, Request, Use, decode_answer, frame
from hookrt.plugin import PluginError

PATIENCE = 5.0
"""Seconds that compiling one snippet may take."""

IDLE = 3.0
"""Seconds after which the worker is ended when nothing more is asked."""

MEMORY = 512 * 1024 * 1024
MAX_ANSWER = 256 * 1024
_REMEMBERED = 10_000
_BROKEN = "the snippet breaks the compiler: it is too big or nested too deeply"


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with a snippet, and where it uses what has to be granted."""

    findings: tuple[Finding, ...] = ()
    uses: tuple[Use, ...] = ()


class Checker:
    """Compiles snippets in one worker process, which is started when needed and ended when idle.

    What a text led to is remembered by its hash, so that reading an unchanged file again costs nothing.
    """

    def __init__(self, idle: float = IDLE) -> None:
        self._idle = idle
        self._lock = threading.Lock()
        self._known: dict[str, Checked] = {}
        self._child: Child | None = None
        self._ready = False
        self._owner = os.getpid()
        self._used = 0.0

    def begin(self) -> None:
        """Start the worker for the first snippets without waiting for it; PluginError when that is impossible."""
        with self._lock:
            if not self._known:
                self._started()

    def check(self, code: str) -> Sequence[Finding]:
        """What is wrong with a snippet; nothing when it compiles. PluginError when no worker can be started."""
        return self.look(code).findings

    def look(self, code: str) -> Checked:
        """As `check`, with the places that use what has to be granted."""
        key = hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
        with self._lock:
            if key not in self._known:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[key] = self._compile(code, key)
            return self._known[key]

    @property
    def pid(self) -> int | None:
        """The worker's process, None while there is none."""
        child = self._child
        return child.process.pid if child is not None else None

    def close(self) -> None:
        """End the worker, if there is one."""
        with self._lock:
            self._stop()

    def _compile(self, code: str, key: str) -> Checked:
        request = Request(id=os.urandom(8).hex(), hash=key, code=code, check=True, timeout=PATIENCE)
        used = self._ready
        try:
            answer = self._ask(request, frame(request))
        except UnicodeEncodeError:
            return Checked((Finding(message="the snippet holds half of a surrogate pair, which is no text"),))
        except (OSError, EOFError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._stop()
            if used:  # what was before may have broken it: blame a snippet for what it does in a new one only
                return self._compile(code, key)
            return Checked((Finding(message=_BROKEN),))
        if answer.kind != "done":
            self._stop()
            return Checked((Finding(message=_BROKEN),))
        return Checked(tuple(answer.findings), tuple(answer.uses))

    def _ask(self, request: Request, data: bytes) -> Answer:
        child = self._running()
        self._used = time.monotonic()
        child.socket.settimeout(request.timeout + 1.0)
        child.socket.sendall(data)
        answer = decode_answer(_receive(child.socket))
        if answer.id != request.id:  # left behind by what was compiled before
            raise EOFError
        return answer

    def _running(self) -> Child:
        """The worker, ready; PluginError when none can be had."""
        child = self._started()
        if not self._ready:
            child.socket.settimeout(START_TIMEOUT)
            try:
                _receive(child.socket)  # it is ready
            except (OSError, EOFError):
                said = child.complaint()
                self._stop()
                raise PluginError(f"a worker for python snippets did not start: {said or 'it died'}") from None
            self._ready = True
        return child

    def _started(self) -> Child:
        """The worker, which may not be ready yet."""
        if self._owner != os.getpid():  # after a fork the worker is the parent's
            self._child, self._ready, self._owner = None, False, os.getpid()
        if self._child is None:
            self._child, self._ready, self._used = start_child(MEMORY, BOOT, "--checks"), False, time.monotonic()
            threading.Thread(target=self._end_when_idle, args=(self._child,), name="snippet-check", daemon=True).start()
        return self._child

    def _end_when_idle(self, child: Child) -> None:
        left = self._idle
        while left > 0:
            time.sleep(left)
            with self._lock:
                if self._child is not child:
                    return
                left = self._used + self._idle - time.monotonic()
                if left <= 0:
                    self._stop()

    def _stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child, self._ready = None, False


@functools.cache
def shared_checker() -> Checker:
    """The checker of this process: actions are made anew wherever a file is read, the worker is not."""
    checker = Checker()
    atexit.register(checker.close)
    return checker


def _receive(connection: socket.socket) -> bytes:
    (length,) = HEADER.unpack(_read(connection, HEADER.size))
    if length > MAX_ANSWER:
        raise EOFError
    return _read(connection, length)


def _read(connection: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        data = connection.recv(length - len(parts))
        if not data:
            raise EOFError
        parts += data
    return bytes(parts)
