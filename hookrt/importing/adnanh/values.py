"""Where a value of the request is found in CEL: its text, and whether it is there at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hookrt.importing.adnanh.algebra import FALSE, TRUE, Condition, equal, quote, unequal
from hookrt.importing.adnanh.rules import Argument
from hookrt.importing.notes import Untranslatable

_REQUEST_MAPS = {"header": "headers", "url": "query"}
_WHY = {
    "raw-request-body": "an event keeps the body's values, not its bytes as a text",
    "entire-headers": "an event carries no headers",
    "entire-query": "an event carries no query",
    "entire-payload": "the whole body cannot be compared with a text",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A value of the request in CEL. `fixed` is one that is always this text. `path` is that of a body's value."""

    default: str
    or_null: str
    fixed: str | None = None
    path: tuple[str, ...] = ()
    in_body: bool = False

    @property
    def missing(self) -> Condition:
        """Whether it is not there."""
        return FALSE if self.fixed is not None else equal(self.or_null, "null")


def find(argument: Argument | None, root: str) -> Found:
    """The value, the body being at `root`; raises Untranslatable for what is not known here."""
    if argument is None:
        raise RuntimeError("a comparison without a value")
    if argument.source == "string":
        return Found("", "", fixed=argument.name)
    if argument.source == "payload":
        return _in_body(argument, root)
    if argument.source in _REQUEST_MAPS:
        return _in_request(argument, _REQUEST_MAPS[argument.source])
    if argument.source == "request":
        return _of_request(argument)
    why = _WHY.get(argument.source, f"webhook has no source {argument.source!r}: it finds nothing there")
    raise Untranslatable(argument.node, why)


def in_request(argument: Argument | None) -> bool:
    """Whether it stands in the headers or the query, which only a source sees."""
    return argument is not None and argument.source in _REQUEST_MAPS


def guards(found: Found, root: str) -> Condition:
    """What holds unless the way to the value ends at a null, where webhook answers 500 and runs nothing.

    Through a list it does not hold either where the way ends without one.
    """
    if len(found.path) < 2:
        return TRUE
    if through_list(found):
        return unequal(f"get({root}, {quote('.'.join(found.path[:-1]))}, null)", "null")
    steps = "".join(_optional(name) for name in found.path[:-1])
    return unequal(f'{root}{steps}.orValue("")', "null")


def through_list(found: Found) -> bool:
    """Whether the way to the value may lead through a list, on which an optional step is an error."""
    return any(name.isdigit() for name in found.path[:-1])


def _in_body(argument: Argument, root: str) -> Found:
    name = quote(argument.name)
    return Found(
        default=f'get({root}, {name}, "")',
        or_null=f"get({root}, {name}, null)",
        path=tuple(argument.name.split(".")),
        in_body=True,
    )


def _in_request(argument: Argument, root: str) -> Found:
    name = argument.name.lower() if root == "headers" else argument.name
    if root == "headers" and name == "host":
        raise Untranslatable(argument.node, "webhook never sees the header Host, and finds nothing there")
    if "." in name:
        value = f"{root}[?{quote(name)}]"
        return Found(f'{value}.orValue("")', f"{value}.orValue(null)")
    return Found(f'get({root}, {quote(name)}, "")', f"get({root}, {quote(name)}, null)")


def _of_request(argument: Argument) -> Found:
    if argument.name.lower() == "method":
        return Found("", "", fixed="POST")
    raise Untranslatable(argument.node, "an event does not know the address of its sender")


def _optional(name: str) -> str:
    return f".?{name}" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name != "in" else f"[?{quote(name)}]"
