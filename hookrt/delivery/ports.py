"""What the engine is handed: everything that touches the world, so that a simulation can hand in its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hookrt.clock import Clock
from hookrt.delivery.limits import Limits
from hookrt.delivery.provisions import StoreProvisions
from hookrt.matching.router import Router
from hookrt.model.hook import Destination
from hookrt.model.ids import IdSource
from hookrt.plugin.action import Action
from hookrt.plugin.observer import Observer
from hookrt.plugin.protocols import Http, Log, Provisions
from hookrt.store.contract import Store


class TimedHttp(Http, Protocol):
    """The `Http` of one attempt, which gives up when the attempt's time is over."""

    def restart(self) -> None:
        """The attempt had to wait for its place, and has all of its time from now on."""
        ...


class WayOut(Protocol):
    """Makes the `Http` of one attempt."""

    def http_for(self, trusted_origins: tuple[str, ...], timeout_s: float) -> TimedHttp:
        """An Http that may also reach these origins, and gives up after this many seconds in all."""
        ...


@dataclass(slots=True)
class Ports:
    """The world as the engine sees it. `actions` are the opened instances by name, `mask` hides secrets in texts.

    `random` gives numbers from 0 to 1, for jitter only.
    """

    store: Store
    clock: Clock
    random: Callable[[], float]
    ids: IdSource
    router: Router
    actions: Mapping[str, Action[Any]]
    way_out: WayOut
    log: Log
    env: Mapping[str, str] = field(default_factory=dict)
    secret: Callable[[str], str] | None = None
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    observer: Observer = field(default_factory=Observer)
    mask: Callable[[str], str] = str
    flush_log: Callable[[], None] = lambda: None
    close_log: Callable[[], None] = lambda: None
    limits: Limits = field(default_factory=Limits)
    provisions: Provisions = field(init=False)

    def __post_init__(self) -> None:
        """Provisions from this store, and from whoever finds secrets at the time."""
        self.provisions = StoreProvisions(self.store, lambda: self.secret)
