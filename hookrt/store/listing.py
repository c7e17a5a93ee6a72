"""How deliveries and events are asked for in lists; a part of the contract, which names it all again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hookrt.model.delivery import Status

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which deliveries to list, newest first. Empty fields match all. `cursor` continues after the last item."""

    hook: str | None = None
    statuses: Sequence[Status] = ()
    event_source: str | None = None
    event_id: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    reason: str | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events to list, newest first. Empty fields match all. `id` alone may match several sources."""

    type: str | None = None
    source: str | None = None
    id: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; `next` is the cursor of the following one, None at the end."""

    items: Sequence[T]
    next: str | None = None
