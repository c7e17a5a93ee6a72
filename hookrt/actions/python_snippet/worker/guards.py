"""The guards that every attribute access, item access and store of a snippet goes through."""

from __future__ import annotations

import _string  # type: ignore[import-not-found] # what string.Formatter itself is made of
import string
from collections.abc import Callable, Iterator
from typing import Any

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

from hookrt.actions.python_snippet.worker.capabilities import Secrets
from hookrt.actions.python_snippet.worker.classes import SnippetType, is_own_function
from hookrt.actions.python_snippet.worker.context import Context
from hookrt.actions.python_snippet.worker.hints import Hint
from hookrt.actions.python_snippet.worker.module import Module
from hookrt.actions.python_snippet.worker.offer import ATTRIBUTES, INDEXED, OPEN_TYPES, WRITABLE
from hookrt.actions.python_snippet.worker.stops import DeniedAttributeError, DeniedError

_OPEN = frozenset(OPEN_TYPES)
_UNCHANGING = frozenset({bool, bytes, complex, float, frozenset, int, range, str, tuple, type(None)})
"""Types whose values nobody can store into: Python itself refuses, where and as it always does."""
_MISSING = object()


def read_attribute(owner: Any, name: str, /) -> Any:
    """`owner.name`, by the exact type's listing; DeniedAttributeError for what is not offered."""
    kind = type(owner)
    if type(name) is str and kind in ATTRIBUTES and name in ATTRIBUTES[kind]:
        return getattr(owner, name)
    check_attribute_name(name)
    if kind is Module or kind is Context or kind is Secrets:
        return getattr(owner, name)
    if isinstance(owner, type):
        return _of_class(owner, name)
    return _of_object(owner, name, kind)


def check_attribute_name(name: Any, /) -> None:
    """DeniedAttributeError for a name that no snippet may read or set, on whatever object."""
    if type(name) is not str:
        raise DeniedAttributeError("the name of an attribute must be exactly a str")
    if name.startswith("_") or name in INSPECT_ATTRIBUTES:
        raise DeniedAttributeError(f"the attribute {name!r} is not available in snippets"[:200])


def _of_object(owner: Any, name: str, kind: type) -> Any:
    for ancestor in kind.__mro__:
        if type(ancestor) is SnippetType:
            if name in vars(ancestor):
                return getattr(owner, name)
        elif name in vars(ancestor):
            return _offered(owner, name, ancestor)
    if type(kind) is SnippetType or is_own_function(owner):
        return getattr(owner, name)
    raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}{_hint(owner, name)}")


def _of_class(owner: type, name: str) -> Any:
    for ancestor in owner.__mro__:
        if name in vars(ancestor):
            if type(ancestor) is SnippetType:
                return getattr(owner, name)
            return _offered(owner, name, ancestor)
    if hasattr(owner, name):
        raise _denied(name)
    raise AttributeError(f"type object {owner.__name__!r} has no attribute {name!r}")


def _offered(owner: Any, name: str, definer: type) -> Any:
    """An attribute that a class of Python defines, read through the object or class that has it."""
    if issubclass(definer, str) and name in {"format", "format_map"}:
        return _formatter(owner, name)
    for listed in (definer, *(owner if isinstance(owner, type) else type(owner)).__mro__):
        if listed in ATTRIBUTES and (listed is definer or issubclass(listed, BaseException)):
            if name in ATTRIBUTES[listed]:
                return getattr(owner, name)
            break
    raise _denied(name)


def _denied(name: str) -> DeniedAttributeError:
    return DeniedAttributeError(f"the attribute {name!r} is not available in snippets")


def _hint(owner: Any, name: str) -> str:
    return f': write ["{name}"]' if type(owner) is dict and name in owner else ""


def get_attribute(owner: Any, name: Any, default: Any = _MISSING, /) -> Any:
    """The `getattr` of snippets; a default stands for what is missing, never for what is refused."""
    try:
        return read_attribute(owner, name)
    except DeniedError:
        raise
    except AttributeError:
        if default is _MISSING:
            raise
        return default


