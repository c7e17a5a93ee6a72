"""What calls may ask for beside what they are handed, from the secrets and the store of this process."""

from __future__ import annotations

from collections.abc import Callable

from hookrt.delivery.stored_state import StoredState, Values
from hookrt.errors import SecretMissing
from hookrt.plugin.protocols import State


class GivenSecrets:
    """Keeps the promises of `hookrt.plugin.CallSecrets`; `find` raises SecretMissing."""

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[str], str] | None) -> None:
        self._find = find

    def get(self, name: str) -> str | None:
        """The secret's value, None where nobody has it."""
        try:
            return self.require(name)
        except SecretMissing:
            return None

    def require(self, name: str) -> str:
        """The secret's value."""
        if self._find is None:
            raise SecretMissing(f"the secret {name} is not provided: this runtime has no configuration")
        return self._find(name)


class StoreProvisions:
    """Keeps the promises of `hookrt.plugin.Provisions`. `finder` gives what finds secrets at present."""

    __slots__ = ("_finder", "_values")

    def __init__(self, values: Values, finder: Callable[[], Callable[[str], str] | None]) -> None:
        self._values = values
        self._finder = finder

    @property
    def secrets(self) -> GivenSecrets:
        """The secrets as they are now."""
        return GivenSecrets(self._finder())

    def state_of(self, hook: str, action: str) -> State:
        """The memory of this action in this hook."""
        return StoredState(self._values, f"state/{hook}/{action}")
