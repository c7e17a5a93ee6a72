from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hookrt.config.document import parse_document
from hookrt.config.nodes import MapNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.schema import DIALECT, build_schema
from hookrt.config.settings_tree import plain_tree
from hookrt.config.starter import starter_text
from hookrt.plugin import Action, Settings
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry


def values(text: str) -> Any:
    root = parse_document(text.encode(), "hooks.yaml", ProblemLog())
    assert isinstance(root, MapNode)
    return plain_tree(root, ProblemLog()).value


@pytest.fixture(scope="module")
def schema(registry: Registry) -> Draft202012Validator:
    found = build_schema(registry)
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


GOOD = [
    "hooks: {one: {on: A, steps: [{say: x}]}}",
    "version: 1\ndefaults:\nhooks:\nservice:\nsources:\ndestinations:\n",
    "defaults: {timeout: 15s, retry: [5s], expires: 1h30m}",
    "hooks: {one: {on: [A, B.*], from: app, when: a.b == 1, enabled: false, steps: [{say: {text: x, count: 2}}]}}",
    "hooks: {one: {on: A, steps: [{post: {to: crm, body: {a: [1]}}, id: a, when: true, retry: none, timeout: 1s}]}}",
    "hooks: {one: {on: A, retry: {fixed: {every: 1m, attempts: 3}}, steps: [{bare: }, {bare: {}}]}}",
    "hooks: {one: {on: A, retry: {exponential: {attempts: 3}}, steps: [{say: x, continue_on_error: true}]}}",
    "hooks: {one: {on: A, order: {by: hook, blocked: skip}, dedupe: {by: a.b, within: 1h}, steps: [{say: x}]}}",
    "hooks: {one: {on: A, order: {by: hook}, debounce: {by: hook, wait: 5s, max: 1m}, steps: [{say: x}]}}",
    "hooks: {one: {on: A, throttle: {by: '${{ event.id }}', every: 5s}, steps: [{say: x}]}}",
    "sources: {t: {ticker: 5s}, u: {ticker: {every: 5s}}, box: {inbox: {secret: '${{ secrets.X }}'}}}",
    "destinations: {crm: {url: 'https://a.example', rate: 5/s}, 'https://b.example': {concurrency: 3}}",
    "destinations: {crm: {url: 'https://a.example', signing_secret: [a, {secret: b, until: 2027-01-01T00:00:00Z}]}}",
    "service: {port: 80, limits: {event: 1MiB}, tokens: [{token: x, scopes: [emit]}], actions: {db: {dsn: x}}}",
]

EXPRESSIONS = [
    "hooks: {one: {on: A, steps: [{say: {text: '${{ a }}', count: '${{ a }}', level: '${{ a }}', loud: '${{ a }}'}}]}}",
    "hooks: {one: {on: A, steps: [{say: {text: x, wait: '${{ a }}', parts: '${{ a }}', either: '${{ a }}'}}]}}",
    "hooks: {one: {on: A, steps: [{say: {text: x, parts: ['${{ a }}', {name: x, size: '${{ a }}'}]}}]}}",
    "hooks: {one: {on: A, steps: [{post: {url: x, headers: '${{ a }}', signing_secret: '${{ a }}'}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {code: x, memory: '${{ a }}'}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {file: a/b.py, memory: '${{ a }}'}}]}}",
    "destinations: {crm: {url: '${{ env.X }}', rate: '${{ env.X }}', concurrency: '${{ env.X }}'}}",
    "service: {port: '${{ env.X }}', tokens: '${{ env.X }}', limits: {event: '${{ env.X }}'}}",
]

