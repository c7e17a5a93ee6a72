"""Starting a worker process: a clean interpreter that holds nothing of the service but one socket."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hookrt.plugin import PluginError

BOOT = Path(__file__).parent / "worker" / "boot.py"
"""The script that a worker runs."""

START_TIMEOUT = 20.0
"""Seconds within which a started worker must be ready; usually it takes a tenth of one."""

_MAX_COMPLAINT = 2000


@dataclass(frozen=True, slots=True)
class Child:
    """A started process, the service's end of its socket, and what it writes to stderr before it is ready."""

    process: subprocess.Popen[bytes]
    socket: socket.socket
    stderr: int

    def complaint(self) -> str:
        """What it said on stderr, the last line of a traceback."""
        with contextlib.suppress(OSError):
            text = os.read(self.stderr, 64 * 1024).decode("utf-8", "replace").strip()
            return text.rpartition("\n")[2][:_MAX_COMPLAINT]
        return ""

    def kill(self) -> None:
        """Kill the process, and with it all that it started."""
        if self.process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Kill the process, wait for its end, and close everything; for those who may block for a moment."""
        self.kill()
        self.process.wait()
        self.socket.close()
        with contextlib.suppress(OSError):
            os.close(self.stderr)


def start_child(memory: int, boot: Path = BOOT, *options: str) -> Child:
    """Start a worker process that may take so many bytes of memory; PluginError says why that is impossible here.

    `options` are those of the script. The process gets an empty environment, `/` as its directory, its own process
    group (a Ctrl-C is not for it), and no descriptor but its socket and a pipe for complaints. It gets no session of
    its own: Linux may share the processor out by sessions first (autogroups), and then no priority counts between two.
    """
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [*_command(boot), *options, str(theirs.fileno()), str(os.getpid()), str(memory), *_library_directories()],
            env={},
            cwd="/",
            close_fds=True,
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=writer,
            process_group=0,
        )
    except OSError as error:
        ours.close()
        os.close(reader)
        raise PluginError(f"cannot start a worker for python snippets: {error}") from None
    finally:
        theirs.close()
        os.close(writer)
    return Child(process, ours, reader)


def limit_cpu(process: int, seconds: int) -> None:
    """Have the kernel end a worker that has used this many seconds of CPU in all: the net below the other nets.

    It is not there where the system does not let us (a root without CAP_SYS_RESOURCE, systems other than Linux).
    """
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            resource.prlimit(process, resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def step_behind(process: int, *, last: bool = False) -> None:
    """Let others go before a worker, and what it starts; without privileges there is no way back.

    With `last` it runs only while nobody else wants to, and gives way at once, where the system is Linux. Said before
    the worker starts processes: those that are there already only become nicer.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PGRP, process, 10)
        if last and sys.platform == "linux":
            os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))


def cpu_seconds(process: int) -> float:
    """The CPU time that a worker has used, 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def resident_bytes(process: int) -> int:
    """The memory that a worker really uses, 0 where the system does not tell."""
    try:
        pages = Path(f"/proc/{process}/statm").read_bytes().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * resource.getpagesize()


def _command(boot: Path) -> list[str]:
    if not sys.executable:
        raise PluginError("cannot start a worker for python snippets: the path of the Python interpreter is unknown")
    return [sys.executable, "-I", "-S", str(boot)]


@functools.cache
def _library_directories() -> tuple[str, ...]:
    """Where a worker finds its two libraries, without importing RestrictedPython here."""
    return tuple(dict.fromkeys(_directories()))


def _directories() -> Iterator[str]:
    for name in ("RestrictedPython", "msgspec"):
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise PluginError(f"python snippets need the package {name}, which is not installed")
        yield str(Path(found.origin).resolve().parent.parent)
