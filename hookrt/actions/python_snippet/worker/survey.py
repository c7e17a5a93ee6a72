"""What a snippet defines, imports and uses, seen before its code is transformed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and the names taken from it; `guarded` inside a `try`."""

    module: str
    names: tuple[str, ...]
    node: ast.stmt
    guarded: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """The names that the module level binds, all bound names, the first use of each name, and the imports."""

    top: frozenset[str]
    bound: frozenset[str]
    used: dict[str, ast.Name]
    imports: tuple[Import, ...]
    run: ast.FunctionDef | None


def look_over(tree: ast.Module) -> Survey:
    """Survey a module as it was parsed."""
    top = list(_module_level(tree))
    bound, used = _names(tree)
    runs = [node for node in top if isinstance(node, ast.FunctionDef) and node.name == "run"]
    names = frozenset(name for node in top for name in _bound_by(node))
    return Survey(names, frozenset(bound), used, tuple(_imports(tree)), runs[-1] if runs else None)


def _module_level(tree: ast.Module) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.comprehension):  # its target is its own
            waiting = [node.iter, *node.ifs, *waiting]
        elif not isinstance(node, (*_SCOPES, ast.Lambda)):
            waiting = [*ast.iter_child_nodes(node), *waiting]


def _bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, _SCOPES):
        yield node.name
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).split(".")[0]
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _names(tree: ast.Module) -> tuple[set[str], dict[str, ast.Name]]:
    bound: set[str] = set()
    used: dict[str, ast.Name] = {}
    for node in ast.walk(tree):
        bound.update(_bound_by(node))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.setdefault(node.id, node)
    return bound, used


def _imports(tree: ast.Module) -> Iterator[Import]:
    guarded = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), node, id(node) in guarded)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = tuple(alias.name for alias in node.names)
            yield Import("." * node.level + (node.module or ""), names, node, id(node) in guarded)
