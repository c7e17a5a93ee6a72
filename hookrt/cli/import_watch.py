"""What plugins do while they are loaded, seen from a process of their own through Python's audit events."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from hookrt.plugin.manager import plugin_of

PATIENCE_S = 20.0
"""How long a plugin may take to load."""

_STARTING_S = 60.0

_SCRIPT = """
import io, json, os, signal, sys
sys.dont_write_bytecode = True
patience, asked = json.loads(sys.stdin.read())
told = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import hookrt.plugin.manager, hookrt.testing, asyncio, importlib.metadata, logging, threading, subprocess, socket
import ctypes.util
points = {(one.name, one.value): one for one in hookrt.plugin.manager.installed_plugins()}
seen = []
CALLS = {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system",
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
    "sqlite3.connect", "os.kill", "signal.pthread_kill"}
def watch(event, arguments):
    if event in CALLS:
        seen.append(event)
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if str(arguments[0]) != os.devnull:
            seen.append("open for writing")
sys.addaudithook(watch)
start = threading.Thread.start
def noted_start(self):
    seen.append("the start of a thread")
    start(self)
threading.Thread.start = noted_start
class Noted(io.TextIOBase):
    def write(self, text):
        seen.append("the printing of text")
        return len(text)
sys.stdout = Noted()
def tell(*what):
    told.write(json.dumps(what) + "\\n")
    told.flush()
for number, point in enumerate(asked):
    tell(number, None)
    seen.clear()
    signal.setitimer(signal.ITIMER_REAL, patience)  # it ends the process, whatever holds it up
    try:
        hookrt.plugin.manager.load_plugins([points[tuple(point)]])
    except BaseException:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    tell(number, sorted(set(seen)))
os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of loading a plugin: what it does beside defining things, or why it never came back, in words."""

    does: Sequence[str] = ()
    lost: str | None = None


def watch_imports(points: Sequence[EntryPoint], patience_s: float = PATIENCE_S) -> Mapping[str, Watched]:
    """Load each plugin in a process that it can do no harm to, and say by its label what it did.

    They are loaded one after the other, so that what a module does counts for the first plugin that imports it; what
    hangs, or ends the process, is left out of the next try.
    """
    found: dict[str, Watched] = {}
    rest = list(points)
    while rest:
        begun, done, why = _try_once(rest, patience_s)
        for number, did in done.items():
            found[plugin_of(rest[number]).label] = Watched([f"it does {one}" for one in did])
        if len(done) == len(rest):
            break
        found[plugin_of(rest[begun]).label] = Watched(lost=why)
        rest = rest[begun + 1 :]
    return found


def _try_once(points: Sequence[EntryPoint], patience_s: float) -> tuple[int, dict[int, list[str]], str]:
    """The last that was begun, what those did that ended, and why the last one did not if it is not among them."""
    asked = json.dumps([patience_s, [(one.name, one.value) for one in points]]).encode()
    hangs = f"it hangs while it is loaded: no end after {patience_s:g} s"
    longest = _STARTING_S + patience_s * len(points)
    command = [sys.executable, "-c", _SCRIPT]
    try:
        done = subprocess.run(  # noqa: S603 - our own script, by our own interpreter
            command, input=asked, capture_output=True, timeout=longest, check=False
        )
        told = done.stdout
        why = hangs if done.returncode == -signal.SIGALRM else "it ends the process while it is loaded"
    except subprocess.TimeoutExpired as error:
        told, why = error.stdout or b"", hangs
    begun, ended = 0, {}
    for number, did in _lines(told):
        begun = number
        if did is not None:
            ended[number] = did
    return begun, ended, why


def _lines(told: bytes) -> Iterator[tuple[int, list[str] | None]]:
    for line in told.splitlines():
        try:
            number, did = json.loads(line)
        except ValueError:  # cut off
            continue
        yield number, did
