"""A function that a plugin adds to the expressions: its name, its typed signature, and plain Python to call."""

from __future__ import annotations

import inspect
import itertools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

ANY = ("string", "int", "uint", "double", "bool", "null", "list", "map", "bytes")
"""What a parameter of type `Any` takes: every kind of value there is. `bytes` is what an integer beyond 64 bits is."""

MAX_OVERLOADS = 100
"""Most combinations of types that one function may take."""

_KINDS: dict[Any, tuple[str, ...]] = {
    str: ("string",),
    bool: ("bool",),
    int: ("int", "uint"),
    float: ("double", "int", "uint"),
    list: ("list",),
    dict: ("map",),
    types.NoneType: ("null",),
    Any: ANY,
}
_RETURNS = {str: "string", bool: "bool", int: "int", float: "double", list: "list", dict: "map", Any: "any"}
_SHOWN = {"int": "int", "double": "float", "null": "None", "map": "dict", "string": "str"}


@dataclass(frozen=True, slots=True)
class CelFunction:
    """One function of expressions. Make it with `cel_function`.

    `parameters` are the kinds of values that each parameter takes, `returns` the kind that comes back (`any` where only
    a call tells), `form` how it is written and `about` a line on what it does.
    """

    name: str
    parameters: tuple[tuple[str, ...], ...]
    returns: str
    form: str
    about: str
    call: Callable[..., Any]

    def overloads(self) -> tuple[tuple[str, ...], ...]:
        """Every combination of kinds that it takes."""
        return tuple(itertools.product(*self.parameters))


def cel_function(name: str) -> Callable[[Callable[..., Any]], CelFunction]:
    """Make a function of expressions: `@cel_function("slug") def slug(text: str) -> str`.

    Every parameter and the result have a type: str, bool, int, float, list, dict, `Any`, or a parameter also one of
    them `| None`. It is plain, quick and gives the same for the same: it is called while events are matched, and again
    at every retry. Raises TypeError when the signature cannot be used.
    """

    def decorate(function: Callable[..., Any]) -> CelFunction:
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"{name}() is async: a function of expressions is a plain one")
        hints = get_type_hints(function)
        signature = inspect.signature(function)
        parameters = tuple(_parameter(name, one, hints) for one in signature.parameters.values())
        made = hints.get("return", inspect.Signature.empty)
        returns = _RETURNS.get(get_origin(made) or made)
        if returns is None:
            raise TypeError(f"{name}() needs the type of its result: str, bool, int, float, list, dict or Any")
        form = f"{name}({', '.join(signature.parameters)})"
        about = (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
        return CelFunction(name, parameters, returns, form, about, function)

    return decorate


def _parameter(name: str, parameter: inspect.Parameter, hints: dict[str, Any]) -> tuple[str, ...]:
    if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
        raise TypeError(f"{name}() has the parameter {parameter}: only plain ones, without * and **, can be used")
    if parameter.default is not parameter.empty:
        raise TypeError(f"{name}() has a default for {parameter.name}: every call names every argument")
    kinds = _kinds(hints.get(parameter.name, parameter.empty))
    if not kinds:
        raise TypeError(f"{name}() needs a type for {parameter.name}: str, bool, int, float, list, dict or Any")
    return kinds


def _kinds(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        found = [_kinds(one) for one in get_args(annotation)]
        return tuple(dict.fromkeys(kind for kinds in found for kind in kinds)) if all(found) else ()
    return _KINDS.get(get_origin(annotation) or annotation, ())


def fits(value: Any, returns: str) -> bool:
    """Whether what a function returned is of the kind that it promised."""
    wanted: dict[str, Any] = {"string": str, "bool": bool, "int": int, "double": float, "list": list, "map": dict}
    if returns == "any":
        return True
    if returns in ("int", "double") and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if returns == "double" else wanted[returns])


def shown_kind(kind: str) -> str:
    """A kind of value in Python's words."""
    return _SHOWN.get(kind, kind)
