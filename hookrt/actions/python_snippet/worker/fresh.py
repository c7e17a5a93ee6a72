"""A process for each run: made by one that runs nothing itself, confined further, and gone before it is answered."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import msgspec

from hookrt.actions.python_snippet.worker.channel import BROKEN, Channel
from hookrt.actions.python_snippet.worker.ferry import Ferry
from hookrt.actions.python_snippet.worker.walls import Walls, confine_run
from hookrt.actions.python_snippet.worker.wire import HEADER, Answer, Ready, decode_ready, frame

LATER = 0.15
"""Seconds after a run's soft deadline until its process is killed; before the service would kill all of the worker."""


_OTHERS = range(3, 16)
"""Where the pipes to other processes may be: a worker opens nothing above. Below are /dev/null and the complaints."""


class _Errand(msgspec.Struct):
    """The part of a request that is of interest here."""

    id: str
    timeout: float


class _Kind(msgspec.Struct):
    """The part of what a run sends that is of interest here."""

    kind: str


_read_errand = msgspec.json.Decoder(_Errand).decode
_read_kind = msgspec.json.Decoder(_Kind).decode

Serve = Callable[[bytes, Channel], None]
"""Answers the request with this body, over this channel, in a process of its own."""


class _Child:
    """A process for one run, and both ways to it."""

    def __init__(self, pid: int, output: int, input: int) -> None:
        self.pid = pid
        self.ferry = Ferry(output, input)
        self._pipes = (output, input)
        self._status: int | None = None

    @functools.cached_property
    def walls(self) -> Walls:
        """The walls that stand around it, which it tells before it gets a request; none when it does not."""
        with self.ferry.frame() as told:
            return Walls(() if told is None else tuple(decode_ready(told[HEADER.size :]).walls))

    def limit_cpu(self, seconds: float) -> None:
        """Have the kernel end it after this time of the CPU: the net below the other nets."""
        if sys.platform == "linux":
            limit = math.ceil(seconds) + 2
            with contextlib.suppress(OSError):
                resource.prlimit(self.pid, resource.RLIMIT_CPU, (limit, limit))

    def end(self) -> int:
        """Kill it and wait for its end: the signal's number, negative, or the exit status."""
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)  # one that has ended keeps its own status
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            for descriptor in self._pipes:
                os.close(descriptor)
        return self._status


class Zygote:
    """Makes a process for each request, hands its calls on to the service and the replies back, and one answer.

    Nothing of it is believed: the service judges every frame as it came. The process has no way to the service of its
    own, and is killed and gone before the next request is read, so that nothing of a run reaches the next one. Each is
    made, confined and tested ahead of its request, so that a run does not wait for that.
    """

    def __init__(self, service: Ferry, answer: Serve) -> None:
        self._service = service
        self._run = answer
        self._own = Walls(())
        self._promised = Walls(())
        self._next: _Child | None = None

    def rehearse(self, walls: Walls) -> Walls:
        """The walls that stand around a run, as its process finds; SystemExit when none starts. `walls` are our own."""
        self._own = walls
        try:
            self._next = self._make()
        except OSError as error:
            raise SystemExit(f"a worker may not make processes here, for `isolation: fresh`: {error}") from None
        self._promised = self._next.walls
        return self._promised

    def answer_next(self) -> bool:
        """Have one request answered; False when the service has closed.

        The answer is made here when the process leaves none.
        """
        child = self._next or self._make()
        self._next = None
        with self._service.frame() as request:
            if request is None:
                return False
            errand = _read_errand(request[HEADER.size :])
            due = time.monotonic() + errand.timeout + LATER
            begun = self._hand_over(child, request, errand)
        try:
            if not begun:
                self._tell(errand, "crashed", "the run's process could not be confined")
            elif not self._relay(child, due):
                self._tell(errand, *_obituary(child.end()))
        except TimeoutError:
            self._tell(errand, "timeout", "the run took longer than its timeout and was killed")
        finally:
            child.end()
        return True

    def _hand_over(self, child: _Child, request: memoryview, errand: _Errand) -> bool:
        """Give a request to its process; False to one that is not confined as promised."""
        if child.walls != self._promised:
            return False
        child.limit_cpu(errand.timeout)
        with contextlib.suppress(BrokenPipeError):
            child.ferry.write(request)
        return True

    def _tell(self, errand: _Errand, kind: str, message: str) -> None:
        self._service.write(frame(Answer(id=errand.id, kind=kind, message=message, took=errand.timeout)))

    def _make(self) -> _Child:
        """A process that is confined, says so, and waits for one request."""
        zygote = os.getpid()
        up, speak = os.pipe()
        listen, down = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._live(zygote, listen, speak)
        os.close(speak)
        os.close(listen)
        return _Child(pid, up, down)

    def _live(self, zygote: int, listen: int, speak: int) -> NoReturn:
        """The life of a process: it never returns to what its parent was doing."""
        try:
            for descriptor in (self._service.descriptor, *_OTHERS):
                if descriptor not in {listen, speak}:
                    with contextlib.suppress(OSError):
                        os.close(descriptor)
            walls = confine_run(self._own, zygote)
            channel = Channel(listen, speak)
            channel.send(Ready(isolation=walls.isolation, walls=list(walls.names)))
            body = channel.receive()
            if body is not None:
                self._run(body, channel)
            os._exit(0)
        except BaseException:  # whatever it is, it ends here
            os._exit(BROKEN)

    def _relay(self, child: _Child, due: float) -> bool:
        """Hand on frames until the process has answered; False when it goes before. TimeoutError when it is due."""
        self._next = self._make()  # while this one runs; what it was asked is no longer in our memory
        poll = select.poll()
        poll.register(child.ferry.descriptor, select.POLLIN)
        poll.register(self._service.descriptor, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(max(0, due - time.monotonic()) * 1000)]
            if not ready:
                raise TimeoutError
            if self._service.descriptor in ready:
                self._hand_back(child)
            if child.ferry.descriptor in ready:
                with child.ferry.frame() as said:
                    if said is None:
                        return False
                    self._service.write(said)
                    if not _is_call(said):
                        return True

    def _hand_back(self, child: _Child) -> None:
        with self._service.frame() as reply:
            if reply is None:
                os._exit(0)  # the run's process goes with this one
            with contextlib.suppress(BrokenPipeError):
                child.ferry.write(reply)


def _is_call(said: memoryview) -> bool:
    try:
        return _read_kind(said[HEADER.size :]).kind == "call"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False  # the service will have none of it


def _obituary(status: int) -> tuple[str, str]:
    if status == -signal.SIGXCPU:
        return "timeout", "the run used more CPU time than its timeout"
    if status >= 0:
        return "crashed", f"the run's process ended by itself (status {status})"
    name = f"signal {-status}"
    with contextlib.suppress(ValueError):
        name = signal.Signals(-status).name
    return "crashed", f"the run's process was ended by {name}"
