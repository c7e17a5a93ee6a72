"""What plugins do while they are imported, seen from a process of their own through Python's audit events."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

from hookrt.plugin.registry import PluginInfo

_PATIENCE = 60.0

_SCRIPT = """
import importlib, json, os, sys
sys.dont_write_bytecode = True
asked = json.loads(sys.stdin.read())
import hookrt.plugin, hookrt.testing, asyncio, logging, threading, subprocess, socket, ctypes.util
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
found, output, sys.stdout = {}, sys.stdout, sys.stderr
for label, module in asked:
    seen.clear()
    try:
        importlib.import_module(module)
    except BaseException:
        pass
    found[label] = sorted(set(seen))
output.write(json.dumps(found))
output.flush()
os._exit(0)
"""


def watch_imports(plugins: Sequence[PluginInfo]) -> Mapping[str, Sequence[str]]:
    """For each plugin (`hookrt-sms:sms`) what its import does beside defining things, in words.

    All are imported in one process, in order, so that what a module does counts for the first plugin that imports it.
    """
    asked = [(f"{one.distribution}:{one.entry_point}", one.module) for one in plugins]
    command = [sys.executable, "-c", _SCRIPT]
    try:
        done = subprocess.run(  # noqa: S603 - our own script, by our own interpreter
            command, input=json.dumps(asked), capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, OSError):
        return {label: ("it hangs, or ends the process",) for label, _ in asked}
    return {label: [f"it does {event}" for event in events] for label, events in found.items()}
