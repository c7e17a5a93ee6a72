"""The process above each program: it starts it, tells how it ended, and lets nothing that it started live on.

It runs as a script of its own, without hookrt, and imports little so that it starts quickly. The one argument is the
descriptor of a socket. From there comes the job (`read_job`), then `T` for: ask it to end, and kill it when the grace
is over. When the socket is closed the service is gone, or wants no more of this: everything is killed at once. To
there go the lines `started PID`, `failed WHAT ERRNO` and `ended CODE`.

On Linux the processes of a dead parent become children of this one, also those that made themselves a session of their
own; so they are found. Elsewhere those are found that stayed in the program's group.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import sys
import time

_BECOME_SUBREAPER = 36


def main(descriptor: int) -> None:
    """Run the one job that comes by the socket."""
    low = os.dup(descriptor)  # which no program inherits; in a busy service the number is more than `select` takes
    os.close(descriptor)
    with socket.socket(fileno=low) as control:
        fields = _read_job(control)
        become_subreaper()
        woken = wake_up_at_ends()
        child, failure = start(fields, control)
        leave_streams()
        if failure:
            _say(control, f"failed {failure}")
            return
        code = Watch(control, woken, child, float(fields[2])).until_all_ended()
        _say(control, f"ended {code}")


def _read_job(control: socket.socket) -> list[str]:
    """Program, folder, grace, memory, CPU seconds (0: unlimited), number of arguments, arguments, variables."""
    length = int.from_bytes(_read(control, 8), "big")
    return [os.fsdecode(field) for field in _read(control, length).split(b"\0")]


def _read(control: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = control.recv(length - len(parts))
        if not part:
            sys.exit(0)
        parts += part
    return bytes(parts)


def _say(control: socket.socket, line: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        control.sendall(line.encode() + b"\n")


def become_subreaper() -> None:
    """Have the system make this process the parent of orphans below it."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - only here, and it takes a while

        ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1, 0, 0, 0)


def wake_up_at_ends() -> int:
    """A descriptor that can be read when a child has ended."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return reader


def start(fields: list[str], control: socket.socket) -> tuple[int, str]:
    """The program's process, or why there is none: `WHAT ERRNO`."""
    reader, writer = os.pipe()  # both are closed by a successful exec
    try:
        child = os.fork()
    except OSError as error:
        return 0, f"fork {error.errno}"
    if child == 0:
        _become(fields, writer, control)
    os.close(writer)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)  # done on both sides: whoever comes first
    with os.fdopen(reader, "rb") as said:
        failure = said.read().decode()
    return child, failure


def _become(fields: list[str], writer: int, control: socket.socket) -> None:
    """In the child: be the program, or say why not. Never returns."""
    what = "group"
    try:
        os.setpgid(0, 0)
        _say(control, f"started {os.getpid()}")  # before the program can do anything, to this process above it, say
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # which Python ignores
        what = "cwd"
        os.chdir(fields[1])
        end = 6 + int(fields[5])
        variables = dict(field.split("=", 1) for field in fields[end:])
        what = "limit"
        limit(int(fields[3]), int(fields[4]))
        what = "exec"
        os.execve(fields[0], fields[6:end], variables)
    except (OSError, ValueError) as error:
        os.write(writer, f"{what} {getattr(error, 'errno', None) or 22}".encode())
    finally:
        os._exit(127)


def limit(memory: int, cpu: int) -> None:
    """Limit what the program may take, and leave no core file, since that would hold its secrets."""
    _lower(resource.RLIMIT_CORE, 0, 0)
    if cpu:
        _lower(resource.RLIMIT_CPU, cpu, cpu + 1)  # SIGXCPU, and SIGKILL a second later
    if memory:
        _lower(resource.RLIMIT_AS, memory, memory)


def _lower(kind: int, soft: int, hard: int) -> None:
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def leave_streams() -> None:
    """Let go of the program's streams, so that their ends are seen when its own are closed."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)


class Watch:
    """Waits for the program, and for what the service says meanwhile."""

    def __init__(self, control: socket.socket, woken: int, child: int, grace: float) -> None:
        self._control = control
        self._woken = woken
        self._child = child
        self._grace = grace
        self._code: int | None = None
        self._childless = False
        self._until: float | None = None

    def until_all_ended(self) -> int:
        """The exit code of the program (minus the signal that ended it), when nothing of it is left."""
        while not self._over():
            left = None if self._until is None else max(self._until - time.monotonic(), 0)
            ready, _, _ = select.select([self._control.fileno(), self._woken], [], [], left)
            if self._woken in ready:
                os.read(self._woken, 512)
            if self._control.fileno() in ready and not self._obey():
                break
            self._reap()
        self._kill_all()
        return 0 if self._code is None else self._code

    def _over(self) -> bool:
        """Whether it is time to kill what is left. After a request to end, children too may take their time."""
        if self._until is None:
            return self._code is not None
        return self._childless or time.monotonic() >= self._until

    def _obey(self) -> bool:
        """Do what the service says; false when it is gone."""
        if not self._control.recv(64):
            return False
        if self._until is None:
            self._until = time.monotonic() + self._grace
            self._signal(signal.SIGTERM)
        return True

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                ended, status = os.waitpid(-1, os.WNOHANG)
                if ended == 0:
                    return
                self._note(ended, status)
        self._childless = True

    def _note(self, ended: int, status: int) -> None:
        if ended == self._child:
            self._code = os.waitstatus_to_exitcode(status)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child, number)

    def _kill_all(self) -> None:
        """Kill until there are no children left; those of a killed one become ours, and are next."""
        self._signal(signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while True:
                for child in children():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(child, signal.SIGKILL)
                self._note(*os.waitpid(-1, 0))


def children() -> list[int]:
    """The processes whose parent this one is; none where the system does not tell."""
    own = os.getpid()
    try:
        with open(f"/proc/self/task/{own}/children") as listed:
            return [int(one) for one in listed.read().split()]
    except OSError:
        return [one for one in _processes() if _parent(one) == own]


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []


def _parent(process: int) -> int:
    try:
        with open(f"/proc/{process}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


if __name__ == "__main__":
    main(int(sys.argv[1]))
