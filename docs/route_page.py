"""The reference of the HTTP routes, made from the service's own OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from hookrt.cli.reference_view import table_of
from hookrt.plugin.reference import Key, type_in_words
from hookrt.testing import RecordedLog
from hookrt.web.api.app import build_api
from hookrt.web.app import OPEN_PATHS, needed_scope
from hookrt.web.faults import Faults
from hookrt.web.options import WebOptions
from hookrt.web.service import Service

Schema = Mapping[str, Any]

_JSON = "application/json"
_BESIDE = """
## POST /in/{source}

What a declared [source](../../sources.md) takes: the request of its sender, verified by its signature. No token.

The answer is as that sender wants it, usually `202` or `200` after the event is on disk, `401` for a wrong signature.
"""


def routes_page() -> Iterator[str]:
    """Each route: what it does, who may ask, what it takes and what it answers."""
    log = RecordedLog()
    described = build_api(cast("Service", None), WebOptions(log), Faults(log, str)).openapi()
    yield "# HTTP routes"
    yield ""
    yield described["info"]["description"]
    yield "A running service describes them in full, with every field of every answer, in OpenAPI at `/openapi.json`."
    yield "[Operations](../../operations.md) says who may ask: each route below names the scope that a token needs."
    for path, methods in sorted(described["paths"].items(), key=lambda one: (not one[0].startswith("/v1"), one[0])):
        for method, route in methods.items():
            yield from _route(method.upper(), path, route, described["components"]["schemas"])
    yield _BESIDE


def _route(method: str, path: str, route: Schema, schemas: Schema) -> Iterator[str]:
    yield from ("", f"## {method} {path}", "")
    summary, about = route.get("summary", "").rstrip("."), route.get("description", "")
    yield f"{summary}. {about}".strip(". ") + "."
    yield ""
    yield _scope(method, path, route)
    yield from _keys_of("parameter", [_parameter(one, schemas) for one in route.get("parameters", [])])
    yield from _body(route.get("requestBody", {}).get("content", {}), schemas)
    yield ""
    answers = sorted(route.get("responses", {}).items())
    yield "Answers: " + "; ".join(f"{_code(code)} {_meaning(answer)}" for code, answer in answers) + "."


def _scope(method: str, path: str, route: Schema) -> str:
    if path in OPEN_PATHS:
        return "It needs no token."
    needed = needed_scope(method, path)
    if "dry run" in route.get("responses", {}).get("200", {}).get("description", "").lower():
        return f"Scope: `admin`; for a dry run `{needed}`."
    return f"Scope: `{needed}`."


def _code(code: str) -> str:
    return "else" if code == "default" else f"`{code}`"


def _meaning(answer: Schema) -> str:
    text = answer["description"]
    return "done" if text == "Successful Response" else text[:1].lower() + text[1:]


def _parameter(one: Schema, schemas: Schema) -> Key:
    kind = f"{type_in_words(one['schema'], schemas)}, in the {one['in']}"
    about = one.get("description") or one["schema"].get("description") or ""
    return Key(one["name"], kind, one.get("required", False), _default(one["schema"]), about)


def _body(content: Schema, schemas: Schema) -> Iterator[str]:
    """The fields of a JSON body; of other kinds of content what they are."""
    found = content.get(_JSON, {}).get("schema", {})
    found = next(iter(found.get("anyOf", [found])))
    found = schemas.get(found.get("$ref", "").rpartition("/")[2], found)
    needed = found.get("required", ())
    fields = found.get("properties", {}).items()
    keys = [
        Key(name, type_in_words(one, schemas), name in needed, _default(one), one.get("description", ""))
        for name, one in fields
    ]
    yield from _keys_of("field of the body", keys)
    others = {kind: one["schema"].get("description", "") for kind, one in content.items() if kind != _JSON}
    if others:
        yield from ("", "It also takes " + "; ".join(f"`{kind}` {text}".strip() for kind, text in others.items()) + ".")


def _default(schema: Schema) -> str:
    value = schema.get("default")
    return "" if value in (None, [], {}) else str(value).lower() if isinstance(value, bool) else str(value)


def _keys_of(title: str, keys: list[Key]) -> Iterator[str]:
    if keys:
        yield ""
        yield from table_of(keys, title)