def has_attribute(owner: Any, name: Any, /) -> bool:
    """The `hasattr` of snippets: False too for what is refused."""
    try:
        read_attribute(owner, name)
    except AttributeError:
        return False
    return True


def writable(owner: Any, /) -> Any:
    """The object itself if a snippet may try to store into it: plain data, its own classes, instances, functions."""
    kind = type(owner)
    own = kind is SnippetType or type(kind) is SnippetType or is_own_function(owner)
    if own or kind in WRITABLE or kind in _UNCHANGING:
        return owner
    raise DeniedError(f"a {kind.__name__} cannot be changed by a snippet")


def set_attribute(owner: Any, name: Any, value: Any, /) -> None:
    """The `setattr` of snippets."""
    check_attribute_name(name)
    setattr(writable(owner), name, value)


def delete_attribute(owner: Any, name: Any, /) -> None:
    """The `delattr` of snippets."""
    check_attribute_name(name)
    delattr(writable(owner), name)


def read_item(owner: Any, key: Any, /) -> Any:
    """`owner[key]` of the types that have items."""
    kind = type(owner)
    if kind in INDEXED or kind is Context or kind is Secrets or kind is Hint or type(kind) is SnippetType:
        return owner[key]
    if isinstance(owner, type):
        raise DeniedError(f"{owner.__name__}[...] is not available in snippets")
    raise TypeError(f"{kind.__name__!r} object is not subscriptable")


def type_of(value: Any, /) -> type:
    """The one-argument `type` of snippets: plain types and the snippet's own classes."""
    kind = type(value)
    if kind in _OPEN or type(kind) is SnippetType or issubclass(kind, Exception):
        return kind
    raise DeniedError(f"type() of a {kind.__name__} is not available in snippets")


class _Formatter(string.Formatter):
    """`str.format` of one text, whose fields read attributes and items through the guards."""

    def __init__(self) -> None:
        """Made anew for each text: it counts the text's fields."""
        self._count = 0
        self._numbered: bool | None = None

    def parse(self, format_string: str) -> Iterator[Any]:
        """The parts, fields without a name numbered as `str.format` does it.

        string.Formatter numbers `{}` but, before Python 3.13, not `{.name}` or `{[key]}`. Asked
        lazily, for a field's own format before the next field, so the order is str.format's.
        """
        for literal, field, spec, conversion in super().parse(format_string):
            yield literal, None if field is None else self._number(field), spec, conversion

    def _number(self, field: str) -> str:
        first, _ = _string.formatter_field_name_split(field)
        if first != "" and not isinstance(first, int):
            return field
        if self._numbered not in {None, first != ""}:
            raise ValueError("a format cannot mix numbered fields ({0}) with fields without a number ({})")
        self._numbered = first != ""
        if self._numbered:
            return field
        self._count += 1
        return f"{self._count - 1}{field}"

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        """The value of one field, `name.attribute[item]`."""
        first, rest = _string.formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, key in rest:
            value = read_attribute(value, key) if is_attribute else read_item(value, key)
        return value, first


def _format(template: str, args: Any, kwargs: Any) -> str:
    return _Formatter().vformat(template, args, kwargs)


def _formatter(owner: Any, name: str) -> Callable[..., str]:
    """The bound or unbound `format` or `format_map` of a text."""
    apply = _format_text if name == "format" else _format_map
    if isinstance(owner, type):
        return apply

    def bound(*args: Any, **kwargs: Any) -> str:
        return apply(owner, *args, **kwargs)

    return bound


def _format_text(template: str, /, *args: Any, **kwargs: Any) -> str:
    text = str.__str__(template)
    if "." not in text and "[" not in text:  # no field can reach into its value
        return str.format(text, *args, **kwargs)
    return _format(text, args, kwargs)


def _format_map(template: str, mapping: Any, /) -> str:
    return _format(str.__str__(template), (), mapping)


GUARDED_BUILTINS: dict[str, Any] = {
    "getattr": get_attribute,
    "hasattr": has_attribute,
    "setattr": set_attribute,
    "delattr": delete_attribute,
    "type": type_of,
}
"""The built-ins that take part in guarding."""
