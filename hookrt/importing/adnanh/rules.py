"""The rules of adnanh/webhook: `and`, `or`, `not`, `match`; of several in one mapping the first counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from hookrt.config.nodes import Node, TextNode
from hookrt.importing.adnanh.texts import Keys, flag_of, items_of, text_of, variable_in
from hookrt.importing.notes import Untranslatable

ALGORITHMS = {
    "payload-hmac-sha1": "sha1",
    "payload-hmac-sha256": "sha256",
    "payload-hmac-sha512": "sha512",
    "payload-hash-sha1": "sha1",
    "payload-hash-sha256": "sha256",
    "payload-hash-sha512": "sha512",
}
"""The kinds of `match` that verify a signature, by the hash that they use."""

_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Argument:
    """A value of the request: `source` is in lower case, `name` says which; `envname` what its variable is called."""

    source: str
    name: str
    node: Node
    envname: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One comparison of a value of the request. `secret` is the node that it stands in."""

    kind: str
    node: Node
    parameter: Argument | None = None
    value: str = ""
    value_node: TextNode | None = field(default=None, repr=False)
    regex: str = ""
    secret: TextNode | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of them; one that misses its value, or fails, ends it as false and as missing."""

    items: tuple[Rule, ...]
    node: Node


@dataclass(frozen=True, slots=True)
class Or:
    """One of them at least; those that miss their values are passed over."""

    items: tuple[Rule, ...]
    node: Node


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite, and as missing as what it is of."""

    item: Rule
    node: Node


@dataclass(frozen=True, slots=True)
class Never:
    """An empty rule: it is never true, and misses nothing."""

    node: Node


Rule = And | Or | Not | Match | Never


def read_rule(node: Node, depth: int = 0) -> Rule:
    """The rule of a mapping; raises Untranslatable for what webhook could not read either."""
    keys = Keys.of(node, "a rule")
    if depth > _MAX_DEPTH:
        raise Untranslatable(node, f"rules are nested more than {_MAX_DEPTH} levels deep")
    for name, kind in (("and", And), ("or", Or)):
        if (inner := keys.get(name)) is not None:
            return kind(tuple(read_rule(item, depth + 1) for item in items_of(inner)), node)
    if (inner := keys.get("not")) is not None:
        return Not(read_rule(inner, depth + 1), node)
    if (inner := keys.get("match")) is not None:
        return _read_match(inner)
    return Never(node)


def read_argument(node: Node) -> Argument:
    """One entry of `pass-arguments-to-command` and its like, or the parameter of a `match`."""
    keys = Keys.of(node, "a reference to a value of the request")
    if flag_of(keys.get("base64decode")):
        raise Untranslatable(node, "`base64decode` has nothing like it here")
    source = keys.text("source").lower()
    return Argument("url" if source == "query" else source, keys.text("name"), node, keys.text("envname"))


def _read_match(node: Node) -> Match:
    keys = Keys.of(node, "`match`")
    parameter = keys.get("parameter")
    value, secret = keys.get("value"), keys.get("secret")
    return Match(
        kind=keys.text("type"),
        node=node,
        parameter=read_argument(parameter) if parameter is not None else None,
        value=_plain(value),
        value_node=value if isinstance(value, TextNode) else None,
        regex=keys.text("regex"),
        secret=secret if isinstance(secret, TextNode) else None,
    )


def _plain(node: Node | None) -> str:
    """The value to compare with; a variable of a template is looked at where the value is used."""
    if isinstance(node, TextNode) and variable_in(node) is not None:
        return node.text
    return "" if node is None else text_of(node)
