"""pydantic's errors in the words of somebody who asks over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from fastapi.routing import APIRoute

from hookrt.config.model_errors import models_in
from hookrt.config.suggest import did_you_mean
from hookrt.web.malformed import find_fault

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "it must be given",
        "string_type": "it must be text",
        "bool_type": "it must be true or false",
        "bool_parsing": "it must be true or false",
        "int_type": "it must be a whole number",
        "int_parsing": "it must be a whole number",
        "int_parsing_size": "it must be a smaller number",
        "int_from_float": "it must be a whole number",
        "float_type": "it must be a number",
        "float_parsing": "it must be a number",
        "finite_number": "it must be a number",
        "list_type": "it must be a list",
        "dict_type": "it must be a JSON object",
        "model_type": "it must be a JSON object",
        "model_attributes_type": "it must be a JSON object",
        "literal_error": "it must be {expected}",
        "enum": "it must be {expected}",
        "greater_than_equal": "it must be {ge} or more",
        "less_than_equal": "it must be {le} or less",
        "greater_than": "it must be more than {gt}",
        "less_than": "it must be less than {lt}",
        "too_short": "it must have {min_length} item or more",
        "string_too_long": "it must have {max_length} characters at most",
        "string_too_short": "it must have {min_length} characters at least",
        "value_error": "{error}",
    }
)


def describe_fault(found: Mapping[str, Any], body: Any, route: object) -> dict[str, str]:
    """What is wrong with one parameter, or with the body, of this route: `in` what, its `name`, and the `detail`."""
    if found["type"] == "json_invalid":
        fault = find_fault(str(body).encode("utf-8", "surrogatepass"))
        return {"in": "body", "name": "body", "detail": str(fault or "it is no JSON")[:300]}
    where = str(found["loc"][0])
    name = ".".join(part for part in found["loc"][1:] if isinstance(part, str)) or where
    if found["type"] == "extra_forbidden":
        hint = did_you_mean(name, _names_of(route, where))
        detail = "unknown" + (f", {hint}" if hint else "")
    else:
        words = _WORDS.get(found["type"])
        detail = str(found["msg"]) if words is None else words.format_map(found.get("ctx", {}))
    return {"in": where, "name": name[:100], "detail": detail[:300]}


def _names_of(route: object, where: str) -> Iterator[str]:
    """What the route knows there: parameters of the query, or keys of the body."""
    if not isinstance(route, APIRoute):
        return
    for field in route.dependant.body_params if where == "body" else route.dependant.query_params:
        models = list(models_in(field.field_info.annotation))
        for model in models:
            for name, info in model.model_fields.items():
                yield info.alias or name
        if not models:
            yield field.alias
