"""Workers that follow a script while hooks.yaml is checked: what the checker makes of them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from pathlib import Path
from unittest.mock import patch

from hookrt.actions.python_snippet import checker
from hookrt.actions.python_snippet.checker import Checker
from hookrt.actions.python_snippet.spawn import Child
from hookrt.actions.python_snippet.worker.wire import HEADER
from hookrt.plugin import PluginError
from sandbox_corpus.fuzz.frames import GREETING, ID, Script, pack
from sandbox_corpus.fuzz.liars import FLOOD, MAX_TAKEN, frames, read


class Liar:
    """One process that sleeps, and a thread at its end of the socket."""

    def __init__(self, script: Script | None) -> None:
        self._script = script
        self.taken = 0
        ours, self._socket = socket.socketpair()
        reader, writer = os.pipe()
        os.close(writer)
        self.process = subprocess.Popen(["sleep", "600"], start_new_session=True, stdin=subprocess.DEVNULL)  # noqa: S607
        self.child = Child(self.process, ours, reader)
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        with contextlib.suppress(OSError, EOFError), self._socket:
            if self._script is not None:
                self._follow(self._script)
            else:
                self._say(GREETING)
                self._be_honest()

    def _be_honest(self) -> None:
        while True:
            self._say(pack(json.dumps({"id": self._hear(), "kind": "done"}).encode()))

    def _follow(self, script: Script) -> None:
        self._say(script.greeting + script.early)
        asked = self._hear().encode()
        for say in script.says:
            self._say(say.data.replace(ID.encode(), asked))
        if script.end == "flood":
            for _ in range(FLOOD // 2**16):
                self._say(b"\x00\x10\x00\x00" * 2**14)
        if script.end == "stay":
            self._be_honest()

    def _say(self, data: bytes) -> None:
        self._socket.sendall(data)
        self.taken += len(data)

    def _hear(self) -> str:
        (length,) = HEADER.unpack(self._read(HEADER.size))
        return str(json.loads(self._read(length))["id"])

    def _read(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            data = self._socket.recv(length - len(parts))
            if not data:
                raise EOFError
            parts += data
        return bytes(parts)


def play(script: Script) -> list[str]:
    """What went wrong in the checker when its worker did this; nothing when all is well."""
    liars: list[Liar] = []

    def start(_memory: int, _boot: Path, *_options: str) -> Child:
        liars.append(Liar(None if liars else script))
        return liars[-1].child

    checks = Checker(idle=0.2)
    with patch.multiple(checker, start_child=start, PATIENCE=0.1 - 1.0, START_TIMEOUT=0.2):  # it adds a second
        findings = _check(checks, "result = 1", script)
        findings += _check(checks, "result = 2", None)
        checks.close()
    for liar in liars:
        if liar.taken > MAX_TAKEN:
            findings.append(f"{liar.taken} bytes were taken from one worker")
        if liar.process.poll() is None:
            findings.append("a process is left")
            liar.child.stop()
        liar.thread.join()
    return findings


def _check(checks: Checker, code: str, script: Script | None) -> list[str]:
    """What is wrong with what the checker says, or raises; without a script everything has to be well."""
    try:
        found = checks.check(code)
    except PluginError as error:
        return [f"the next check failed: {error}"] if script is None else []
    except Exception as error:
        return [f"it raised {error!r}"]
    if script is None:
        return [f"the next check says {found}"] if found else []
    return [] if found or _was_said(script) else ["it was taken from what belongs to no request"]


def _was_said(script: Script) -> bool:
    said = script.early + b"".join(say.data for say in script.says)
    answers = [read(body, ID) for body in frames(script.greeting + said)]
    return any(answer is not None and answer["kind"] == "done" for answer in answers)
