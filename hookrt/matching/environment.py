"""The CEL library, set up once for each kind of expression; imported when the first expression is compiled."""

from __future__ import annotations

import functools
from typing import Any

from hookrt.matching.added_functions import declared, types_by_kind
from hookrt.matching.names import Names
from hookrt.matching.paths import Miss, follow_dotted
from hookrt.model.cel_function import CelFunction


def environment_for(names: Names) -> Any:
    """The library's environment for these Names, shared by all expressions that see the same root names."""
    return _environment(names.with_steps, names.secrets, names.request, names.functions)


@functools.cache
def _environment(with_steps: bool, secrets: bool, request: bool, functions: tuple[CelFunction, ...]) -> Any:
    from cel_expr_python import cel  # noqa: PLC0415 - 50 MB that only expressions need
    from cel_expr_python.ext import ext_optional, ext_strings  # noqa: PLC0415

    of = cel.Type
    variables = {
        "event": of.Map(of.STRING, of.DYN),
        "env": of.Map(of.STRING, of.STRING),
        "hook": of.STRING,
    }
    if with_steps:
        variables["steps"] = of.Map(of.STRING, of.Map(of.STRING, of.DYN))
    if secrets:
        variables["secrets"] = of.Map(of.STRING, of.STRING)
    if request:
        text = of.Map(of.STRING, of.STRING)
        variables = {"event": variables["event"], "body": of.DYN, "headers": text, "query": text}
    return cel.NewEnv(
        variables=variables,
        extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings()],
        functions=[cel.FunctionDecl("get", _get_overloads(cel)), *(declared(cel, one) for one in functions)],
    )


def _get_overloads(cel: Any) -> list[Any]:
    """`get` for each pair of types: a parameter declared dynamic compiles, but matches nothing when it runs."""
    types = types_by_kind(cel)
    return [
        cel.Overload(
            f"get_{object_name}_{default_name}",
            return_type=cel.Type.DYN,
            parameters=[types[object_name], cel.Type.STRING, default_type],
            impl=_get,
        )
        for object_name in ("map", "list", "null")
        for default_name, default_type in types.items()
    ]


def _get(found: Any, dotted: str, default: Any) -> Any:
    """`get(object, "dotted.path", default)`: the default for what is missing or null anywhere on the way."""
    value = follow_dotted(found, dotted)
    return default if value is None or isinstance(value, Miss) else value
