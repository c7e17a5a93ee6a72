"""What two configurations have in common, and what not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Changes:
    """The names of what was added, removed and changed, each in the order of the files."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.added or self.removed or self.changed)


NO_CHANGES = Changes()
"""Nothing was added, removed or changed."""


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """What became of `old`, by name; two values are the same when they are equal."""
    return Changes(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(name for name, value in new.items() if name in old and old[name] != value),
    )


def differing_settings(old: BaseModel, new: BaseModel, path: str) -> tuple[str, ...]:
    """The settings that are not equal, each by its keys: `service.limits.pending`."""
    found: list[str] = []
    for name in type(new).model_fields:
        found += _differing(getattr(old, name, None), getattr(new, name), f"{path}.{name}")
    return tuple(found)


def _differing(old: Any, new: Any, path: str) -> tuple[str, ...]:
    if old == new:
        return ()
    if isinstance(new, BaseModel) and type(old) is type(new):
        return differing_settings(old, new, path)
    if isinstance(new, dict) and isinstance(old, dict):
        changes = compare(old, new)
        found = [f"{path}.{name}" for name in changes.added + changes.removed]
        for name in changes.changed:
            found += _differing(old[name], new[name], f"{path}.{name}")
        return tuple(found)
    return (path,)
