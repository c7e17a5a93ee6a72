"""The classes and functions that a snippet defines, and by what the guards know them."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from hookrt.actions.python_snippet.worker.stops import DeniedError

FILENAME = "<snippet>"
"""The file name in a snippet's code, by which its functions and frames are told from all others."""

BASES = frozenset({object, bool, bytes, complex, dict, float, frozenset, int, list, set, str, tuple})
"""What a snippet's class may inherit from, beside exceptions and its own classes."""


class SnippetType(type):
    """The type of every class that a snippet defines; `type(C) is SnippetType` tells them from all others.

    Only class statements reach it: the names in their bodies have been checked by the policy.
    """

    def __new__(cls, name: str, bases: tuple[Any, ...], namespace: dict[str, Any]) -> SnippetType:
        """Make the class; DeniedError for a base whose insides a subclass could reach or change."""
        for base in bases:
            if not _may_inherit(base):
                raise DeniedError(f"a snippet's class cannot inherit from {base!r}"[:200])
        return super().__new__(cls, name, bases, namespace)


def is_own_function(value: Any) -> bool:
    """Whether the snippet itself defined this function, so that it lives no longer than the run."""
    return type(value) is FunctionType and value.__code__.co_filename == FILENAME


def _may_inherit(base: Any) -> bool:
    kind = type(base)
    return kind is SnippetType or (kind is type and (base in BASES or issubclass(base, Exception)))
