"""What of a rule of adnanh/webhook proves the sender, and what of it no source of ours can stand for."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hookrt.config.document import parse_document
from hookrt.config.nodes import Node
from hookrt.config.problem_log import ProblemLog
from hookrt.importing.adnanh.conditions import Conditions
from hookrt.importing.adnanh.rules import And, read_rule
from hookrt.importing.adnanh.verifying import Verifier, find_verifier
from hookrt.importing.notes import Untranslatable


def value(source: str, name: str, text: str) -> dict[str, Any]:
    return {"match": {"type": "value", "value": text, "parameter": {"source": source, "name": name}}}


def signed(kind: str, name: str, secret: str = "s1", source: str = "header") -> dict[str, Any]:
    return {"match": {"type": kind, "secret": secret, "parameter": {"source": source, "name": name}}}


TOKEN, REF, A = value("header", "X-Gitlab-Token", "t1"), value("payload", "ref", "main"), value("payload", "a", "x")
SIGNED = signed("payload-hmac-sha256", "X-Hub-Signature-256")


def find(rule: Any, *, soft: bool = False) -> tuple[Verifier, str]:
    """What verifies, and the condition that remains."""
    node: Node | None = parse_document(json.dumps(rule).encode(), "hooks.json", ProblemLog())
    assert node is not None
    verifier, rest = find_verifier(read_rule(node), node, soft=soft)
    return verifier, Conditions("event.data").truth(And(tuple(rest), node)).text


@pytest.mark.parametrize(
    ("rule", "plugin", "settings"),
    [
        (SIGNED, "hmac", {"header": "X-Hub-Signature-256", "prefix": "sha256="}),
        (
            signed("payload-hmac-sha1", "X-Hub-Signature"),
            "hmac",
            {"header": "X-Hub-Signature", "algorithm": "sha1", "prefix": "sha1="},
        ),
        (signed("payload-hash-sha512", "X-S"), "hmac", {"header": "X-S", "algorithm": "sha512"}),
        (TOKEN, "token", {"header": "X-Gitlab-Token"}),
        (value("header", "X-API-Key", "k"), "token", {"header": "X-API-Key"}),
        (value("header", "authorization", "Bearer t"), "token", {}),
        (value("header", "Authorization", "Basic " + base64.b64encode(b"me:pw").decode()), "basic", {"username": "me"}),
    ],
)
def test_a_proof_becomes_a_source(rule: Any, plugin: str, settings: dict[str, str]) -> None:
    verifier, rest = find(rule)
    assert (verifier.plugin, verifier.settings, rest) == (plugin, settings, "true")


def test_what_else_has_to_hold_remains() -> None:
    expected = 'get(event.data, "ref", "") == "main" && get(event.data, "a", "") == "x"'
    assert find({"and": [REF, {"and": [SIGNED, A]}]})[1] == expected


def test_the_secrets_of_an_or_are_those_of_a_rotation() -> None:
    verifier, _ = find({"or": [TOKEN, value("header", "X-Gitlab-Token", "t2")]})
    assert [proof.value for proof in verifier.secrets] == ["t1", "t2"]
    rule = {"or": [SIGNED, signed("payload-hmac-sha256", "X-Hub-Signature-256", "s2")]}
    assert [proof.value for proof in find(rule, soft=True)[0].secrets] == ["s1", "s2"]
    with pytest.raises(Untranslatable, match="soft-failures"):
        find(rule)


def test_a_proof_that_every_branch_of_an_or_has_is_taken_out() -> None:
    verifier, rest = find({"or": [{"and": [SIGNED, REF]}, {"and": [SIGNED, A]}]})
    assert verifier.plugin == "hmac"
    assert rest == 'get(event.data, "ref", "") == "main" || get(event.data, "a", "") == "x"'
    assert find({"or": [SIGNED, {"and": [SIGNED, A]}]})[1] == "true"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (REF, "anybody may call it"),
        (value("header", "X-GitHub-Event", "push"), "anybody may call it"),
        ({}, "anybody may call it"),
        ({"or": [TOKEN, REF]}, "anybody may call it"),
        ({"not": TOKEN}, "anybody may call it"),
        (value("url", "token", "t"), "the query"),
        (value("payload", "token", "t"), "the body"),
        ({"or": [SIGNED, TOKEN]}, "at the top of the rule"),
        ({"or": [{"and": [SIGNED, REF]}, {"and": [TOKEN, A]}]}, "at the top of the rule"),
        (
            {"or": [{"and": [SIGNED, REF]}, {"and": [signed("payload-hmac-sha256", "X-Hub-Signature-256", "s2"), A]}]},
            "at the top of the rule",
        ),
        ({"and": [SIGNED, TOKEN]}, "has two"),
        (signed("payload-hmac-sha256", "sig", source="url"), "from a header only"),
        (signed("payload-hmac-sha256", "X-S", ""), "no secret"),
        (value("header", "Authorization", "just-a-token"), "its own header"),
        ({"match": {"type": "ip-whitelist", "ip-range": "10.0.0.0/8"}}, "address"),
    ],
)
def test_what_would_let_more_people_in_is_not_translated(rule: Any, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        find(rule)


def test_names_that_only_sound_like_secrets_are_conditions() -> None:
    for name in ("author", "assignee", "issue.key", "keyword"):
        assert name in find({"and": [SIGNED, value("payload", name, "x")]})[1]
