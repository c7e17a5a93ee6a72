"""Namespaces of the worker's own: a network without a way out, and a root directory with nothing in it."""

from __future__ import annotations

import contextlib
import ctypes
import os

_USER, _NETWORK, _MOUNTS = 0x10000000, 0x40000000, 0x00020000
_SYSTEM_V, _HOST_NAME, _CGROUPS = 0x08000000, 0x04000000, 0x02000000
_NEW = _USER | _NETWORK | _MOUNTS | _SYSTEM_V | _HOST_NAME | _CGROUPS

_PR_SET_DUMPABLE = 4
_RECURSIVE, _PRIVATE = 0x4000, 0x40000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXECUTION = 1, 2, 4, 8
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_FOLDERS = ("/tmp", "/dev", "/proc")  # noqa: S108 - only a place to mount on, nothing is written there


def leave(libc: ctypes.CDLL, machine: str) -> list[str]:
    """Move into new namespaces; the names of the walls that stand and are tested, none where the kernel refuses.

    Needs no privilege, and leaves the process with every capability over its own namespaces, to be dropped next.
    """
    uid, gid = os.getuid(), os.getgid()
    libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # else, after a change of user, /proc/self is not ours to write
    if libc.unshare(_NEW) != 0:
        return []
    names: list[str] = []
    with contextlib.suppress(OSError):  # of whatever the kernel or a service manager refuses on the way
        if has_no_network():
            names.append("namespaces")
        _stay(uid, gid)
        if _empty_root(libc, machine) and os.listdir("/") == []:
            names.append("empty-root")
    return names


def has_no_network() -> bool:
    """Whether the only network interface is one that leads nowhere."""
    with open("/proc/self/net/dev", "rb") as table:  # no text: its codec may be out of reach by now
        interfaces = table.read().splitlines()[2:]
    return all(line.split(b":")[0].strip() == b"lo" for line in interfaces)


def _stay(uid: int, gid: int) -> None:
    """Be the same user inside as outside."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def _empty_root(libc: ctypes.CDLL, machine: str) -> bool:
    """Put an empty file system that cannot be written in the place of `/`, and let go of everything else."""
    folder = next((each for each in _FOLDERS if os.path.isdir(each)), None)
    if folder is None or machine not in _PIVOT_ROOT:
        return False
    if libc.mount(None, b"/", None, _RECURSIVE | _PRIVATE, None) != 0:
        return False
    flags = _READ_ONLY | _NO_SUID | _NO_DEVICES | _NO_EXECUTION
    if libc.mount(b"none", folder.encode(), b"tmpfs", flags, b"size=4k,mode=0555") != 0:
        return False
    os.chdir(folder)
    if libc.syscall(_PIVOT_ROOT[machine], b".", b".") != 0 or libc.umount2(b".", _DETACH) != 0:
        return False
    os.chdir("/")
    return True
