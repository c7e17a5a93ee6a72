"""The walls that the operating system raises around a worker before it is ready."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

from hookrt.actions.python_snippet.worker import landlock, seccomp

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_NOBODY = 65534

MAX_DESCRIPTORS = 16


@dataclass(frozen=True, slots=True)
class Walls:
    """Which walls stand, and the isolation level that they make.

    `core` is a filter of system calls and resource limits, tested; `degraded` is anything less.
    """

    isolation: str
    names: tuple[str, ...]


def raise_walls(parent: int, memory: int) -> Walls:
    """Confine this process for good, as far as the system can; ends it when the service has died meanwhile.

    `memory` bounds the address space, in bytes. What is missing shows in the level.
    """
    ignore_signals()
    names = []
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        names += drop_privileges(libc)
        tie_to_parent(libc, parent)
    set_limits(memory)
    names.append("rlimits")
    if sys.platform == "linux":
        names += _lock(libc)
    return Walls("core" if "seccomp" in names else "degraded", tuple(names))


def ignore_signals() -> None:
    """A Ctrl-C or a service manager's SIGTERM is for the service, which lets runs finish and then closes us."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def drop_privileges(libc: ctypes.CDLL) -> list[str]:
    """Become nobody where the service is root, and give up every capability."""
    names = []
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # root without the capability to change its user
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            names.append("unprivileged-user")
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    if libc.capset(header, bytes(24)) == 0:
        names.append("no-capabilities")
    return names


def tie_to_parent(libc: ctypes.CDLL, parent: int) -> None:
    """Die with the service, and be unreadable to other processes of the same user."""
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def set_limits(memory: int) -> None:
    """Bound the memory; no file may grow, no core be written, no process started, hardly a descriptor opened."""
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: MAX_DESCRIPTORS,
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))


def _lock(libc: ctypes.CDLL) -> list[str]:
    names: list[str] = []
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return names
    names.append("no-new-privileges")
    if landlock.deny_all(libc):
        names.append("landlock")
    if seccomp.install(libc) and holds():
        names.append("seccomp")
    return names


def holds() -> bool:
    """The self-test: a file, a look at one, a socket and a process must all be refused."""
    attempts: tuple[Callable[[], object], ...] = (
        lambda: os.close(os.open("/", os.O_RDONLY)),
        lambda: os.stat("/"),
        lambda: socket.socket().close(),
        lambda: os.fork() or os._exit(0),
    )
    return all(_refused(attempt) for attempt in attempts)


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except PermissionError:
        return True
    except OSError:
        return False
    return False
