"""The memory of one action in one hook: JSON values among the small values of the store."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from hookrt.clock import duration_us
from hookrt.errors import EventError
from hookrt.model.event import encode_data
from hookrt.model.json_depth import check_depth
from hookrt.plugin.protocols import StateError
from hookrt.store.value_contract import ValueChange, ValueChanged

MAX_KEY = 255
"""Characters of a key."""

MAX_VALUE = 64 * 1024
"""Bytes of a value as JSON."""

MAX_VALUES = 1000
"""Values of one action in one hook."""

MAX_TTL = timedelta(days=3650)
"""The longest time that a value can be given."""

_TRIES = 100
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_encode = msgspec.json.Encoder(order="deterministic").encode  # the same value is the same bytes
_decode = msgspec.json.Decoder().decode


class Values(Protocol):
    """The part of a store that is needed here; see `hookrt.store.contract`."""

    def now_us(self) -> int:
        """The store's time."""
        ...

    async def get(self, namespace: str, key: str) -> bytes | None:
        """A stored value that has not expired."""
        ...

    async def change_value(self, change: ValueChange) -> ValueChanged:
        """Change a value where it is as expected."""
        ...


class StoredState:
    """Keeps the promises of `hookrt.plugin.State` in a namespace of the store."""

    __slots__ = ("_namespace", "_values")

    def __init__(self, values: Values, namespace: str) -> None:
        self._values = values
        self._namespace = namespace

    async def get(self, key: str, default: Any = None) -> Any:
        """The stored value, or the default."""
        found = await self._values.get(self._namespace, _checked(key))
        return default if found is None else _decode(found)

    async def set(self, key: str, value: Any, ttl: timedelta | None = None) -> None:
        """Store a value; None deletes."""
        await self._change(self._made(key, value, ttl))

    async def delete(self, key: str) -> None:
        """Forget it."""
        await self._change(self._made(key, None, None))

    async def compare_and_set(self, key: str, expected: Any, value: Any, ttl: timedelta | None = None) -> bool:
        """Store a value where exactly `expected` is stored now."""
        change = self._made(key, value, ttl)
        change.checked, change.expected = True, _written(expected)
        return await self._change(change) is ValueChanged.DONE

    async def add(self, key: str, amount: float = 1, ttl: timedelta | None = None) -> int | float:
        """Add to a number, whoever else does so at the same time."""
        if not _is_number(amount):
            raise StateError("bad-value", "only a number can be added")
        for _ in range(_TRIES):
            present = await self.get(key)
            if not _is_number(0 if present is None else present):
                raise StateError("bad-value", f"what is stored under {key!r} is no number")
            total: int | float = (present or 0) + amount
            if await self.compare_and_set(key, present, total, ttl):
                return total
        raise StateError("contended", f"{key!r} was changed by others {_TRIES} times while something was added to it")

    def _made(self, key: str, value: Any, ttl: timedelta | None) -> ValueChange:
        until_us = None if ttl is None else self._values.now_us() + duration_us(_bounded(ttl))
        return ValueChange(self._namespace, _checked(key), _written(value), until_us, most=MAX_VALUES)

    async def _change(self, change: ValueChange) -> ValueChanged:
        changed = await self._values.change_value(change)
        if changed is ValueChanged.FULL:
            raise StateError(
                "full", f"{MAX_VALUES:,} values are stored, more cannot be: delete some, or give them a ttl"
            )
        return changed


def _checked(key: Any) -> str:
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
        raise StateError("bad-key", f"a key is a text of 1 to {MAX_KEY} characters")
    if _UNFIT.search(key):
        raise StateError("bad-key", "a key has no control characters")
    return key


def _bounded(ttl: timedelta) -> timedelta:
    if not timedelta(0) < ttl <= MAX_TTL:
        raise StateError("bad-value", "a ttl is longer than nothing and at most ten years")
    return ttl


def _written(value: Any) -> bytes | None:
    """A value as it is stored; None for None."""
    if value is None:
        return None
    try:
        encode_data(value)  # refuses what JSON cannot carry, NaN too
        text = _encode(value)
        check_depth(text)
    except (EventError, TypeError, ValueError, RecursionError) as error:
        raise StateError("bad-value", f"what is to be stored is no JSON value: {error}") from None
    if len(text) > MAX_VALUE:
        raise StateError(
            "too-large", f"a value has at most {MAX_VALUE // 1024} KiB as JSON, this one has {len(text)} bytes"
        )
    return text


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
