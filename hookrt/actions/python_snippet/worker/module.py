"""What a snippet gets for a module: a frozen selection of its names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookrt.actions.python_snippet.worker.stops import DeniedAttributeError


class Module:
    """What a snippet gets for `import NAME`: the offered names, read only.

    Its attributes are native, since `from NAME import x` reads them past every guard.
    """

    __slots__ = ("_label", "_names", "_real")

    def __init__(self, label: str, names: Mapping[str, Any], real: Any = None) -> None:
        object.__setattr__(self, "_label", label)
        object.__setattr__(self, "_names", dict(names))
        object.__setattr__(self, "_real", frozenset(dir(real)) if real is not None else frozenset())

    def __getattr__(self, name: str) -> Any:
        """The offered name; DeniedAttributeError for one that only the real module has."""
        try:
            return self._names[name]
        except KeyError:
            pass
        if name in self._real or name.startswith("_"):
            raise DeniedAttributeError(f"{self._label}.{name} is not available in snippets")
        raise AttributeError(f"module {self._label!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Modules are read only."""
        raise DeniedAttributeError(f"the module {self._label!r} cannot be changed")

    def __delattr__(self, name: str) -> None:
        """Modules are read only."""
        raise DeniedAttributeError(f"the module {self._label!r} cannot be changed")

    def __repr__(self) -> str:
        return f"<module {self._label!r}>"


def names_of(module: Module) -> Mapping[str, Any]:
    """What a module offers."""
    offered: Mapping[str, Any] = module._names
    return offered
