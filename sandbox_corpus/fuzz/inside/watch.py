"""An executor that watches: what a program reaches, what Python's audit reports, and what is left behind."""

from __future__ import annotations

import ast
import decimal
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from hookrt.actions.python_snippet.worker import execute, guards, modules, offer
from hookrt.actions.python_snippet.worker.asking import Exchange
from hookrt.actions.python_snippet.worker.classes import FILENAME, SnippetType
from hookrt.actions.python_snippet.worker.compiler import Compiled, compile_snippet
from hookrt.actions.python_snippet.worker.context import Context
from hookrt.actions.python_snippet.worker.execute import Executor
from hookrt.actions.python_snippet.worker.module import Module, names_of
from hookrt.actions.python_snippet.worker.wire import Answer, Finding, Request
from sandbox_corpus.fuzz.inside.holes import CHANGES, HOLES, WORKER_HOLES
from sandbox_corpus.fuzz.inside.marks import CANARY, FINDING
from sandbox_corpus.fuzz.inside.walk import OFFERED_TYPES, Walk, judge

HARMLESS_EVENTS = frozenset({"object.__getattr__", "exec", "builtins.id", "time.sleep", "sys._getframe"})
"""What Python reports of an ordinary run: the guards look at code objects, the run itself is an `exec`."""

MAX_TRACED = 20_000


def make_executor(name: str, hole: str) -> Executor | None:
    """The executor of that name: `plain` runs without the policy, `watched` with it and the watch, else hookrt's."""
    if name == "plain":
        return Executor(_compile_plainly, {"__builtins__": __builtins__, "__name__": "snippet"})
    if hole:
        {**HOLES, **WORKER_HOLES, **CHANGES}[hole].plant()
    return Watched() if name == "watched" else None


def _compile_plainly(source: str) -> Compiled:
    try:
        tree = _PrintToConsole().visit(ast.parse(source, FILENAME))
        return Compiled(compile(tree, FILENAME, "exec", dont_inherit=True))
    except SyntaxError as error:
        return Compiled(None, (Finding(message=f"syntax error: {error.msg}", line=error.lineno),))


class _PrintToConsole(ast.NodeTransformer):
    """Leads `print` where the policy leads it, so that logs can be compared."""

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Rename it."""
        return ast.copy_location(ast.Name("_print_", node.ctx), node) if node.id == "print" else node


class Watched(Executor):
    """Runs programs as hookrt does, and adds a line to the log for whatever they should not have reached."""

    def __init__(self) -> None:
        super().__init__(compile_snippet)
        self._found: list[str] = []
        self._running = self._begun = False
        self._known: set[type] = {types.NoneType}
        self._left = 0
        execute.exec = self._run  # type: ignore[attr-defined]  # shadows the built-in one
        sys.addaudithook(self._audit)
        os.environ["CANARY"] = CANARY
        self._before = _fingerprint()

    def answer(self, request: Request, exchange: Exchange) -> Answer:
        """As it is, with the findings in the log."""
        self._found = []
        answer = super().answer(request, exchange)
        before, self._before = self._before, _fingerprint()
        self._found += [f"{name} changed" for name, held in before.items() if _differs(held, self._before[name])]
        answer.logs += [FINDING + found for found in dict.fromkeys(self._found)]
        return answer

    def _run(self, code: types.CodeType, space: dict[str, Any]) -> None:
        canary = CANARY  # in a frame of ours
        space["_canary_"] = canary
        if space["ctx"]["hook"] == "probe":
            exec(code, space)  # noqa: S102 - what it is about
            return
        given = {id(value) for value in space.values()}
        self._left = MAX_TRACED
        sys.settrace(self._trace)
        self._running = True
        try:
            exec(code, space)  # noqa: S102 - what it is about
        finally:
            self._running = False
            sys.settrace(None)
            walk = Walk(self._known)
            walk.follow([*self._offered(), *((name, each) for name, each in space.items() if id(each) not in given)])
            self._found += walk.findings

    def _offered(self) -> list[tuple[str, Any]]:
        """All that a program can name without doing anything, once for each worker."""
        if self._begun:
            return []
        self._begun = True
        names = {name: value for name, value in execute._BUILTINS.items() if not name.startswith("_")}
        return [*names.items(), *modules.MODULES.items()]

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._running and event not in HARMLESS_EVENTS:
            self._running = False  # what looks at it reports, too
            self._found.append(f"audit event {event} {[type(each).__name__ for each in arguments]}")
            self._running = True

    def _trace(self, frame: types.FrameType, _event: str, value: Any) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != FILENAME:
            return None
        self._left -= 1
        if self._left > 0:
            self._running = False
            held = frame.f_locals if frame.f_code.co_name != "<module>" else {}
            for each in (*held.values(), value if _event == "return" else None):
                reason = judge(each)
                if reason is not None:
                    self._found.append(f"a local is {reason}")
            self._running = True
        return self._trace


def _fingerprint() -> dict[str, dict[Any, Any]]:
    """All that outlives a run and that a program might try to change: of each thing, what it holds by name."""
    context = decimal.getcontext()
    return {
        **{f"the module {label}": dict(names_of(module)) for label, module in modules.MODULES.items()},
        **{f"the attributes of {each!r}": dict(vars(each)) for each in _CHANGEABLE},
        "the modules": dict(modules.MODULES),
        "the built-ins": dict(execute._BUILTINS),
        "the guards": dict(execute._GUARDS),
        "the listing of attributes": dict(offer.ATTRIBUTES),
        "the decimal context": {"precision": context.prec, "rounding": context.rounding, "clamp": context.clamp},
        "sys.modules": dict(sys.modules),
        "the environment": dict(os.environ),
        "the interpreter": {"recursion": sys.getrecursionlimit(), "warnings": len(warnings.filters)},
    }


def _is_changeable(each: Any) -> bool:
    """Whether it has a namespace that could be written to: functions, and classes that are written in Python."""
    if isinstance(each, type):
        return not each.__flags__ & (1 << 8)  # Py_TPFLAGS_IMMUTABLETYPE
    return isinstance(each, types.FunctionType)


def _shared() -> Iterator[Any]:
    yield from (*OFFERED_TYPES, SnippetType, Module, Context, guards._Formatter)
    for module in modules.MODULES.values():
        yield from names_of(module).values()
    yield from guards.GUARDED_BUILTINS.values()


_CHANGEABLE = [each for each in _shared() if _is_changeable(each)]


def _differs(before: dict[Any, Any], after: dict[Any, Any]) -> bool:
    if before.keys() != after.keys():
        return True
    return any(value is not before[name] and value != before[name] for name, value in after.items())
