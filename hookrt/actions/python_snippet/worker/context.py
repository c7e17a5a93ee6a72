"""The `ctx` of a snippet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hookrt.actions.python_snippet.worker.stops import DeniedAttributeError


class Context:
    """What a run is told about itself, as `ctx.hook` or `ctx["hook"]`: hook, step, steps, attempt, message_id, log.

    Read only. Attributes are native here; the guards let no name with an underscore through.
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Any]) -> None:
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        """One of the values; the error names what there is."""
        try:
            return self._values[name]
        except KeyError:
            offered = ", ".join(sorted(self._values))
            raise AttributeError(f"ctx has no {name!r}; it has {offered}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        """The context is read only."""
        raise DeniedAttributeError("ctx cannot be changed")

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<ctx of {self._values.get('hook', 'a snippet')}>"

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default."""
        return self._values.get(name, default)
