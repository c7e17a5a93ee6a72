"""The part of a rule that proves who sends, as the settings of a source; whatever remains is a condition."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hookrt.config.nodes import Node, TextNode
from hookrt.importing.adnanh.conditions import matches_of, refuse_others
from hookrt.importing.adnanh.rules import ALGORITHMS, And, Match, Or, Rule
from hookrt.importing.adnanh.texts import text_of, variable_in
from hookrt.importing.notes import Untranslatable
from hookrt.plugin.protocols import HEADER_NAME

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_SECRETS = {"token", "secret", "apikey", "password", "passwd", "passphrase", "signature", "credential", "credentials"}
_SECRETS_IN_HEADERS = _SECRETS | {"key", "auth", "authorization", "pass"}
_LONGEST_HEADER = 100
"""Characters of a header's name that a source takes."""
_PREFIXED = ("x-hub-signature", "x-hub-signature-256")
_PLACES = {"url": "the query, which ends up in logs", "payload": "the body"}
_OPEN = (
    "anybody may call it: every source here verifies its senders. Have the sender sign (source `hmac`) or show a token "
    "in a header (source `token`), and write the source and the hook by hand"
)


@dataclass(frozen=True, slots=True)
class Proof:
    """A secret as it stood in the file: its text, or the variable that it comes from."""

    node: TextNode
    value: str = field(repr=False)
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Verifier:
    """A source's plugin and settings but for the secrets; `prefix_guessed` of a header that no known sender has."""

    plugin: str
    settings: Mapping[str, str]
    secrets: tuple[Proof, ...]
    prefix_guessed: bool = False

    def is_like(self, other: Verifier) -> bool:
        """Whether only the secrets tell the two apart."""
        return (self.plugin, self.settings) == (other.plugin, other.settings)


def conjuncts(rule: Rule) -> list[Rule]:
    """What has to hold, all of it, without a value missing in it."""
    return [part for item in rule.items for part in conjuncts(item)] if isinstance(rule, And) else [rule]


def find_verifier(rule: Rule | None, node: Node, *, soft: bool) -> tuple[Verifier, list[Rule]]:
    """What verifies the sender, and the rest of the rule; raises Untranslatable for a hook that is open to anybody.

    `soft` says that a signature that fails inside of `or` is passed over.
    """
    if rule is None:
        raise Untranslatable(node, f"it has no rule, so that {_OPEN}")
    parts = [one for part in conjuncts(rule) for one in _factored(part, soft=soft)]
    found = [(part, verifier) for part in parts if (verifier := _verifier(part, soft=soft)) is not None]
    if not found:
        _explain_open(parts, node)
    if len(found) > 1:
        second = found[1][0]
        raise Untranslatable(second.node, "a source verifies one thing, and the rule has two: a second secret as well")
    chosen, verifier = found[0]
    return verifier, [part for part in parts if part is not chosen]


def _factored(rule: Rule, *, soft: bool) -> list[Rule]:
    """An `or` whose branches all begin with the same proof as that proof, and an `or` of what remains of them."""
    branches = [conjuncts(item) for item in rule.items] if isinstance(rule, Or) else []
    proofs = [next((part for part in branch if _verifier(part, soft=soft)), None) for branch in branches]
    if len(branches) < 2 or proofs[0] is None or all(len(branch) == 1 for branch in branches):
        return [rule]
    first = _verifier(proofs[0], soft=soft)
    if any(proof is None or not _same(first, _verifier(proof, soft=soft)) for proof in proofs):
        return [rule]
    found = zip(branches, proofs, strict=True)
    rest = [And(tuple(part for part in branch if part is not proof), rule.node) for branch, proof in found]
    return [proofs[0], Or(tuple(rest), rule.node)]


def _same(one: Verifier | None, other: Verifier | None) -> bool:
    if one is None or other is None or not one.is_like(other):
        return False
    return [proof.node.text for proof in one.secrets] == [proof.node.text for proof in other.secrets]


def _explain_open(parts: Sequence[Rule], node: Node) -> None:
    """Say why nothing of the rule verifies the sender."""
    for match in (match for part in parts for match in matches_of(part)):
        refuse_others(match)
        where = _PLACES.get(match.parameter.source) if match.parameter is not None else None
        if where is not None and _is_secret(match):
            why = f"no source takes a token in {where}: have the sender show it in a header, for a source `token`"
            raise Untranslatable(match.node, why)
    raise Untranslatable(node, f"no part of its rule verifies the sender, so that {_OPEN}")


