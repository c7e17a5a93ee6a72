"""Where a snippet plainly uses `ctx.http`, `ctx.secrets`, `ctx.state` and `ctx.emit`, seen before it is transformed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from hookrt.actions.python_snippet.worker.wire import Use

NAMES = frozenset({"http", "secrets", "state", "emit"})
"""What has to be granted."""

MAX_USES = 200
"""Uses that are told of one snippet."""


def find_uses(tree: ast.Module, run: ast.FunctionDef | None) -> tuple[Use, ...]:
    """The uses of what `ctx` offers, as far as they can be seen; none where `ctx` is made anew by the snippet."""
    names = {"ctx"}
    if run is not None:
        places = [*run.args.posonlyargs, *run.args.args]
        names |= {place.arg for place in places[1:2]}
    above = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return tuple(_uses(tree, names - stored, above))[:MAX_USES]


def _uses(tree: ast.Module, names: set[str], above: dict[int, ast.AST]) -> Iterator[Use]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr not in NAMES:
            continue
        if isinstance(node.value, ast.Name) and node.value.id in names:
            yield Use(name=node.attr, target=_target(node, above), line=node.lineno, column=node.col_offset + 1)


def _target(node: ast.Attribute, above: dict[int, ast.AST]) -> str | None:
    """The secret, the beginning of the URL, or the type of event that it is used with; None where that is computed."""
    outer = above.get(id(node))
    if node.attr == "emit":
        return _argument(outer, node, 0, "type")
    if node.attr == "secrets" and isinstance(outer, ast.Subscript):
        return _text(outer.slice)
    if not isinstance(outer, ast.Attribute):
        return None
    if node.attr == "secrets" and outer.attr != "get":
        return outer.attr
    place, name = (1, "url") if outer.attr == "request" else (0, "name" if node.attr == "secrets" else "url")
    return _argument(above.get(id(outer)), outer, place, name)


def _argument(call: ast.AST | None, function: ast.expr, place: int, name: str) -> str | None:
    if not isinstance(call, ast.Call) or call.func is not function:
        return None
    if place < len(call.args):
        return _text(call.args[place])
    return next((_text(keyword.value) for keyword in call.keywords if keyword.arg == name), None)


def _text(node: ast.expr) -> str | None:
    """A literal text; of a text that is put together its beginning, when that goes beyond the host of a URL."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    first = node.left if isinstance(node, ast.BinOp) else node.values[0] if isinstance(node, ast.JoinedStr) else None
    begin = _text(first) if isinstance(first, ast.Constant | ast.BinOp) else None
    return begin if begin is not None and "/" in begin.partition("://")[2] else None
