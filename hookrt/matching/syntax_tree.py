"""The tree of a checked expression, read from the library's own serialized form.

The library parses and checks, but shows its tree only as bytes: `cel.expr.CheckedExpr`, the protocol buffer that the
CEL specification publishes. The few message types of it are read here, so that no rule of hookrt's rests on a second,
slightly different parser.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hookrt.errors import ExpressionError


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal; bytes and unsigned numbers come as Python's bytes and int."""

    id: int
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A name on its own: a variable, a macro's variable, a type."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`; with `test` it is `has(operand.field)`."""

    id: int
    operand: Node
    field: str
    test: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator (`_+_`); `target` is what stands before the dot."""

    id: int
    function: str
    arguments: tuple[Node, ...] = ()
    target: Node | None = None


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, ?b]`; `optional` are the indices of elements with a question mark."""

    id: int
    elements: tuple[Node, ...] = ()
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a map literal; the key is None in a message literal."""

    key: Node | None
    value: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{key: value}`; with a `message` name it is a protocol buffer's literal."""

    id: int
    message: str = ""
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """A macro, expanded: `over` is what it goes over, `body` all that is evaluated for each element."""

    id: int
    variables: tuple[str, ...]
    over: Node
    start: Node
    body: tuple[Node, ...]


Node = Constant | Name | Select | Call | ListLiteral | MapLiteral | Loop


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole expression: its root, and which nodes are optionals. `source` is the library's own, for `offset`."""

    root: Node
    optionals: frozenset[int]
    source: bytes

    def offset(self, node: Node) -> int:
        """Where a node stands in the text; an operator or a call where its sign or bracket stands."""
        places = (dict(_fields(entry)) for kind, entry in _fields(self.source) if kind == 4)
        return next((int(place.get(2, 0)) for place in places if place.get(1, 0) == node.id), 0)


def children(node: Node) -> Iterator[Node]:
    """The operands, arguments or elements of a node; of a Loop none, since they differ in what they mean."""
    if isinstance(node, Select):
        yield node.operand
    elif isinstance(node, Call):
        if node.target is not None:
            yield node.target
        yield from node.arguments
    elif isinstance(node, ListLiteral):
        yield from node.elements
    elif isinstance(node, MapLiteral):
        for entry in node.entries:
            if entry.key is not None:
                yield entry.key
            yield entry.value


def read_tree(serialized: bytes) -> Tree:
    """The tree in the bytes of a serialized, checked expression; raises ExpressionError when there is none in them."""
    root: Node | None = None
    source = b""
    optionals: set[int] = set()
    typed = b"optional_type" in serialized  # rare, and the types are most of the bytes
    for number, value in _fields(dict(_fields(serialized)).get(2, b"")):  # it comes wrapped in an `Any`
        if number == 4:
            root = _node(value)
        elif number == 5:
            source = value
        elif number == 3 and typed:
            entry = dict(_fields(value))
            if _is_optional(entry.get(2, b"")):
                optionals.add(entry.get(1, 0))
    if root is None:
        raise ExpressionError("the installed CEL library does not show the expression's tree; hookrt knows 0.1.3")
    return Tree(root, frozenset(optionals), source)


def _is_optional(kind: bytes) -> bool:
    return any(number == 14 and dict(_fields(value)).get(1) == b"optional_type" for number, value in _fields(kind))


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Each field's number and value: int, or bytes for text, messages and fixed-width numbers."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        length, at = _varint(message, at) if wire == 2 else (8 if wire == 1 else 4, at)
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _node(message: bytes) -> Node:
    identity, kind, content = 0, 0, b""
    for number, value in _fields(message):
        if number == 2:
            identity = value
        else:
            kind, content = number, value
    reader = _READERS.get(kind)
    return reader(identity, list(_fields(content))) if reader else Constant(identity, None)


_Fields = list[tuple[int, Any]]
"""The fields of one message, in order."""


def _constant(identity: int, fields: _Fields) -> Node:
    for kind, raw in fields:
        if kind == 2:
            return Constant(identity, bool(raw))
        if kind == 3:
            return Constant(identity, raw - (1 << 64) if raw >> 63 else raw)
        if kind == 5:
            return Constant(identity, struct.unpack("<d", raw)[0])
        if kind in (4, 6, 7):
            return Constant(identity, raw.decode() if kind == 6 else raw)
    return Constant(identity, None)


def _name(identity: int, fields: _Fields) -> Node:
    return Name(identity, _text(fields, 1))


def _select(identity: int, fields: _Fields) -> Node:
    return Select(identity, _child(fields, 1), _text(fields, 2), any(number == 3 and value for number, value in fields))


def _call(identity: int, fields: _Fields) -> Node:
    target = _child(fields, 1) if any(number == 1 for number, _ in fields) else None
    arguments = tuple(_node(value) for number, value in fields if number == 3)
    return Call(identity, _text(fields, 2), arguments, target)


def _list(identity: int, fields: _Fields) -> Node:
    elements = tuple(_node(value) for number, value in fields if number == 1)
    packed = b"".join(value for number, value in fields if number == 2)
    return ListLiteral(identity, elements, frozenset(_packed(packed)))


def _packed(raw: bytes) -> Iterator[int]:
    at = 0
    while at < len(raw):
        value, at = _varint(raw, at)
        yield value


def _map(identity: int, fields: _Fields) -> Node:
    entries = tuple(_map_entry(list(_fields(value))) for number, value in fields if number == 2)
    return MapLiteral(identity, _text(fields, 1), entries)


def _map_entry(fields: _Fields) -> Entry:
    key = _child(fields, 3) if any(number == 3 for number, _ in fields) else None
    return Entry(key, _child(fields, 4), any(number == 5 and value for number, value in fields))


def _loop(identity: int, fields: _Fields) -> Node:
    variables = tuple(value.decode() for number, value in fields if number in (1, 3, 8))
    body = tuple(_node(value) for number, value in fields if number in (5, 6, 7))
    return Loop(identity, variables, _child(fields, 2), _child(fields, 4), body)


def _child(fields: _Fields, wanted: int) -> Node:
    return next((_node(value) for number, value in fields if number == wanted), Constant(0, None))


def _text(fields: _Fields, wanted: int) -> str:
    return next((value.decode() for number, value in fields if number == wanted), "")


_READERS = {3: _constant, 4: _name, 5: _select, 6: _call, 7: _list, 8: _map, 9: _loop}
