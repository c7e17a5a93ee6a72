"""What stands for `typing` in snippets, whose annotations are dropped: names that can be written and do nothing."""

from __future__ import annotations

from typing import Any


class Hint:
    """A type hint: it can be subscribed and joined with `|`, and tells nothing."""

    __slots__ = ("_name",)
    _name: str
    __iter__ = None  # else Python would take it for a list without an end, since it can be subscribed

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Hints are the same for every run."""
        raise AttributeError("a type hint cannot be changed")

    def __getitem__(self, _of: Any) -> Hint:
        """The same: `Optional[int]`."""
        return self

    def __or__(self, _other: Any) -> Hint:
        """The same: `Any | None`."""
        return self

    __ror__ = __or__

    def __repr__(self) -> str:
        return f"typing.{self._name}"


_NAMES = (
    "Any AnyStr Annotated Callable ClassVar Dict Final FrozenSet Generator Iterable Iterator List Literal "
    "LiteralString Mapping MutableMapping MutableSequence Never NoReturn Optional Self Sequence Set "
    "SupportsFloat SupportsInt Text Tuple Type Union"
)


def cast(_kind: Any, value: Any, /) -> Any:
    """`typing.cast`: the value itself."""
    return value


HINTS: dict[str, Any] = {
    **{name: Hint(name) for name in _NAMES.split()},
    "cast": cast,
    "TYPE_CHECKING": False,
}
"""The names of `typing` that snippets have."""
