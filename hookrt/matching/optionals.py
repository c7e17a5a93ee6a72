"""Where an optional may stand. Elsewhere it crashes the library when it is turned into a Python value, so none may.

The library's own types do not tell: what `.?` gives of a value of unknown type is itself of unknown type to it. So
the expression's form decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from hookrt.matching.syntax_tree import Call, ListLiteral, Loop, MapLiteral, Node, Select, Tree, children

_MAKES = frozenset(("_?._", "_[?_]", "optional.of", "optional.none", "optional.ofNonZeroValue", "or"))
_READS_FIRST = frozenset(("_?._", "_[?_]", "_[_]"))
_UNWRAPS = frozenset(("orValue", "value", "hasValue"))


def is_optional(node: Node, tree: Tree) -> bool:
    """Whether the value of this node is, or may be, an optional."""
    if node.id in tree.optionals:
        return True
    if isinstance(node, Select):
        return is_optional(node.operand, tree)
    if isinstance(node, Loop):
        return is_optional(node.body[-1], tree)
    if isinstance(node, Call):
        if node.function == "_?_:_":
            return any(is_optional(branch, tree) for branch in node.arguments[1:])
        reads = node.function == "_[_]" and is_optional(node.arguments[0], tree)
        return reads or node.function in _MAKES
    return False


def misplaced_optional(node: Node, tree: Tree) -> Node | None:
    """The first child of a node that is an optional where the node cannot take one."""
    return next((child for child in _plain_children(node) if is_optional(child, tree)), None)


def _plain_children(node: Node) -> Iterator[Node]:
    """The children that have to be plain values."""
    if isinstance(node, ListLiteral):
        yield from (child for index, child in enumerate(node.elements) if index not in node.optional)
    elif isinstance(node, MapLiteral):
        yield from (entry.key for entry in node.entries if entry.key is not None)
        yield from (entry.value for entry in node.entries if not entry.optional)
    elif isinstance(node, Loop):
        yield from (node.over, node.start)
    elif isinstance(node, Call):
        yield from _plain_arguments(node)


def _plain_arguments(node: Call) -> Iterator[Node]:
    if node.function in _READS_FIRST:
        yield from node.arguments[1:]
    elif node.function in _UNWRAPS:
        yield from node.arguments
    elif node.function == "_?_:_":
        yield node.arguments[0]
    elif node.function not in ("or", "_==_", "_!=_"):
        yield from children(node)
