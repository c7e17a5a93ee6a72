"""What `ctx` offers beside facts: `http`, `secrets`, `state` and `emit`, as far as they are granted.

The service judges every call by itself. Here ungranted use is answered at once, with the line of YAML to add; the
service puts its place behind ADD_TO.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hookrt.actions.python_snippet.worker.asking import Ask
from hookrt.actions.python_snippet.worker.http_face import Http, HttpError
from hookrt.actions.python_snippet.worker.stops import (
    ADD_TO,
    CallFailedError,
    CapabilityError,
    DeniedAttributeError,
    DeniedError,
)
from hookrt.actions.python_snippet.worker.values import exact_text, plain, yaml_word


class StateError(CapabilityError):
    """The state does not take this; `reason` says why in a word."""


class SecretMissing(CapabilityError):  # noqa: N818 - the name that it has in the service
    """A secret is granted, and not provided."""


class EmitError(CapabilityError):
    """This is no event that may be emitted."""


_ERRORS = {kind.__name__: kind for kind in (HttpError, StateError, SecretMissing, EmitError)}


class Secrets:
    """`ctx.secrets`: each granted secret as an attribute or an item, asked for when it is first read.

    Attributes are native here; the guards let no name with an underscore before it through.
    """

    __slots__ = ("_ask", "_known", "_names")

    _ask: Ask | None
    _known: dict[str, str]
    _names: tuple[str, ...]

    def __init__(self, ask: Ask | None, names: list[str]) -> None:
        object.__setattr__(self, "_ask", ask)
        object.__setattr__(self, "_names", tuple(names))
        object.__setattr__(self, "_known", {})

    def __getattr__(self, name: str) -> str:
        """The secret of this name."""
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        """Secrets cannot be changed."""
        raise DeniedAttributeError("ctx.secrets cannot be changed")

    def __getitem__(self, name: str) -> str:
        wanted = exact_text(name, "the name of a secret")
        if self._ask is None or wanted not in self._names:
            shown = yaml_word(wanted)
            raise DeniedAttributeError(
                f'ctx.secrets.{shown} is not granted: add "allow: {{secrets: [{shown}]}}" {ADD_TO}'
            )
        if wanted not in self._known:
            self._known[wanted] = self._ask("secret", {"name": wanted})
        return self._known[wanted]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __repr__(self) -> str:
        return "<ctx.secrets>"

    def get(self, name: str) -> str:
        """The secret of this name."""
        return self[name]


class State:
    """`ctx.state`: JSON values that outlive the run, by key. None stands for no value."""

    __slots__ = ("_ask",)

    _ask: Ask | None
    Error = StateError

    def __init__(self, ask: Ask | None) -> None:
        object.__setattr__(self, "_ask", ask)

    def __setattr__(self, name: str, value: Any) -> None:
        """Values are stored by key."""
        raise DeniedAttributeError("ctx.state has no attributes to set: use ctx.state.set(key, value)")

    def __repr__(self) -> str:
        return "<ctx.state>"

    def get(self, key: str, default: Any = None) -> Any:
        """The stored value, or the default."""
        found = self._call("state.get", key)
        return default if found is None else found

    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        """Store a value, for `ttl` (seconds, or '10m') where one is given."""
        self._call("state.set", key, value=plain(value, "the value"), ttl=_ttl(ttl))

    def delete(self, key: str) -> None:
        """Forget a value."""
        self._call("state.set", key, value=None)

    def compare_and_set(self, key: str, expected: Any, value: Any, ttl: Any = None) -> bool:
        """Store a value where exactly `expected` is stored (None: nothing); whether it was."""
        values = {"expected": plain(expected, "expected"), "value": plain(value, "the value")}
        return bool(self._call("state.compare_and_set", key, **values, ttl=_ttl(ttl)))

    def add(self, key: str, amount: float = 1, ttl: Any = None) -> Any:
        """Add to a number, 0 where there is none; gives the sum."""
        return self._call("state.add", key, amount=plain(amount, "the amount"), ttl=_ttl(ttl))

    def __getitem__(self, key: str) -> Any:
        found = self._call("state.get", key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def __delitem__(self, key: str) -> None:
        self.delete(key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("ctx.state cannot be gone through: keep a list of keys under a key")

    def _call(self, name: str, key: Any, **arguments: Any) -> Any:
        if self._ask is None:
            raise DeniedError(f'ctx.state is not granted: add "allow: {{state: true}}" {ADD_TO}')
        return self._ask(name, {"key": exact_text(key, "a key of ctx.state"), **arguments})


class Emitter:
    """Has `ctx.emit`, the function."""

    __slots__ = ("_ask",)

    def __init__(self, ask: Ask | None) -> None:
        self._ask = ask

    def __repr__(self) -> str:
        return "<ctx>"

    def emit(self, type: str, data: Any = None, *, subject: str | None = None, id: str | None = None) -> None:
        """Emit an event, which becomes real if the attempt succeeds."""
        wanted = exact_text(type, "the type of an event")
        if self._ask is None:
            raise DeniedError(f'ctx.emit is not granted: add "allow: {{emit: [{yaml_word(wanted)}]}}" {ADD_TO}')
        names = {"subject": subject, "id": id}
        given = {name: exact_text(value, f"the {name}") for name, value in names.items() if value is not None}
        self._ask("emit", {"type": wanted, "data": plain(data, "data"), **given})


def capabilities(grants: dict[str, Any], ask: Ask | None) -> dict[str, Any]:
    """What a run with these grants finds in its `ctx`."""
    if not grants or ask is None:
        return _UNGRANTED
    asking = _named(ask)
    return {
        "http": Http(asking if grants.get("http") else None),
        "secrets": Secrets(asking, list(grants.get("secrets") or ())),
        "state": State(asking if grants.get("state") else None),
        "emit": Emitter(asking if grants.get("emit") else None).emit,
    }


_UNGRANTED: dict[str, Any] = {
    "http": Http(None),
    "secrets": Secrets(None, []),
    "state": State(None),
    "emit": Emitter(None).emit,
}


def _named(ask: Ask) -> Ask:
    """The same, but failures have the names and reasons that the documentation has."""

    def asking(name: str, arguments: dict[str, Any]) -> Any:
        try:
            return ask(name, arguments)
        except CallFailedError as failure:
            kind = _ERRORS.get(failure.name)
            if kind is None:
                raise
            error = kind(str(failure), failure.fields)
        raise error

    return asking


def _ttl(ttl: Any) -> Any:
    """Seconds, or a text as `10m` for the service to read."""
    if ttl is None or isinstance(ttl, str):
        return None if ttl is None else exact_text(ttl, "a ttl")
    return ttl.total_seconds() if isinstance(ttl, timedelta) else float(ttl)
