"""One request from beginning to end: compile, run with fresh globals, bring the result into shape, tidy up."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from hookrt.actions.python_snippet.worker.asking import Exchange, make_ask
from hookrt.actions.python_snippet.worker.capabilities import capabilities
from hookrt.actions.python_snippet.worker.classes import FILENAME, SnippetType
from hookrt.actions.python_snippet.worker.compiler import NO_RESULT, WITHHELD, Compiled
from hookrt.actions.python_snippet.worker.console import Console
from hookrt.actions.python_snippet.worker.context import Context
from hookrt.actions.python_snippet.worker.deadline import Deadline
from hookrt.actions.python_snippet.worker.guards import GUARDED_BUILTINS, read_attribute, read_item, writable
from hookrt.actions.python_snippet.worker.http_face import HttpError
from hookrt.actions.python_snippet.worker.modules import import_module
from hookrt.actions.python_snippet.worker.offer import PLAIN_BUILTINS
from hookrt.actions.python_snippet.worker.result import Normaliser
from hookrt.actions.python_snippet.worker.stops import BadResultError, DeniedError, StopRun
from hookrt.actions.python_snippet.worker.wire import Answer, Finding, Request

MAX_MESSAGE = 2000
"""Characters of an error's text."""

MAX_CAUSE = 100
"""Characters of its reason."""

_BUILTINS: dict[str, Any] = {
    **PLAIN_BUILTINS,
    **GUARDED_BUILTINS,
    "__import__": import_module,
    "__build_class__": __build_class__,
}
_GUARDS: dict[str, Any] = {
    "__builtins__": _BUILTINS,
    "__metaclass__": SnippetType,
    "__name__": "snippet",
    "_any_error_": Exception,
    "_getattr_": read_attribute,
    "_getitem_": read_item,
    "_write_": writable,
}

Compiler = Callable[[str], Compiled]
Surroundings = dict[str, Any]


class Executor:
    """Answers requests, one after the other; keeps the code of snippets by hash, and nothing else between runs."""

    def __init__(self, compiler: Compiler, surroundings: Surroundings | None = None) -> None:
        self._compiler = compiler
        self._surroundings = _GUARDS if surroundings is None else surroundings
        self._compiled: dict[str, Compiled] = {}
        self._deadline = Deadline()

    def answer(self, request: Request, exchange: Exchange) -> Answer:
        """What becomes of the request; never raises but for a fault of its own. `exchange` carries the run's calls."""
        began = time.perf_counter()
        console = Console(request.output)
        try:
            answer = self._timed(request, console, exchange)
        except StopRun as stop:  # it struck between two safe places
            self._deadline.stop()
            answer = _stopped(request, stop.kind)
        if self._deadline.fired:
            line = answer.line if answer.kind == "timeout" else None
            answer = _stopped(request, "timeout", line)
        elif console.full:
            answer = _stopped(request, "output_limited", answer.line)
        answer.logs = console.lines()
        answer.took = time.perf_counter() - began
        return answer

    def _timed(self, request: Request, console: Console, exchange: Exchange) -> Answer:
        self._deadline.start(request.timeout)
        try:
            if request.check:
                return self._check(request)
            return self._attempt(request, console, exchange)
        except MemoryError:
            return Answer(id=request.id, kind="memory", message=_MEMORY)
        finally:
            self._deadline.stop()

    def _check(self, request: Request) -> Answer:
        compiled = self._compiler(request.code or "")
        found = [*compiled.findings, *compiled.advice]
        return Answer(id=request.id, kind="done", findings=found, uses=list(compiled.uses))

    def _attempt(self, request: Request, console: Console, exchange: Exchange) -> Answer:
        compiled = self._compile(request)
        if compiled.code is None:
            return _rejected(request, compiled.findings)
        space = {**self._surroundings, "event": request.event, "_print_": console.print}
        ask = make_ask(request.id, exchange, self._deadline) if request.grants else None
        offered = capabilities(request.grants, ask)
        space["ctx"] = Context({**request.context, "log": console.log, **offered})
        try:
            exec(compiled.code, space)  # noqa: S102 - the purpose of the whole
            return _finish(request, space)
        except BaseException as error:
            return _failed(request, error)
        finally:
            space.clear()

    def _compile(self, request: Request) -> Compiled:
        known = self._compiled.get(request.hash)
        if known is None:
            known = self._compiled[request.hash] = self._compiler(request.code or "")
        return known


def _finish(request: Request, space: dict[str, Any]) -> Answer:
    if "run" in space:
        value = space["run"](space["event"], space["ctx"])
    elif "result" in space:
        value = space["result"]
    else:
        return _rejected(request, (Finding(message=NO_RESULT),))
    return Answer(id=request.id, kind="done", result=Normaliser(request.result, request.depth).copy(value))


def _rejected(request: Request, findings: tuple[Finding, ...]) -> Answer:
    first = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return Answer(id=request.id, kind="rejected", message=first.message[:MAX_MESSAGE] + more, line=first.line)


_MEMORY = "the run needs more memory than its limit"
_STOPPED = {
    "timeout": "the run took longer than its timeout",
    "output_limited": "the run printed more than its limit",
}


def _stopped(request: Request, kind: str, line: int | None = None) -> Answer:
    return Answer(id=request.id, kind=kind, message=_STOPPED[kind], line=line)


def _failed(request: Request, error: BaseException) -> Answer:
    line = snippet_line(error.__traceback__)
    error.__traceback__ = None  # frees the run's frames, also those of a MemoryError
    kind, message = _describe(error)
    cause = error.reason if type(error) is HttpError else ""
    return Answer(id=request.id, kind=kind, message=message[:MAX_MESSAGE], line=line, cause=cause[:MAX_CAUSE])


def snippet_line(trace: TracebackType | None) -> int | None:
    """The innermost line of the snippet itself in a traceback; host frames are passed over."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _describe(error: BaseException) -> tuple[str, str]:
    if isinstance(error, StopRun):
        return error.kind, _STOPPED[error.kind]
    if isinstance(error, MemoryError):
        return "memory", _MEMORY
    if isinstance(error, BadResultError):
        return "bad_result", str(error)
    if isinstance(error, DeniedError):
        return "denied", _text(error)
    if isinstance(error, NameError) and error.name in WITHHELD:
        return "denied", f"{error.name!r} is not available in snippets"
    if isinstance(error, SystemError):
        return "crashed", f"the interpreter reported an internal error: {_text(error)}"
    return "error", f"{type(error).__name__[:100]}: {_text(error)}".removesuffix(": ")


def _text(error: BaseException) -> str:
    """The error's text without trusting it; encodable, whatever the snippet put in."""
    try:
        text = str(error)[:MAX_MESSAGE]
    except Exception:
        text = "(its text cannot be shown)"
    return text.encode("utf-8", "replace").decode("utf-8")
