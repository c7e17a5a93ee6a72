"""From the text of a snippet to code, or to findings that say why not."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

from hookrt.actions.python_snippet.worker.classes import FILENAME
from hookrt.actions.python_snippet.worker.module import names_of
from hookrt.actions.python_snippet.worker.modules import MODULES
from hookrt.actions.python_snippet.worker.offer import BUILTINS
from hookrt.actions.python_snippet.worker.policy import SnippetPolicy
from hookrt.actions.python_snippet.worker.survey import Import, Survey, look_over
from hookrt.actions.python_snippet.worker.uses import find_uses
from hookrt.actions.python_snippet.worker.wire import Finding, Use

MAX_SOURCE = 64 * 1024
"""Bytes of source text."""

NO_RESULT = "the snippet gives no result: define `def run(event, ctx):`, or set the variable `result`"
WITHHELD = (frozenset(dir(builtins)) | {"exit", "quit", "help", "copyright", "credits", "license"}) - set(BUILTINS)
"""Names that Python has and snippets have not."""


_HTTP = 'use ctx.http.get(...), and grant it: "allow: {http: [https://api.example.com]}"'
_INSTEAD = {
    **dict.fromkeys(("requests", "httpx", "aiohttp", "urllib3", "http"), _HTTP),
    **dict.fromkeys(("os", "dotenv"), 'for a secret use ctx.secrets.NAME, and grant it: "allow: {secrets: [NAME]}"'),
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A snippet's code, None when `findings` has something.

    `advice` holds what would fail when it runs: it is shown by a check, while a run finds out by itself. `uses` are
    the places that use what has to be granted.
    """

    code: CodeType | None
    findings: tuple[Finding, ...] = ()
    advice: tuple[Finding, ...] = ()
    uses: tuple[Use, ...] = ()


def compile_snippet(source: str) -> Compiled:
    """Compile under the language policy; whatever the compiler raises becomes a finding."""
    if len(source) > MAX_SOURCE or len(source.encode("utf-8", "replace")) > MAX_SOURCE:
        return Compiled(None, (Finding(message=f"the snippet has more than {MAX_SOURCE // 1024} KiB"),))
    try:
        return _compile(source)
    except SyntaxError as error:
        column = error.offset if error.offset and error.offset > 0 else None
        return Compiled(None, (Finding(message=f"syntax error: {error.msg}", line=error.lineno, column=column),))
    except (RecursionError, MemoryError):
        return Compiled(None, (Finding(message="the snippet is nested too deeply"),))
    except (ValueError, OverflowError, TypeError) as error:
        return Compiled(None, (Finding(message=f"the snippet cannot be compiled: {error}"[:500]),))


def _compile(source: str) -> Compiled:
    tree = ast.parse(source, FILENAME, "exec")
    survey = look_over(tree)
    uses = find_uses(tree, survey.run)
    policy = SnippetPolicy(source)
    policy.visit(tree)
    findings = policy.findings
    if not findings and not survey.top & {"run", "result"}:
        findings.append(Finding(message=NO_RESULT))
    if findings:
        return Compiled(None, tuple(findings))
    return Compiled(compile(tree, FILENAME, "exec", dont_inherit=True, optimize=0), (), tuple(_advise(survey)), uses)


def _advise(survey: Survey) -> Iterator[Finding]:
    for each in survey.imports:
        if not each.guarded:
            yield from _advise_import(each)
    for name, node in survey.used.items():
        if name in WITHHELD and name not in survey.bound:
            yield _at(node, f"{name!r} is not available in snippets")
    if survey.run is not None and not _takes_two(survey.run.args):
        yield _at(survey.run, "run must take two arguments: `def run(event, ctx):`")


def _advise_import(wanted: Import) -> Iterator[Finding]:
    if wanted.module not in MODULES:
        close = difflib.get_close_matches(wanted.module, MODULES, 1)
        hint = _INSTEAD.get(wanted.module.partition(".")[0])
        hint = hint or (f"did you mean {close[0]}?" if close else f"available are {', '.join(sorted(MODULES))}")
        yield _at(wanted.node, f"the module {wanted.module!r} is not available in snippets", hint)
        return
    offered = names_of(MODULES[wanted.module])
    for name in wanted.names:
        if name not in offered:
            close = difflib.get_close_matches(name, offered, 1)
            meant = f"did you mean {close[0]}?" if close else None
            yield _at(wanted.node, f"{wanted.module}.{name} is not available in snippets", meant)


def _takes_two(arguments: ast.arguments) -> bool:
    places = len(arguments.posonlyargs) + len(arguments.args)
    needed = places - len(arguments.defaults)
    named = sum(default is None for default in arguments.kw_defaults)
    return needed <= 2 and named == 0 and (places >= 2 or arguments.vararg is not None)


def _at(node: ast.stmt | ast.Name, message: str, hint: str | None = None) -> Finding:
    return Finding(message=message, line=node.lineno, column=node.col_offset + 1, hint=hint)
