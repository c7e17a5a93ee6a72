# ruff: noqa: N802, N815 - the names of visitors are made of the names of nodes
"""The language policy: what a snippet may say, and how its attribute accesses and stores are led through guards.

RestrictedPython refuses everything that it does not know. On top of it ordinary Python is made to work: `d[k] += x`,
annotations, `nonlocal`, `match` without class patterns, `print`, a bare `except`. Its guards of iteration, unpacking
and calls are left out: C code iterates past them anyway, and a snippet can reach only plain values and what
`offer.py` lists, whatever way it takes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TypeVar

from RestrictedPython.transformer import RestrictingNodeTransformer, copy_locations

from hookrt.actions.python_snippet.worker.wire import Finding

MAX_FINDINGS = 50
_THEIRS = ", that is forbidden to access in RestrictedPython"

_WORDS = {
    "AsyncFunctionDef": "async functions",
    "AsyncFor": "async for",
    "AsyncWith": "async with",
    "Await": "await",
    "MatchClass": "class patterns (use isinstance)",
    "TryStar": "except*",
    "TypeAlias": "type statements",
    "TypeVar": "type parameters",
    "ParamSpec": "type parameters",
    "TypeVarTuple": "type parameters",
    "TemplateStr": "template strings",
}

Placed = ast.stmt | ast.expr | ast.excepthandler | ast.arg | ast.keyword | ast.alias | ast.pattern
NodeT = TypeVar("NodeT", bound=ast.stmt | ast.expr)
Visited = ast.AST | Iterable[ast.AST] | None


def place(node: NodeT, at: Placed) -> NodeT:
    """A made node, standing where the written one stood."""
    copy_locations(node, at)
    return node


class SnippetPolicy(RestrictingNodeTransformer):
    """Transforms a parsed snippet in place and collects what it may not say in `findings`."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.findings: list[Finding] = []
        self._lines = source.splitlines()

    def error(self, node: ast.AST, info: str) -> None:
        """Note something that is not allowed, at its place."""
        if len(self.findings) < MAX_FINDINGS:
            line = getattr(node, "lineno", None)
            column = self._column(line, getattr(node, "col_offset", None))
            message = info.removesuffix(".").replace(_THEIRS, " that cannot be read in snippets")
            self.findings.append(Finding(message=message, line=line, column=column))

    def not_allowed(self, node: ast.AST) -> None:
        """Refuse a whole kind of statement or expression."""
        name = type(node).__name__
        self.error(node, f"{_WORDS.get(name, name)} cannot be used in snippets")

    def _column(self, line: int | None, offset: int | None) -> int | None:
        if line is None or offset is None or line > len(self._lines):
            return None
        return len(self._lines[line - 1].encode("utf-8")[:offset].decode("utf-8", "ignore")) + 1

    # Names

    def visit_Name(self, node: ast.Name) -> Visited:
        """Lead `print` to the run's console; check every other name."""
        if isinstance(node.ctx, ast.Load) and node.id == "print":
            return place(ast.Name("_print_", ast.Load()), node)
        if node.id == "printed":
            self.error(node, '"printed" is a reserved name')
            return node
        return super().visit_Name(node)

    def visit_Global(self, node: ast.Global) -> Visited:
        """Check the names too, not only the stores to them."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> Visited:
        """Allow it, with checked names."""
        for name in node.names:
            self.check_name(node, name)
        return node

    # Assignments

    def visit_Assign(self, node: ast.Assign) -> Visited:
        """Check the targets; unpacking needs no guard."""
        return self.node_contents_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> Visited:
        """Allow it for items and attributes too: `d[k] += x` becomes `_write_(d)[k] += x`.

        What `_write_` lets through is the snippet's own, so that reading the old value needs no other guard.
        """
        return self.node_contents_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Visited:
        """Make it a plain assignment; the annotation is never evaluated.

        Without a value it is one that never happens, since in a function it still makes the name a local one.
        """
        if node.value is None:
            self.visit(node.target)
            never = ast.Assign([node.target], ast.Constant(None)) if isinstance(node.target, ast.Name) else ast.Pass()
            return place(ast.If(ast.Constant(value=False), [never], []), node)
        return self.visit_Assign(place(ast.Assign([node.target], node.value), node))

    def visit_With(self, node: ast.With) -> Visited:
        """Check the targets; unpacking needs no guard."""
        return self.node_contents_visit(node)

    def guard_iter(self, node: ast.For | ast.comprehension) -> Visited:
        """Check the targets of a loop; iterating needs no guard."""
        return self.node_contents_visit(node)

    # Calls

    def visit_Call(self, node: ast.Call) -> Visited:
        """Name `exec` and `eval` at once; `*` and `**` need no guard."""
        if isinstance(node.func, ast.Name) and node.func.id in {"exec", "eval"}:
            self.error(node, f"{node.func.id}() cannot be used in snippets")
        return self.node_contents_visit(node)

    def visit_keyword(self, node: ast.keyword) -> Visited:
        """Refuse double underscores, which no function that is offered takes."""
        if node.arg is not None and node.arg.startswith("__"):
            self.error(node, f'"{node.arg}" is an invalid argument name because it starts with "__"')
        return self.node_contents_visit(node)

    # Definitions

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Visited:
        """Drop the annotations, which some libraries evaluate; check the names."""
        node.returns = None
        arguments = node.args
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
            if each is not None:
                each.annotation = None
        return super().visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> Visited:
        """Give it the metaclass by which the guards know the snippet's own classes."""
        self.check_name(node, node.name)
        for keyword in node.keywords:
            self.error(keyword, f"the class argument {keyword.arg or '**'!r} is not allowed")
        node = self.node_contents_visit(node)
        node.keywords = [ast.keyword("metaclass", ast.Name("__metaclass__", ast.Load()))]
        for made in (node.keywords[0], node.keywords[0].value):
            copy_locations(made, node)
        return node

    # Imports and errors

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Visited:
        """Drop `from __future__`, which changes nothing here; check the names of the others."""
        if node.module == "__future__":
            return place(ast.Pass(), node)
        return super().visit_ImportFrom(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> Visited:
        """Make a bare `except` catch what `except Exception` does, so that the deadline gets through."""
        if node.type is None:
            self.check_name(node, node.name)
            node = self.node_contents_visit(node)
            node.type = place(ast.Name("_any_error_", ast.Load()), node)
            return node
        return super().visit_ExceptHandler(node)

    # match: literals, sequences, mappings, captures, alternatives

    def visit_Match(self, node: ast.Match) -> Visited:
        """Allow it; the patterns are checked one by one."""
        return self.node_contents_visit(node)

    visit_match_case = visit_MatchSingleton = visit_MatchSequence = visit_MatchOr = visit_Match  # type: ignore[assignment]

    def visit_MatchValue(self, node: ast.MatchValue) -> Visited:
        """Allow literals; a dotted name would be read past the guard."""
        self._check_literal(node.value)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> Visited:
        """Allow it with literal keys."""
        for key in node.keys:
            self._check_literal(key)
        self.check_name(node, node.rest)
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        return node

    def visit_MatchStar(self, node: ast.MatchStar) -> Visited:
        """Check the name that it binds."""
        self.check_name(node, node.name)
        return node

    def visit_MatchAs(self, node: ast.MatchAs) -> Visited:
        """Check the name that it binds, and the pattern before it."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    def _check_literal(self, node: ast.expr) -> None:
        if any(isinstance(part, ast.Attribute | ast.Name) for part in ast.walk(node)):
            self.error(node, "a pattern can only compare with literals (use a guard: case x if x == ...)")

    def visit_TemplateStr(self, node: ast.AST) -> Visited:
        """Refuse what has not been looked into."""
        self.not_allowed(node)
        return node

    visit_Interpolation = visit_TemplateStr
