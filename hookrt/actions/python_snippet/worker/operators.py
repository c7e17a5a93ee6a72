"""The `operator` functions that reach into values, led through the guards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookrt.actions.python_snippet.worker.guards import read_attribute, read_item


def itemgetter(item: Any, /, *items: Any) -> Callable[[Any], Any]:
    """`operator.itemgetter`, which reads as `value[item]` does in a snippet."""
    if not items:
        return lambda value: read_item(value, item)
    return lambda value: tuple(read_item(value, each) for each in (item, *items))


def attrgetter(name: str, /, *names: str) -> Callable[[Any], Any]:
    """`operator.attrgetter`, which reads as `value.name` does in a snippet."""
    if not names:
        return lambda value: _follow(value, name)
    return lambda value: tuple(_follow(value, each) for each in (name, *names))


def methodcaller(name: str, /, *arguments: Any, **named: Any) -> Callable[[Any], Any]:
    """`operator.methodcaller`, which finds the method as `value.name` does in a snippet."""
    return lambda value: read_attribute(value, name)(*arguments, **named)


def _follow(value: Any, path: str) -> Any:
    if type(path) is not str:
        raise TypeError("attribute name must be a string")
    for name in path.split("."):
        value = read_attribute(value, name)
    return value