def _verifier(rule: Rule, *, soft: bool) -> Verifier | None:
    if isinstance(rule, Match):
        return _signature(rule) if rule.kind in ALGORITHMS else _shown(rule)
    if not isinstance(rule, Or) or not rule.items or not all(isinstance(item, Match) for item in rule.items):
        return None
    several = [_verifier(item, soft=soft) for item in rule.items]
    first = several[0]
    if first is None or any(one is None or not one.is_like(first) for one in several):
        return None
    if first.plugin == "hmac" and len(several) > 1 and not soft:
        why = "of several signatures in `or` only the first ever counts without `trigger-signature-soft-failures`"
        raise Untranslatable(rule.node, why)
    secrets = tuple(secret for one in several if one is not None for secret in one.secrets)
    return Verifier(first.plugin, first.settings, secrets, first.prefix_guessed)


def _signature(match: Match) -> Verifier:
    parameter = match.parameter
    if parameter is None or parameter.source != "header" or not _is_header(parameter.name):
        raise Untranslatable(match.node, "a source reads the signature from a header only")
    if match.secret is None or not match.secret.text:
        raise Untranslatable(match.node, "the signature has no secret: webhook answers 500 to every request")
    algorithm = ALGORITHMS[match.kind]
    settings = {"header": parameter.name, "algorithm": algorithm}
    known = parameter.name.lower() in _PREFIXED
    if known:
        settings["prefix"] = f"{algorithm}="
    if algorithm == "sha256":
        del settings["algorithm"]  # what `hmac` takes by itself
    return Verifier("hmac", settings, (_proof(match.secret),), not known)


def _shown(match: Match) -> Verifier | None:
    """A token or password that a header shows, where this is one."""
    parameter, node = match.parameter, match.value_node
    if not _is_secret(match) or parameter is None or parameter.source != "header" or node is None or not match.value:
        return None
    if not _is_header(parameter.name):
        raise Untranslatable(match.node, f"{parameter.name!r} is no name of a header")
    proof = _proof(node)
    if parameter.name.lower() == "authorization":
        return _authorized(match, proof)
    return Verifier("token", {"header": parameter.name}, (proof,))


def _authorized(match: Match, proof: Proof) -> Verifier:
    scheme, _, rest = proof.value.partition(" ")
    if scheme == "Bearer" and rest and rest == rest.strip():
        return Verifier("token", {}, (Proof(proof.node, rest),))
    user, colon, password = _decoded(rest).partition(":") if scheme == "Basic" else ("", "", "")
    if user and colon and password:
        return Verifier("basic", {"username": user}, (Proof(proof.node, password),))
    why = "Authorization is known here as `Bearer TOKEN` or `Basic USER:PASSWORD` only: show another in its own header"
    raise Untranslatable(match.node, why)


def _decoded(text: str) -> str:
    try:
        found = base64.b64decode(text, validate=True).decode()
    except (ValueError, binascii.Error):
        return ""
    return found if found.isprintable() else ""


def _is_secret(match: Match) -> bool:
    """Whether a comparison is with what its name calls a secret."""
    if match.kind != "value" or match.parameter is None or match.parameter.source not in ("header", "url", "payload"):
        return False
    words = {word.lower() for word in _WORD.findall(match.parameter.name)}
    known = _SECRETS_IN_HEADERS if match.parameter.source == "header" else _SECRETS
    return bool(words & known) or {"api", "key"} <= words


def _is_header(name: str) -> bool:
    return len(name) <= _LONGEST_HEADER and HEADER_NAME.fullmatch(name) is not None


def _proof(node: TextNode) -> Proof:
    variable = variable_in(node)
    return Proof(node, "" if variable else text_of(node), variable)


def refuse_secret_conditions(rest: Sequence[Match]) -> None:
    """Raise Untranslatable for a comparison with what looks like a secret, since conditions stand in plain sight."""
    for match in rest:
        if _is_secret(match):
            why = "it compares with what looks like a secret, and no secret can stand in a condition"
            raise Untranslatable(match.node, why)
