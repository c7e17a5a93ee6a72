"""Rules made at random, each with some bodies: adnanh/webhook itself says which of them fire."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from hookrt.config.document import parse_document
from hookrt.config.problem_log import ProblemLog
from hookrt.errors import ExpressionError
from hookrt.importing.adnanh.conditions import Conditions
from hookrt.importing.adnanh.rules import read_rule
from hookrt.matching.condition import CelCondition, compile_condition
from hookrt.matching.names import Names
from hookrt.model.event import Event
from hookrt.model.hook import Scope

PATHS = ("a", "b", "a.b", "a.c", "l.0")
VALUES = ("x", "y", "1", "true", "")
PATTERNS = ("x", "^$", "[xy1]", ".*", "^tr", "(?i)X", "\\d", "^\\S+$")
TRIGGERED = "the command runs"
BODIES_EACH = 12


def make_rule(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    kind = chance.choice(["match"] * (2 + depth) + ["and", "or", "not", "not", "empty"])
    if kind == "empty":
        return {}
    if kind == "not":
        return {"not": make_rule(chance, depth + 1)}
    if kind != "match":
        return {kind: [make_rule(chance, depth + 1) for _ in range(chance.randrange(4))]}
    found: dict[str, Any] = {"parameter": {"source": "payload", "name": chance.choice(PATHS)}}
    if chance.random() < 0.5:
        return {"match": {**found, "type": "value", "value": chance.choice(VALUES)}}
    return {"match": {**found, "type": "regex", "regex": chance.choice(PATTERNS)}}


def make_body(chance: random.Random) -> dict[str, Any]:
    """Without what the notes are about: nulls, and lists and objects that a rule compares with a text."""
    leaves = ["x", "y", "1", "true", "", 1, True, False, "X", "xyz"]
    whole = {
        "a": chance.choice([chance.choice(leaves), {"b": chance.choice(leaves)}, {"c": chance.choice(leaves)}]),
        "b": chance.choice(leaves),
        "l": chance.choice([[], ["x"], [chance.choice(leaves), "y"], "x"]),
    }
    return {key: value for key, value in whole.items() if chance.random() < 0.7}


def compiled(rule: dict[str, Any]) -> CelCondition:
    node = parse_document(json.dumps(rule).encode(), "hooks.json", ProblemLog())
    assert node is not None
    return compile_condition(Conditions("event.data").truth(read_rule(node)).text, Names())


def fires(condition: CelCondition, body: bytes) -> bool:
    event = Event(id="1", type="t", source="s", time=datetime.now(UTC), content=body)
    try:
        return condition.holds(Scope(event=event, hook="h"))
    except ExpressionError:
        return False


def has_text(rule: dict[str, Any], body: dict[str, Any]) -> bool:
    """Whether each value that the rule looks at has a text here."""
    return not (isinstance(body.get("a"), dict) and '"name": "a"' in json.dumps(rule)) and (
        not (isinstance(body.get("l"), list) and '"name": "l"' in json.dumps(rule))
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_rule_fires_for_the_bodies_that_it_fires_for_in_webhook(webhook: Any, seed: int) -> None:
    chance = random.Random(seed)
    rules = [make_rule(chance) for _ in range(60)]
    hooks = [
        {"id": str(number), "execute-command": "/bin/true", "response-message": TRIGGERED, "trigger-rule": rule}
        for number, rule in enumerate(rules)
    ]
    client: httpx.Client = webhook(hooks)[0]
    unlike, fired = [], 0
    for number, rule in enumerate(rules):
        condition = compiled(rule)
        for body in [made for made in (make_body(chance) for _ in range(BODIES_EACH)) if has_text(rule, made)]:
            sent = json.dumps(body).encode()
            answer = client.post(f"/hooks/{number}", content=sent, headers={"content-type": "application/json"})
            theirs = answer.text == TRIGGERED
            fired += theirs
            if theirs != fires(condition, sent):
                unlike.append((rule, body, theirs, condition.text))
    assert unlike == []
    assert fired > 50
