"""Landlock without a single rule: no file, no TCP port, no abstract socket, no signal to others."""

from __future__ import annotations

import ctypes
import os
import struct

_CREATE, _RESTRICT = 444, 446  # the same numbers on every machine
_ASK_VERSION = 1
_FILES = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many rights over files each version knows
_NETWORK = 0b11  # bind and connect, since version 4
_SCOPES = 0b11  # abstract unix sockets and signals, since version 6


def deny_all(libc: ctypes.CDLL) -> int:
    """Give up everything that this kernel's Landlock governs; its version, 0 where there is none.

    Needs no-new-privileges.
    """
    version = libc.syscall(_CREATE, None, 0, _ASK_VERSION)
    if version < 1:
        return 0
    rights = ruleset(version)
    descriptor = libc.syscall(_CREATE, rights, len(rights), 0)
    if descriptor < 0:
        return 0
    try:
        return int(version) if libc.syscall(_RESTRICT, descriptor, 0) == 0 else 0
    finally:
        os.close(descriptor)


def ruleset(version: int) -> bytes:
    """struct landlock_ruleset_attr with everything handled that this version knows."""
    files = (1 << _FILES.get(version, 16)) - 1
    parts = [files]
    if version >= 4:
        parts.append(_NETWORK)
    if version >= 6:
        parts.append(_SCOPES)
    return struct.pack(f"={len(parts)}Q", *parts)
