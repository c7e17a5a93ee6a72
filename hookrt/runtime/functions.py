"""Functions of the embedding program as actions, so that `@runtime.on` has the durability of any hook."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from hookrt.config.fields import NAME
from hookrt.errors import UsageError
from hookrt.matching.patterns import check_pattern
from hookrt.model.hook import Scope, Step
from hookrt.model.outcome import Outcome
from hookrt.model.policy import RetryPolicy
from hookrt.plugin.action import Action, ActionCall, as_outcome, call_function
from hookrt.plugin.settings import Settings

PREFIX = "function:"
"""The name of such an action is this and the hook's name, which no plugin can take."""


class NoSettings(Settings):
    """A function has no settings."""


class FunctionAction(Action[NoSettings]):
    """Calls a function with the event, and with the call where it takes a second argument.

    It returns the step's output or an Outcome; what it raises is a retry.
    """

    def __init__(self, hook: str, function: Callable[..., Any]) -> None:
        self.name = PREFIX + hook  # type: ignore[misc]
        self._function = function
        self._takes_call = _counts_arguments(function) > 1

    async def run(self, call: ActionCall[NoSettings]) -> Outcome:
        """Call it: an async function here, a plain one in a thread of its own."""
        arguments = (call.event, call) if self._takes_call else (call.event,)
        return as_outcome(await call_function(self._function, *arguments))


class FixedSettings:
    """The settings of a step that has none."""

    def render(self, scope: Scope) -> NoSettings:
        """Always the same."""
        return NoSettings()


def function_step(hook: str, timeout: timedelta, retry: RetryPolicy) -> Step:
    """The one step of a hook that is a function."""
    return Step("function", PREFIX + hook, FixedSettings(), f"hook:{hook}", timeout=timeout, retry=retry)


def check_definition(name: str, patterns: Sequence[str]) -> None:
    """Raise UsageError, or ExpressionError for a pattern, for a hook that cannot be."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a hook: use lower case letters, digits, '-' and '_'")
    for pattern in patterns:
        check_pattern(pattern)
    if not patterns:
        raise UsageError("say which event types the hook is for: @runtime.on('User.*', name=...)")


def _counts_arguments(function: Callable[..., Any]) -> int:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional for parameter in inspect.signature(function).parameters.values())
