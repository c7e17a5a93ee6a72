"""Rules of adnanh/webhook as conditions in CEL, with that program's way to deal with missing values.

A rule there is true or false, and besides it may miss its value. `and` ends as false with the first that misses one,
`or` passes over those, and `not` turns only the truth around: so that the opposite of a missing value is true, but not
inside of `and`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hookrt.clock import from_us
from hookrt.errors import ExpressionError
from hookrt.importing.adnanh.algebra import FALSE, TRUE, Condition, all_of, among, any_of, atom, equal, negate, quote
from hookrt.importing.adnanh.rules import ALGORITHMS, And, Match, Never, Not, Or, Rule
from hookrt.importing.adnanh.texts import variable_in
from hookrt.importing.adnanh.values import Found, find, guards
from hookrt.importing.notes import Untranslatable
from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.model.event import Event
from hookrt.model.hook import Scope

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{0,14}[1-9])?")
_NONE = Event(id="none", type="none", source="none", time=from_us(0))


@dataclass(frozen=True, slots=True)
class Conditions:
    """Writes conditions in which the body is at `root`: `event.data` in a hook, `body` in a source."""

    root: str

    def truth(self, rule: Rule) -> Condition:
        """Whether the rule is true, be a value missing or not."""
        if isinstance(rule, And):
            return all_of(self.certain(item) for item in rule.items)
        if isinstance(rule, Or):
            return any_of(self.truth(item) for item in rule.items)
        if isinstance(rule, Not):
            return all_of([negate(self.truth(rule.item)), *self._guards(rule.item)])
        return FALSE if isinstance(rule, Never) else self._compare(rule)

    def certain(self, rule: Rule) -> Condition:
        """Whether the rule is true and misses nothing."""
        if isinstance(rule, Not):
            return all_of([negate(self.missing(rule.item)), negate(self.truth(rule.item))])
        return self.truth(rule)

    def missing(self, rule: Rule) -> Condition:
        """Whether the rule misses a value."""
        if isinstance(rule, Match):
            return find(rule.parameter, self.root).missing
        if isinstance(rule, Not):
            return self.missing(rule.item)
        if isinstance(rule, And):
            before = [all_of(self.certain(item) for item in rule.items[:n]) for n in range(len(rule.items))]
            found = zip(before, rule.items, strict=True)
            return any_of(all_of([earlier, self.missing(item)]) for earlier, item in found)
        return FALSE

    def _guards(self, rule: Rule) -> Iterator[Condition]:
        for match in matches_of(rule):
            yield guards(find(match.parameter, self.root), self.root)

    def _compare(self, match: Match) -> Condition:
        refuse_others(match)
        found = find(match.parameter, self.root)
        return _equal(match, found) if match.kind == "value" else _like(match, found)


def matches_of(rule: Rule) -> Iterator[Match]:
    """Every comparison in a rule, in order."""
    if isinstance(rule, Match):
        yield rule
    elif isinstance(rule, Not):
        yield from matches_of(rule.item)
    elif isinstance(rule, And | Or):
        for item in rule.items:
            yield from matches_of(item)


def denied_in(rule: Rule) -> Iterator[Match]:
    """Every comparison in a `not` of the rule."""
    if isinstance(rule, Not):
        yield from matches_of(rule.item)
    elif isinstance(rule, And | Or):
        for item in rule.items:
            yield from denied_in(item)


def refuse_others(match: Match) -> None:
    """Raise Untranslatable for a comparison that no condition can make."""
    if match.kind in ALGORITHMS:
        why = "a signature must be verified at the top of the rule, or in an `and` there, not inside `or` or `not`"
        raise Untranslatable(match.node, why)
    if match.kind == "ip-whitelist":
        why = "a source does not look at the sender's address; let a proxy in front of hookrt or a firewall do it"
        raise Untranslatable(match.node, why)
    if match.kind == "scalr-signature":
        raise Untranslatable(match.node, "no source verifies the signature of Scalr, which signs the body and `Date`")
    if match.kind not in ("value", "regex"):
        raise Untranslatable(match.node, f"webhook knows no match of the type {match.kind!r}: it never holds")


def _equal(match: Match, found: Found) -> Condition:
    value = match.value
    if match.value_node is not None and variable_in(match.value_node) is not None:
        raise Untranslatable(match.node, "the value comes from a variable: only a token in a header can do so here")
    if found.fixed is not None:
        return TRUE if found.fixed == value else FALSE
    if value == "<nil>":
        raise Untranslatable(match.node, "<nil> is what webhook makes of null, and null counts as missing here")
    if found.in_body and (value in ("true", "false") or _NUMBER.fullmatch(value)):
        return among(found.default, f"[{quote(value)}, {value}]")
    return equal(found.default if value else found.or_null, quote(value))


def _like(match: Match, found: Found) -> Condition:
    pattern = quote(match.regex)
    empty = _matches_text("", pattern, match)
    if found.fixed is not None:
        return TRUE if _matches_text(found.fixed, pattern, match) else FALSE
    text = f"string({found.default})" if found.in_body else found.default
    like = atom(f"{text}.matches({pattern})")
    return all_of([negate(found.missing), like]) if empty else like


def _matches_text(text: str, pattern: str, match: Match) -> bool:
    """Whether a pattern is found in a text, as the library itself sees it."""
    try:
        compiled = compile_condition(f"string({quote(text)}).matches({pattern})", Names())
        return compiled.holds(Scope(event=_NONE, hook=""))
    except ExpressionError as error:
        raise Untranslatable(match.node, f"the pattern cannot be used: {error.message}") from None
