"""Runs ordinary programs under the policy and in plain Python, each in a worker, and compares what they give."""

from __future__ import annotations

import json
import re
from types import TracebackType
from typing import Any

from hookrt.actions.python_snippet.debt import SPENT
from sandbox_corpus.fuzz.hunt import make_request
from sandbox_corpus.fuzz.nursery import Nursery, Nursling, WorkerGoneError

_OURS = "cannot be changed by a snippet"
"""What only the policy says; plain Python fails in such a place too, perhaps a little later."""

_ADDRESS = re.compile("0x[0-9a-f]*")
_UNSURE = frozenset({*SPENT, "gone"})


class Comparison:
    """`with Comparison() as comparison: findings = comparison.run(program)`."""

    def __init__(self, hole: str = "") -> None:
        self._hole = hole
        self._nursery = Nursery()
        self._workers: dict[str, Nursling] = {}

    def __enter__(self) -> Comparison:
        self._nursery.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for worker in self._workers.values():
            worker.kill()
        self._nursery.__exit__(kind, error, trace)

    def run(self, program: str) -> list[str]:
        """What differs; nothing when both give the same."""
        guarded, plain = self._ask("guarded", program), self._ask("plain", program)
        if guarded == plain or guarded[0] in _UNSURE or plain[0] in _UNSURE or _OURS in str(guarded):
            return []
        if plain[0] == "rejected":  # by Python's own compiler: no ordinary program
            return []
        different = [(ours, theirs) for ours, theirs in zip(guarded, plain, strict=True) if ours != theirs]
        return [f"under the policy {ours!r:.300}, in Python {theirs!r:.300}" for ours, theirs in different]

    def _ask(self, executor: str, program: str) -> tuple[Any, ...]:
        if executor not in self._workers:
            self._workers[executor] = self._nursery.fork(executor, self._hole if executor == "guarded" else "")
        try:
            answer = self._workers[executor].ask(make_request(program))
        except WorkerGoneError:
            self._workers.pop(executor).kill()
            return ("gone",) * 5
        if answer.kind in SPENT:
            self._workers.pop(executor).kill()
        said = (answer.kind, answer.result, answer.logs, answer.message, answer.line)
        return tuple(json.loads(_ADDRESS.sub("an address", json.dumps(each))) for each in said)
