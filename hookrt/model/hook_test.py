"""The example of a hook: an event, what answers its steps, and what is expected to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hookrt.model.event import Event
from hookrt.model.hook import Place

ValuePath = tuple[str | int, ...]
"""The way from a value down to a part of it: keys and indices."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where something is written: its place, its line, and how many characters of that are meant."""

    place: Place
    line_text: str | None = None
    width: int = 1


@dataclass(frozen=True, slots=True)
class Expected:
    """A value that something must have, and where it and each of its parts are written."""

    value: Any
    parts: Mapping[ValuePath, Written] = field(repr=False)

    def written(self, path: ValuePath = ()) -> Written:
        """Where the part at a path is written, else the closest one around it."""
        while path not in self.parts:
            path = path[:-1]
        return self.parts[path]


@dataclass(frozen=True, slots=True)
class StubAnswer:
    """What is answered in the place of an endpoint. With `error` no answer comes, for that reason (`timeout`, say)."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    error: str | None = None


NO_PROBLEM = StubAnswer(200, {"content-type": "application/json"}, b"{}")
"""What is answered where a test says nothing of it."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """An output that a step has without being run."""

    output: Any


@dataclass(frozen=True, slots=True)
class StepExample:
    """What a test says of one step. `answers` are given one each, the last one to all further requests.

    `expected` is by what is looked at: `status`, `outcome`, `reason`, `attempts`, `output`, `request`, `settings`,
    `emits`.
    """

    written: Written
    answers: tuple[StubAnswer, ...] = (NO_PROBLEM,)
    stand_in: StandIn | None = None
    expected: Mapping[str, Expected] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HookTest:
    """One example of a hook.

    `hooks` are the names of all hooks that fire for the event, None where that does not matter; so `status` and
    `reason` of the delivery. `fires` is about this hook. `env` is all of the environment that its expressions see.
    """

    hook: str
    name: str
    written: Written
    event: Event
    fires: Expected
    env: Mapping[str, str] = field(default_factory=dict)
    hooks: Expected | None = None
    status: Expected | None = None
    reason: Expected | None = None
    steps: Mapping[str, StepExample] = field(default_factory=dict)
