"""The walls that the operating system raises around a worker before it is ready."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass

from hookrt.actions.python_snippet.worker import landlock, namespaces, seccomp

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 38, 39
_CAPABILITY_VERSION_3 = 0x20080522
_NOBODY = 65534

MAX_DESCRIPTORS = 16


EXTRAS = frozenset(
    {"unprivileged-user", "no-capabilities", "no-new-privileges", "namespaces", "empty-root", "landlock"}
)
"""What stands beside the filter and the limits at the level `full`."""


@dataclass(frozen=True, slots=True)
class Walls:
    """The walls that stand, each tested in this process before it is named here."""

    names: tuple[str, ...]

    @property
    def isolation(self) -> str:
        """The level: `core` is a filter of system calls and limits, `full` all others too, `degraded` anything less."""
        if not {"seccomp", "rlimits"} <= set(self.names):
            return "degraded"
        return "full" if set(self.names) >= EXTRAS else "core"


def raise_walls(parent: int, memory: int) -> Walls:
    """Confine this process for good, as far as the system can; ends it when the service has died meanwhile.

    `memory` bounds the address space, in bytes. What is missing shows in the level.
    """
    ignore_signals()
    if sys.platform != "linux":
        return Walls(tuple(set_limits(memory)))
    libc = _libc()
    names = become_nobody() + namespaces.leave(libc, seccomp.machine()) + drop_capabilities(libc)
    tie_to_parent(libc, parent)
    names += set_limits(memory) + refuse_privileges(libc)
    names += forbid_files(libc) + filter_calls(libc)  # the filter is last: it refuses what the others need
    return Walls(tuple(names))


def raise_walls_to_fork(parent: int, memory: int) -> Walls:
    """As `raise_walls`, but so that this process may make others, and these may confine themselves further.

    It must run nothing of a snippet; the walls of those who do are what `confine_run` adds.
    """
    ignore_signals()
    if sys.platform != "linux":
        return Walls(tuple(set_limits(memory, processes=None)))
    libc = _libc()
    names = become_nobody() + namespaces.leave(libc, seccomp.machine()) + drop_capabilities(libc)
    tie_to_parent(libc, parent)
    names += set_limits(memory, processes=None) + refuse_privileges(libc)
    names += forbid_files(libc)
    if seccomp.install(libc, forking=True) and all(map(_refused, _ATTEMPTS[:-1])):
        names.append("seccomp")
    return Walls(tuple(names))


def confine_run(walls: Walls, parent: int) -> Walls:
    """Confine a process that `parent` has just made for one run.

    `walls` are the parent's; those that this process has to have of its own stand in the result if they do.
    """
    held = _set({resource.RLIMIT_NPROC: 0}) and "rlimits" in walls.names
    names = [name for name in walls.names if name not in {"rlimits", "seccomp"}] + (["rlimits"] if held else [])
    if sys.platform == "linux":
        libc = _libc()
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(0)
        names += filter_calls(libc)
    return Walls(tuple(names))


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def ignore_signals() -> None:
    """A Ctrl-C or a service manager's SIGTERM is for the service, which lets runs finish and then closes us."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def become_nobody() -> list[str]:
    """Change to an unprivileged user where the service is root."""
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # root without the capability to change its user
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    return [] if 0 in os.getresuid() else ["unprivileged-user"]


def drop_capabilities(libc: ctypes.CDLL) -> list[str]:
    """Give up every capability."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    left = ctypes.create_string_buffer(24)
    dropped = libc.capset(header, bytes(24)) == 0 and libc.capget(header, left) == 0 and left.raw == bytes(24)
    return ["no-capabilities"] if dropped else []


def tie_to_parent(libc: ctypes.CDLL, parent: int) -> None:
    """Die with the service, and be unreadable to other processes of the same user."""
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def set_limits(memory: int, processes: int | None = 0) -> list[str]:
    """Bound the memory; no file may grow, no core be written, no process started, hardly a descriptor opened.

    With None for `processes` their number stays as it is.
    """
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: MAX_DESCRIPTORS,
    }
    if processes is not None:
        limits[resource.RLIMIT_NPROC] = processes
    return ["rlimits"] if _set(limits) else []


def _set(limits: dict[int, int]) -> bool:
    for kind, limit in limits.items():
        with contextlib.suppress(OSError, ValueError):  # a system that does not have it
            resource.setrlimit(kind, (limit, limit))
    return all(resource.getrlimit(kind) == (limit, limit) for kind, limit in limits.items())


def refuse_privileges(libc: ctypes.CDLL) -> list[str]:
    """Never gain a privilege again; the two walls after this one need it."""
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return ["no-new-privileges"] if libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 else []


def forbid_files(libc: ctypes.CDLL) -> list[str]:
    """Landlock without a rule."""
    return ["landlock"] if landlock.deny_all(libc) and _refused(_open_root) else []


def filter_calls(libc: ctypes.CDLL) -> list[str]:
    """The filter of system calls."""
    return ["seccomp"] if seccomp.install(libc) and holds() else []


def holds() -> bool:
    """The self-test: a file, a look at one, a socket and a process must all be refused."""
    return all(map(_refused, _ATTEMPTS))


def _open_root() -> None:
    os.close(os.open("/", os.O_RDONLY))


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


_ATTEMPTS: tuple[Callable[[], object], ...] = (
    _open_root,
    lambda: os.stat("/"),
    lambda: socket.socket().close(),
    lambda: os.fork() or os._exit(0),
)
