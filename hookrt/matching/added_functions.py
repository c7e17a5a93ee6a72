"""Functions from outside as the library takes them, each so guarded that a failing one costs its own answer only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookrt.matching.handover import bearable
from hookrt.matching.results import plain
from hookrt.model.cel_function import CelFunction, fits, shown_kind

_LONGEST = 200
"""Characters of somebody else's error that are told."""


def declared(cel: Any, function: CelFunction) -> Any:
    """The library's declaration: an overload for each combination of kinds, since a dynamic parameter matches nothing
    when it runs.
    """
    kinds = types_by_kind(cel)
    returned = kinds.get(function.returns, cel.Type.DYN)
    overloads = [
        cel.Overload(
            "_".join(("added", function.name, *combination)),
            return_type=returned,
            parameters=[kinds[kind] for kind in combination],
            impl=_guarded(function),
        )
        for combination in function.overloads()
    ]
    return cel.FunctionDecl(function.name, overloads)


def types_by_kind(cel: Any) -> dict[str, Any]:
    """The library's types, without the dynamic one, by the names that functions are declared with."""
    of = cel.Type
    return {
        "string": of.STRING,
        "int": of.INT,
        "uint": of.UINT,
        "double": of.DOUBLE,
        "bool": of.BOOL,
        "null": of.NULL,
        "list": of.List(of.DYN),
        "map": of.Map(of.DYN, of.DYN),
        "bytes": of.BYTES,  # what a large integer is to the library
    }


def _guarded(function: CelFunction) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        try:
            value = function.call(*(plain(one) for one in arguments))
        except Exception as error:
            raise ValueError(f"{function.name}() failed: {_told(error)}") from None
        if not fits(value, function.returns):
            wanted = shown_kind(function.returns)
            raise ValueError(f"{function.name}() failed: it returned {type(value).__name__}, not {wanted}")
        try:
            return bearable(float(value) if function.returns == "double" else value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{function.name}() failed: what it returned {error}") from None

    return call


def _told(error: Exception) -> str:
    try:
        text = " ".join(str(error).split())[:_LONGEST]
    except Exception:  # an exception whose own text fails
        text = ""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__
