"""Functions of the embedding program as actions, so that `@runtime.on` has the durability of any hook."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypedDict

from hookrt.config.code_hook import read_code_hook
from hookrt.config.expressions import names_for
from hookrt.config.fields import NAME
from hookrt.config.suggest import did_you_mean
from hookrt.errors import UsageError
from hookrt.matching.condition import compile_condition
from hookrt.matching.patterns import check_pattern
from hookrt.model.decision import Choice, Decision
from hookrt.model.event import Event
from hookrt.model.hook import Hook, Scope, Step
from hookrt.model.outcome import Outcome
from hookrt.model.policy import DEFAULT_EXPIRES, DEFAULT_TIMEOUT, NO_RETRY, STANDARD, RetryPolicy
from hookrt.observability.stack_lines import error_lines
from hookrt.plugin.action import Action, ActionCall, as_outcome, call_function
from hookrt.plugin.blame import describe_error
from hookrt.plugin.protocols import HttpError
from hookrt.plugin.registry import Registry
from hookrt.plugin.settings import Settings

PREFIX = "function:"
"""The name of such an action is this and the hook's name, which no plugin can take."""


HookFunction = Callable[[Event], Any] | Callable[[Event, ActionCall[Any]], Any]
"""What can be a hook: it takes the event, or the event and the call; async or plain."""


Span = str | timedelta
"""A duration: `15s`, or a timedelta."""


class HookKeys(TypedDict, total=False):
    """The keys of a hook that is a function: `source` is the `from` of hooks.yaml, all others are as there, with their
    words as Python values: `retry=["5s", "1m"]`, `order={"by": "event.data.customer"}`.

    Left out, it is delivered with the retries of a webhook, within 15 s an attempt and 7 days in all. With
    `mode="decide"` it is asked by `Runtime.decide` instead, and returns `{"decision": "allow"}`, or `"deny"` with a
    `reason`.
    """

    when: str | None
    source: str | None
    retry: RetryPolicy | str | Sequence[Span] | Mapping[str, Any]
    timeout: Span
    expires: Span
    order: Mapping[str, Any]
    dedupe: Mapping[str, Any]
    debounce: Mapping[str, Any]
    throttle: Mapping[str, Any]
    mode: Literal["deliver", "decide"]
    on_error: Choice


class NoSettings(Settings):
    """A function has no settings."""


class FunctionAction(Action[NoSettings]):
    """Calls a function with the event, and with the call where it takes a second argument.

    It returns the step's output or an Outcome; what it raises is a retry, with its place in the log.
    """

    def __init__(self, hook: str, function: Callable[..., Any]) -> None:
        self.name = PREFIX + hook  # type: ignore[misc]
        self._function = function
        self._takes_call = takes_call(function)
        self.__module__ = self.module  # whose fault its exceptions are

    @property
    def module(self) -> str:
        """Where the function comes from."""
        return getattr(self._function, "__module__", None) or ""

    async def run(self, call: ActionCall[NoSettings]) -> Outcome:
        """Call it: an async function here, a plain one in a thread of its own."""
        arguments = (call.event, call) if self._takes_call else (call.event,)
        try:
            returned = await call_function(self._function, *arguments)
            returned = await returned if inspect.isawaitable(returned) else returned
        except HttpError:
            raise
        except Exception as error:
            call.log.warning("function-failed", error=describe_error(error), stack=" > ".join(error_lines(error)))
            raise
        return as_outcome(_answer_of(returned) if isinstance(returned, Decision) else returned)


class FixedSettings:
    """The settings of a step that has none."""

    def render(self, scope: Scope) -> NoSettings:
        """Always the same."""
        return NoSettings()


def _answer_of(decision: Decision) -> dict[str, Any]:
    return {"decision": decision.decision, "reason": decision.reason}


def function_hook(name: str, patterns: Sequence[str], keys: HookKeys, registry: Registry) -> Hook:
    """The hook whose one step is a function. Raises UsageError or ExpressionError for one that cannot be."""
    _check_definition(name, patterns)
    given: dict[str, Any] = {key: value for key, value in keys.items() if value is not None}
    for key in given.keys() - HookKeys.__annotations__.keys():
        hint = did_you_mean(key, HookKeys.__annotations__)
        raise UsageError(f"a function's hook has no {key!r}: {hint}" if hint else f"a function's hook has no {key!r}")
    when, source, retry = given.pop("when", None), given.pop("source", None), given.get("retry")
    if isinstance(retry, RetryPolicy):
        given["retry"] = "standard"  # a policy that is made already: only whether there may be one is read
    read = read_code_hook(name, given, registry)
    own = retry if isinstance(retry, RetryPolicy) else read.policy.retry or (NO_RETRY if read.on_error else STANDARD)
    timeout = read.policy.timeout or DEFAULT_TIMEOUT
    return Hook(
        name,
        tuple(patterns),
        (Step("function", PREFIX + name, FixedSettings(), f"hook:{name}", timeout=timeout, retry=own),),
        source,
        compile_condition(when, names_for(registry)) if when is not None else None,
        expires=read.policy.expires or DEFAULT_EXPIRES,
        origin="code",
        keyed=read.keyed,
        on_error=read.on_error,
    )


def _check_definition(name: object, patterns: Sequence[str]) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
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
