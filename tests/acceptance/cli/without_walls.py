"""Starts a command for which the kernel refuses some walls: `python without_walls.py seccomp,namespaces COMMAND...`.

A filter of this process refuses what raises them, and every descendant inherits it, as below the profile of a container
or under a service manager.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from hookrt.actions.python_snippet.worker.seccomp import AUDIT, machine

CALLS = {
    "x86_64": {"seccomp": (317,), "namespaces": (272,), "landlock": (444, 445, 446), "prctl": (157,)},
    "aarch64": {"seccomp": (277,), "namespaces": (97,), "landlock": (444, 445, 446), "prctl": (167,)},
}
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)


def _program(walls: list[str]) -> bytes:
    calls = CALLS[machine()]
    code = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, AUDIT[machine()], 1, 0), _step(_RETURN, _ALLOW)]
    code.append(_step(_LOAD, _NUMBER))
    for number in (number for wall in walls for number in calls[wall]):
        code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _REFUSE)]
    if "seccomp" in walls:
        code += [_step(_EQUAL, calls["prctl"][0], 0, 3), _step(_LOAD, _FIRST_ARGUMENT)]
        code += [_step(_EQUAL, _PR_SET_SECCOMP, 0, 1), _step(_RETURN, _REFUSE)]
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def main() -> None:
    """Refuse, then become the command."""
    walls, *command = sys.argv[1:]
    code = _program(walls.split(","))
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(code) // 8, code)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no filter can be loaded here")
    os.execvp(command[0], command)


main()
