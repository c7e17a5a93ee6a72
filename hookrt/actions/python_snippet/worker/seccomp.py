"""A filter of system calls: a flat allow-list, everything else fails with EPERM.

What a snippet's run needs is little: memory, time, the one socket. Without `open`, `socket`, `clone` and `execve` a
bypass of the language policy finds nothing to use. Numbers are those of the kernel's tables, verified in tests
against libseccomp.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import platform
import struct
import sys

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 16, 32  # offsets in struct seccomp_data
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_EXECUTABLE = 4  # PROT_EXEC

# fmt: off
_X86_64 = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "munmap": 11, "brk": 12,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28,
    "nanosleep": 35, "getitimer": 36, "setitimer": 38, "getpid": 39, "exit": 60, "gettimeofday": 96,
    "getrusage": 98, "times": 100, "sigaltstack": 131, "gettid": 186, "time": 201, "futex": 202,
    "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
    "ppoll": 271, "getrandom": 318, "membarrier": 324, "rseq": 334,
}
_AARCH64 = {
    "close": 57, "lseek": 62, "read": 63, "write": 64, "ppoll": 73, "fstat": 80, "exit": 93, "exit_group": 94,
    "futex": 98, "nanosleep": 101, "getitimer": 102, "setitimer": 103, "clock_gettime": 113, "clock_getres": 114,
    "clock_nanosleep": 115, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134,
    "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "getrusage": 165, "gettimeofday": 169, "getpid": 172,
    "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "madvise": 233, "getrandom": 278, "membarrier": 283,
    "rseq": 293,
}
# fmt: on

ALLOWED: dict[str, dict[str, int]] = {"x86_64": _X86_64, "aarch64": _AARCH64}
"""The calls that a worker may make, with their numbers, for each machine."""

WITHOUT_EXECUTION: dict[str, dict[str, int]] = {
    "x86_64": {"mmap": 9, "mprotect": 10},
    "aarch64": {"mmap": 222, "mprotect": 226},
}
"""The calls that it may make as long as they do not ask for executable memory."""

TO_FORK: dict[str, dict[str, int]] = {
    "x86_64": {"kill": 62, "wait4": 61, "getppid": 110, "pipe2": 293, "prlimit64": 302},
    "aarch64": {"pipe2": 59, "kill": 129, "getppid": 173, "wait4": 260, "prlimit64": 261},
}
"""What a worker may do beside that if it makes a process for each run: none of it is left to these processes."""

_FORK = 0x01200011  # SIGCHLD, and that the C library learns the child's number: no thread, no namespace
_SET_PDEATHSIG = 1

ONLY_WITH: dict[str, dict[str, tuple[int, tuple[int, ...]]]] = {
    "x86_64": {"clone": (56, (_FORK,)), "prctl": (157, (_SET_PDEATHSIG, _PR_SET_SECCOMP))},
    "aarch64": {"clone": (220, (_FORK,)), "prctl": (167, (_SET_PDEATHSIG, _PR_SET_SECCOMP))},
}
"""Likewise, with the values that the first argument may have."""

AUDIT: dict[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def machine() -> str:
    """The kernel's name for this machine, one of `ALLOWED` where there is a filter for it."""
    name = platform.machine().lower()
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(name, name)


def is_supported() -> bool:
    """Whether there is a filter for this system at all; its kernel may refuse it all the same."""
    return sys.platform == "linux" and machine() in ALLOWED and sys.maxsize > 2**32 and sys.byteorder == "little"


@functools.cache
def build(machine: str, *, forking: bool = False) -> bytes:
    """The filter's program for a machine; KeyError for one that has none. `forking` is for those who make others."""
    plain, guarded = ALLOWED[machine], WITHOUT_EXECUTION[machine]
    code = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, AUDIT[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    for number in guarded.values():
        code += [
            _step(_EQUAL, number, 0, 4),
            _step(_LOAD, _THIRD_ARGUMENT),
            _step(_ANY_BIT, _EXECUTABLE, 0, 1),
            _step(_RETURN, _REFUSE),
            _step(_RETURN, _ALLOW),
        ]
    if forking:
        plain = {**plain, **TO_FORK[machine]}
        for number, values in ONLY_WITH[machine].values():
            code += _only_with(number, values)
    for number in plain.values():
        code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ALLOW)]
    code.append(_step(_RETURN, _REFUSE))  # also for the numbers of other calling conventions, such as x32
    return b"".join(code)


def install(libc: ctypes.CDLL, *, forking: bool = False) -> bool:
    """Load the filter for good, beside others; False where machine or kernel have none. Needs no-new-privileges."""
    if not is_supported():
        return False
    code = build(machine(), forking=forking)
    program = _Program(len(code) // 8, code)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _only_with(number: int, values: tuple[int, ...]) -> list[bytes]:
    """Allow a call whose first argument has one of these values, refuse it with others."""
    code = [_step(_EQUAL, number, 0, 2 * len(values) + 2), _step(_LOAD, _FIRST_ARGUMENT)]
    for value in values:
        code += [_step(_EQUAL, value, 0, 1), _step(_RETURN, _ALLOW)]
    return [*code, _step(_RETURN, _REFUSE)]


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction, struct sock_filter."""
    return struct.pack("=HBBI", code, if_true, if_false, operand)
