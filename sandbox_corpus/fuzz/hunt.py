"""Runs programs in watched workers, and says what they reached."""

from __future__ import annotations

import hashlib
import os
from types import TracebackType
from typing import Any

import msgspec

from hookrt.actions.python_snippet.debt import KINDS, SPENT
from hookrt.actions.python_snippet.worker.wire import Answer, Request
from sandbox_corpus.fuzz.inside.marks import CANARY, FINDING
from sandbox_corpus.fuzz.nursery import Nursery, Nursling, WorkerGoneError
from sandbox_corpus.fuzz.programs import PROBE

TIMEOUT = 3.0
GRANTS = {"http": ["https://a.example"], "secrets": ["A"], "state": True, "emit": ["A"]}
"""What every run is granted."""

RUNS = 300
"""Runs of one worker, so that what one leaves behind meets others, but not for ever."""


def make_request(code: str, event: Any = None, timeout: float = TIMEOUT, hook: str = "fuzz") -> Request:
    """A request to run this code."""
    return Request(
        id=os.urandom(8).hex(),
        hash=hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest(),
        code=code,
        event={"n": 1, "names": ["b", "a"]} if event is None else event,
        context={"hook": hook, "step": "python", "steps": {}, "attempt": 1, "message_id": "msg_1"},
        grants=GRANTS,
        timeout=timeout,
    )


class Hunt:
    """Programs in watched workers: `with Hunt() as hunt: findings = hunt.run(program)`; with a hole, in holed ones."""

    def __init__(self, hole: str = "") -> None:
        self.kinds: dict[str, int] = {}
        self._hole = hole
        self._nursery = Nursery()
        self._worker: Nursling | None = None
        self._runs = 0
        self._seen: Any = None

    def __enter__(self) -> Hunt:
        self._nursery.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._end_worker()
        self._nursery.__exit__(kind, error, trace)

    def run(self, program: str) -> list[str]:
        """What the program reached or left behind, and must not have; nothing when the policy holds."""
        worker = self._worker or self._start_worker()
        self._runs += 1
        try:
            answer = worker.ask(make_request(program))
            findings = _judge(answer)
            if answer.kind in SPENT or self._runs >= RUNS:
                self._end_worker()
            elif not findings:
                findings = self._compare(worker)
        except TimeoutError:
            answer, findings = Answer(id="", kind="hangs"), ["the worker neither answered nor ended"]
            self._end_worker()
        except WorkerGoneError:  # a crash costs the worker; that is what it is for
            answer, findings = Answer(id="", kind="crashed"), []
            self._end_worker()
        except msgspec.MsgspecError:
            answer, findings = Answer(id="", kind="protocol_error"), ["the worker's answer is not readable"]
        if findings:
            self._end_worker()
        self.kinds[answer.kind] = self.kinds.get(answer.kind, 0) + 1
        return findings

    def offend(self, program: str) -> list[str]:
        """The same for a program that has to be refused as a whole."""
        refused = self.kinds.get("rejected", 0)
        findings = self.run(program)
        if not findings and self.kinds.get("rejected", 0) == refused:
            findings = ["it was not refused"]
        return findings

    def _compare(self, worker: Nursling) -> list[str]:
        seen = worker.ask(make_request(PROBE, hook="probe")).result
        if seen == self._seen:
            return []
        different = [f"{was} became {now}"[:300] for was, now in zip(self._seen, seen, strict=True) if was != now]
        return [f"the next run sees another world: {each}" for each in different]

    def _start_worker(self) -> Nursling:
        self._worker = self._nursery.fork("watched", self._hole)
        self._runs = 0
        self._seen = self._worker.ask(make_request(PROBE, hook="probe")).result
        return self._worker

    def _end_worker(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None


def _judge(answer: Answer) -> list[str]:
    findings = [line.removeprefix(FINDING) for line in answer.logs if line.startswith(FINDING)]
    if answer.kind not in KINDS:
        findings.append(f"an answer of the kind {answer.kind}")
    if CANARY in f"{answer.result!r} {answer.message} {answer.logs}" and not findings:
        findings.append("the canary was shown")
    return findings
