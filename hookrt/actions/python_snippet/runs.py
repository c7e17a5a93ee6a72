"""One run of a snippet: what it needs, what it may take, and which workers may serve it."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hookrt.actions.python_snippet.calls import Broker
from hookrt.actions.python_snippet.crew import CrewKey
from hookrt.actions.python_snippet.worker.wire import MAX_DEPTH, Request
from hookrt.plugin import Patience


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run: seconds, bytes, and levels of nested lists and objects in the result."""

    timeout: float
    memory: int
    output: int
    result: int
    depth: int = MAX_DEPTH


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a snippet on an event.

    `broker` answers its calls. `granted` says to the worker what may be asked, by names only, and `grants` is a stable
    digest of all that the step grants, also of what the worker is not told: a worker never serves runs with different
    ones. With `fresh` the run has a process of its own. `patience` is told while the run waits for a worker.
    """

    code: str
    event: Mapping[str, Any]
    context: Mapping[str, Any]
    limits: Limits
    broker: Broker | None = None
    grants: str = ""
    granted: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = False
    patience: Patience | None = None

    @property
    def code_hash(self) -> str:
        """The SHA-256 of the code, by which a worker knows it."""
        return _hash(self.code)

    def key(self, hook: str) -> CrewKey:
        """Which workers may serve it."""
        return CrewKey(hook, self.limits.memory, self.grants, self.broker is not None, self.fresh)

    def request(self) -> Request:
        """What a worker is asked, with a random id."""
        limits = self.limits
        return Request(
            id=os.urandom(8).hex(),
            hash=self.code_hash,
            event=self.event,
            context=dict(self.context),
            grants=dict(self.granted),
            timeout=limits.timeout,
            output=limits.output,
            result=limits.result,
            depth=limits.depth,
        )


@functools.lru_cache(maxsize=256)
def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
