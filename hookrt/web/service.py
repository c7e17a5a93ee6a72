"""What the HTTP door uses of the runtime, named exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from hookrt.matching.router import HookExplanation, Router
from hookrt.model.event import Event, EventDraft
from hookrt.plugin.inbound import Inbound, Reply
from hookrt.plugin.registry import Registry
from hookrt.store.contract import Store

if TYPE_CHECKING:
    from hookrt.config.load import Configuration
    from hookrt.runtime.action_reports import ActionReport
    from hookrt.runtime.deciding import DecisionDoor
    from hookrt.runtime.feed import Feed
    from hookrt.runtime.hook_trials import HookTrials
    from hookrt.runtime.inbound import InboundDoor
    from hookrt.runtime.jobs.desk import JobDesk
    from hookrt.runtime.reload_report import ReloadReport


class Accepted(Protocol):
    """What became of an accepted event."""

    @property
    def id(self) -> str:
        """The event's id."""
        ...

    @property
    def deliveries(self) -> tuple[str, ...]:
        """Its deliveries' ids, of a duplicate those of the first event."""
        ...

    @property
    def duplicate(self) -> bool:
        """Whether it had been accepted before."""
        ...


class HookSwitch(Protocol):
    """Disables and enables hooks. Each raises NotFound, UsageError where it is not possible, or StoreError."""

    async def disable(self, name: str, message: str | None = None) -> bool:
        """Hold what comes for this hook from now on; False when it is disabled already."""
        ...

    async def enable(self, name: str, *, discard: bool = False) -> bool:
        """Deliver what is held, or with `discard` cancel it; False when it is enabled already."""
        ...


class Control(Protocol):
    """What people do to deliveries. Each raises NotFound, or UsageError where it is not possible."""

    @property
    def jobs(self) -> JobDesk:
        """Takes orders for many deliveries at once."""
        ...

    @property
    def hooks(self) -> HookSwitch:
        """Disables and enables hooks."""
        ...

    @property
    def trials(self) -> HookTrials:
        """Tests hooks."""
        ...

    @property
    def feed(self) -> Feed:
        """What happens to deliveries, live."""
        ...

    async def replay(self, delivery: str, *, from_start: bool = False, new_message_id: bool = False) -> str:
        """Make a new delivery of the same event; returns its id."""
        ...

    async def cancel(self, delivery: str) -> None:
        """Cancel a delivery that is not final."""
        ...

    async def retry_now(self, delivery: str) -> None:
        """Make a waiting delivery due at once."""
        ...


class Service(Protocol):
    """The runtime, as far as HTTP asks for it."""

    @property
    def router(self) -> Router:
        """The hooks as they are now."""
        ...

    @property
    def store(self) -> Store:
        """Where events and deliveries are."""
        ...

    @property
    def registry(self) -> Registry:
        """The loaded plugins."""
        ...

    @property
    def configuration(self) -> Configuration | None:
        """What hooks.yaml says, None where the runtime was made without one."""
        ...

    @property
    def control(self) -> Control:
        """What people do to deliveries; raises UsageError when the runtime does not run."""
        ...

    @property
    def decisions(self) -> DecisionDoor:
        """Where decisions are asked for; raises UsageError when the runtime does not run."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it runs, so that events are taken."""
        ...

    @property
    def leading(self) -> bool:
        """Whether this process delivers; else another one does, or takes over."""
        ...

    @property
    def last_reload(self) -> ReloadReport | None:
        """What the latest reading of the files led to, None before the first one."""
        ...

    @property
    def action_reports(self) -> Mapping[str, ActionReport]:
        """What the actions in use say of themselves."""
        ...

    @property
    def breakers(self) -> Mapping[str, str]:
        """For each lane that this process has sent to: whether its breaker is `closed`, `open` or `half-open`."""
        ...

    @property
    def mask(self) -> Callable[[str], str]:
        """Hides secrets in a text."""
        ...

    @property
    def inbound(self) -> InboundDoor:
        """The sources that senders reach by HTTP."""
        ...

    async def receive(self, name: str, request: Inbound) -> Reply:
        """Serve a webhook that came in for a declared source. Raises UsageError when the runtime does not run."""
        ...

    async def accept(self, drafts: Sequence[EventDraft], *, default_source: str = "http") -> Sequence[Accepted]:
        """Store events, all or nothing; durable when it returns. Raises EventError, Overloaded or StoreError."""
        ...

    def explain(self, event: Event) -> Sequence[HookExplanation]:
        """For every hook whether it fires on this event, and why not."""
        ...
