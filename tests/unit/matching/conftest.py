"""Events, scopes and short ways to evaluate, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hookrt.errors import ExpressionError
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.matching.template import compile_template
from hookrt.model.delivery import StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.model.hook import Hook, Scope

IN_SETTINGS = Names(steps=("first", "second"), all_steps=("first", "second", "third"), secrets=True, with_steps=True)
IN_STEP = Names(steps=("first", "second"), all_steps=("first", "second", "third"), with_steps=True)


def build_event(data: Any = None, **fields: Any) -> Event:
    given = {"id": "e1", "type": "User.Created", "source": "http", "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}
    return Event(**{**given, "content": msgspec.json.encode(data), **fields})


def build_scope(data: Any = None, **fields: Any) -> Scope:
    return Scope(
        build_event(data, **fields),
        "welcome",
        {"REGION": "eu"},
        {
            "first": StepResult(StepStatus.SUCCEEDED, {"total": 3, "names": ["ann", "bob"]}),
            "second": StepResult(StepStatus.FAILED, None, "refused"),
        },
        {"KEY": "s3cret", "NUMBER": "12x"}.__getitem__,
    )


@pytest.fixture
def event() -> Callable[..., Event]:
    return build_event


@pytest.fixture
def scope() -> Callable[..., Scope]:
    return build_scope


@pytest.fixture
def holds() -> Callable[..., bool]:
    """Whether a condition is true of an event with this data."""
    return lambda text, data=None, **fields: compile_condition(text, Names()).holds(build_scope(data, **fields))


@pytest.fixture
def why_not() -> Callable[..., str]:
    """Why a condition has no answer for an event with this data."""

    def ask(text: str, data: Any = None, **fields: Any) -> str:
        condition = compile_condition(text, Names())
        with pytest.raises(ExpressionError) as caught:
            condition.holds(build_scope(data, **fields))
        return caught.value.message

    return ask


@pytest.fixture
def refused() -> Callable[..., tuple[int | None, str]]:
    """The column and the message with which a condition does not compile."""

    def ask(text: str, names: Names = IN_STEP) -> tuple[int | None, str]:
        with pytest.raises(ExpressionError) as caught:
            compile_condition(text, names)
        return caught.value.column, caught.value.message

    return ask


@pytest.fixture
def render() -> Callable[..., Any]:
    """What a setting becomes for an event with this data."""

    def ask(text: str, data: Any = None, **fields: Any) -> Any:
        template = compile_template(text, IN_SETTINGS)
        assert template is not None
        return template.render(build_scope(data, **fields))

    return ask


@pytest.fixture
def names_in_settings() -> Names:
    return IN_SETTINGS


@pytest.fixture
def hook() -> Callable[..., Hook]:
    """A hook without steps: `hook("name", "User.*", when="...")`."""

    def build(name: str, *patterns: str, when: str | None = None, **fields: Any) -> Hook:
        return Hook(name, patterns, (), when=compile_condition(when, Names()) if when else None, **fields)

    return build
