"""The secrets and the memory of an action under test."""

from __future__ import annotations

from collections.abc import Mapping

from hookrt.clock import Clock
from hookrt.delivery.provisions import GivenSecrets
from hookrt.delivery.stored_state import StoredState
from hookrt.errors import SecretMissing
from hookrt.plugin.protocols import State
from hookrt.store.memory.memory import Memory
from hookrt.store.value_contract import ValueChange, ValueChanged
from hookrt.testing.fake_clock import FakeClock


class MemoryState(StoredState):
    """Hookrt's State without a store: `state = MemoryState()`, `call_for(..., state=state)`, `await state.get("n")`.

    It has the service's own limits; what has a ttl goes when the clock (by default a FakeClock) has moved far enough.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(_MemoryValues(clock or FakeClock()), "test")


class Provided:
    """The provisions of a call under test: these secrets, and this state whatever the hook and the action."""

    def __init__(self, secrets: Mapping[str, str], state: State) -> None:
        self._given = secrets
        self._state = state

    @property
    def secrets(self) -> GivenSecrets:
        """The secrets that the test gave."""
        return GivenSecrets(self._find)

    def state_of(self, hook: str, action: str) -> State:
        """The state of this test."""
        return self._state

    def _find(self, name: str) -> str:
        try:
            return self._given[name]
        except KeyError:
            raise SecretMissing(f"the secret {name} is not provided: give the test secrets={{{name!r}: ...}}") from None


class _MemoryValues:
    def __init__(self, clock: Clock) -> None:
        self._memory = Memory()
        self._clock = clock

    def now_us(self) -> int:
        return self._clock.now_us()

    async def get(self, namespace: str, key: str) -> bytes | None:
        value, expires_us = self._memory.values.get((namespace, key), (None, None))
        return None if expires_us is not None and expires_us <= self.now_us() else value

    async def change_value(self, change: ValueChange) -> ValueChanged:
        return self._memory.change_value(change, self.now_us())