BAD = [
    "hooks: {one: {on: A, steps: [{snippet: {code: x, file: y}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {memory: 1MiB}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: null}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {file: /etc/x}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {file: a/../b}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {file: '${{ a }}'}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {file: ''}}]}}",
    "hooks: {one: {on: A, steps: [{snippet: {file: 5}}]}}",
    "hoks: {}",
    "version: 2",
    "hooks: {One: {on: A, steps: [{say: x}]}}",
    "hooks: {one: {on: A}}",
    "hooks: {one: {steps: [{say: x}]}}",
    "hooks: {one: {on: A, steps: []}}",
    "hooks: {one: {on: A, wen: x, steps: [{say: x}]}}",
    "hooks: {one: {on: A, mode: x, steps: [{say: x}]}}",
    "hooks: {one: {on: A, enabled: yes, steps: [{say: x}]}}",
    "hooks: {one: {on: A, order: {blocked: skip}, steps: [{say: x}]}}",
    "hooks: {one: {on: A, order: {by: hook, blocked: maybe}, steps: [{say: x}]}}",
    "hooks: {one: {on: A, dedupe: {by: hook}, steps: [{say: x}]}}",
    "hooks: {one: {on: A, debounce: {by: hook, wait: 5}, steps: [{say: x}]}}",
    "hooks: {one: {on: A, throttle: {by: hook, every: 5s, per: x}, steps: [{say: x}]}}",
    "hooks: {one: {on: A, timeout: 15, steps: [{say: x}]}}",
    "hooks: {one: {on: A, timeout: '12:30', steps: [{say: x}]}}",
    "hooks: {one: {on: A, retry: sometimes, steps: [{say: x}]}}",
    "hooks: {one: {on: A, retry: {fixed: {every: 1m}}, steps: [{say: x}]}}",
    "hooks: {one: {on: A, steps: [{sya: x}]}}",
    "hooks: {one: {on: A, steps: [{say: x, bare: {}}]}}",
    "hooks: {one: {on: A, steps: [{when: x}]}}",
    "hooks: {one: {on: A, steps: [{say: x, id: Upper}]}}",
    "hooks: {one: {on: A, steps: [{say: 5}]}}",
    "hooks: {one: {on: A, steps: [{say: {txt: x, text: y}}]}}",
    "hooks: {one: {on: A, steps: [{say: {text: x, count: a}}]}}",
    "hooks: {one: {on: A, steps: [{say: {text: x, level: warn}}]}}",
    "hooks: {one: {on: A, steps: [{say: {text: x, parts: [{nme: a}]}}]}}",
    "hooks: {one: {on: A, steps: [{bare: text}]}}",
    "sources: {t: {tiker: 5s}}",
    "sources: {t: {ticker: 5s, inbox: {}}}",
    "destinations: {crm: {ulr: x}}",
    "destinations: {'not a name': {url: x}}",
    "destinations: {crm: {url: x, rate: 5}}",
    "service: {prot: 1}",
    "service: {actions: {db: {dns: x}}}",
    "service: {tokens: [{token: x, scopes: [emt]}]}",
]


@pytest.mark.parametrize("text", [*GOOD, *EXPRESSIONS])
def test_the_schema_accepts_what_is_right(schema: Draft202012Validator, text: str) -> None:
    assert list(schema.iter_errors(values(text))) == []


@pytest.mark.parametrize("text", BAD)
def test_the_schema_rejects_typos(schema: Draft202012Validator, text: str) -> None:
    assert list(schema.iter_errors(values(text)))


def test_a_static_field_takes_no_expression_form(schema: Draft202012Validator) -> None:
    snippet = schema.schema["$defs"]["step"]["properties"]["snippet"]
    [settings] = [form for form in snippet["anyOf"] if form.get("type") == "object"]
    assert settings["properties"]["code"] == {"title": "Code", "type": "string"}
    assert {"$ref": "#/$defs/expression"} in settings["properties"]["memory"]["anyOf"]


def test_every_reference_leads_somewhere(schema: Draft202012Validator) -> None:
    defined = {f"#/$defs/{name}" for name in schema.schema["$defs"]}
    assert schema.schema["$schema"] == DIALECT
    assert set(references(schema.schema)) <= defined


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


class DocumentedSettings(Settings):
    """What to do."""

    amount: int = 1
    """How much
    of it."""


class Documented(Action[DocumentedSettings]):
    """Does it.

    In a way that is described at length.
    """

    name = "documented"
    short = "amount"


def test_hover_texts_come_from_docstrings_and_descriptions() -> None:
    found = build_schema(Registry(actions={"documented": Documented}))
    step = found["$defs"]["step"]["properties"]
    assert step["documented"]["description"] == "Does it."
    [settings] = [form for form in step["documented"]["anyOf"] if form.get("type") == "object"]
    assert settings["properties"]["amount"]["description"] == "How much of it."
    assert found["$defs"]["hook"]["properties"]["on"]["description"]
    assert found["properties"]["service"]["properties"]["port"]["description"]


def test_an_ambiguous_action_is_offered_with_its_distribution() -> None:
    registry = Registry(actions={"a:documented": Documented, "b:documented": Documented, "c:other": Documented})
    registry.ambiguous["documented"] = ("a", "b")
    assert {"a:documented", "b:documented"} <= set(build_schema(registry)["$defs"]["step"]["properties"])
    assert "c:other" not in build_schema(registry)["$defs"]["step"]["properties"]


def test_without_plugins_there_is_still_a_schema() -> None:
    Draft202012Validator.check_schema(build_schema(Registry()))


def test_with_the_built_in_actions_it_accepts_the_example_and_the_starter() -> None:
    schema = Draft202012Validator(build_schema(load_plugins()))
    example = Path(__file__).parents[3] / "hooks.yaml"
    for text in (example.read_text(), starter_text()):
        assert list(schema.iter_errors(values(text))) == []


def test_a_default_is_shown_as_it_is_written(schema: Draft202012Validator) -> None:
    def parts(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            yield node
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from parts(inner)

    shown = [part for part in parts(schema.schema) if isinstance(part.get("default"), str) and "pattern" in part]
    assert shown
    for part in shown:
        Draft202012Validator(part).validate(part["default"])
