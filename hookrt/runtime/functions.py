"""Functions of the embedding program as actions, so that `@runtime.on` has the durability of any hook."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from hookrt.config.fields import NAME
from hookrt.errors import UsageError
from hookrt.matching.patterns import check_pattern
from hookrt.model.event import Event
from hookrt.model.hook import Scope, Step
from hookrt.model.outcome import Outcome
from hookrt.model.policy import RetryPolicy
from hookrt.plugin.action import Action, ActionCall, as_outcome, call_function
from hookrt.plugin.settings import Settings

PREFIX = "function:"
"""The name of such an action is this and the hook's name, which no plugin can take."""


HookFunction = Callable[[Event], Any] | Callable[[Event, ActionCall[Any]], Any]
"""What can be a hook: it takes the event, or the event and the call; async or plain."""


class NoSettings(Settings):
    """A function has no settings."""


class FunctionAction(Action[NoSettings]):
    """Calls a function with the event, and with the call where it takes a second argument.

    It returns the step's output or an Outcome; what it raises is a retry.
    """

    def __init__(self, hook: str, function: Callable[..., Any]) -> None:
        self.name = PREFIX + hook  # type: ignore[misc]
        self._function = function
        self._takes_call = takes_call(function)

    @property
    def module(self) -> str:
        """Where the function comes from."""
        return getattr(self._function, "__module__", None) or ""

    async def run(self, call: ActionCall[NoSettings]) -> Outcome:
        """Call it: an async function here, a plain one in a thread of its own."""
        arguments = (call.event, call) if self._takes_call else (call.event,)
        returned = await call_function(self._function, *arguments)
        return as_outcome(await returned if inspect.isawaitable(returned) else returned)


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


def takes_call(function: Callable[..., Any]) -> bool:
    """Whether a function wants the call beside the event: it has a second parameter without a default.

    Raises UsageError for one that can be called with neither, now rather than at each event.
    """
    if not callable(function):
        raise UsageError(f"{function!r} is no function")
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins have none
        return False
    for arguments, both in (((None,), False), ((None, None), True)):
        with contextlib.suppress(TypeError):
            signature.bind(*arguments)
            return both
    raise UsageError(f"{function!r} must take one argument, the event, or two, the event and the call")
