"""What the runtime is made of, put together from a configuration: the one place that knows all rooms."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from hookrt.clock import Clock, SystemClock
from hookrt.config.load import Configuration
from hookrt.config.service import BLOCKED_AFTER
from hookrt.config.sources import SourceEntry
from hookrt.delivery.limits import Limits
from hookrt.delivery.ports import Ports
from hookrt.delivery.telling import Telling
from hookrt.egress import Egress, EgressRules
from hookrt.errors import PluginError
from hookrt.matching.router import Router
from hookrt.model.ids import IdSource
from hookrt.model.policy import DEFAULT_TIMEOUT
from hookrt.observability.rate_log import RateLog
from hookrt.plugin.action import Action, ActionSetup
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.protocols import Log
from hookrt.plugin.registry import Registry
from hookrt.plugin.settings import Settings
from hookrt.runtime.functions import PREFIX
from hookrt.secrets.masking import Masker
from hookrt.store.contract import Store

_DRAIN = timedelta(seconds=8)


@dataclass(slots=True)
class Parts:
    """What a runtime is built from. Without a configuration there are no hooks but those of the program."""

    store: Store
    log: Log
    registry: Registry = field(default_factory=Registry)
    configuration: Configuration | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)
    base_dir: Path = field(default_factory=Path.cwd)

    @property
    def sources(self) -> tuple[SourceEntry, ...]:
        """The declared sources."""
        return self.configuration.sources if self.configuration else ()

    @property
    def drain(self) -> timedelta:
        """How long attempts under way may take to finish at the end."""
        return self.configuration.service.drain if self.configuration else _DRAIN

    @property
    def blocked_after(self) -> timedelta | None:
        """How long a plugin may hold the event loop before a warning names it; None for no watch."""
        return self.configuration.service.blocked_after if self.configuration else BLOCKED_AFTER


def limits_of(configuration: Configuration | None) -> Limits:
    """The engine's limits from the service settings."""
    if configuration is None:
        return Limits()
    service = configuration.service
    return Limits(
        concurrency=service.limits.concurrency,
        in_flight=service.limits.in_flight,
        pending=service.limits.pending,
        poll=service.poll,
        removed_hook_hold=service.removed_hook_hold,
        disabled_hook_hold=service.disabled_hook_hold,
        disable_after=service.disable_after,
        held=service.limits.held,
        retention=service.retention.ages,
    )


def make_egress(parts: Parts, masker: Masker) -> Egress:
    """The way out with the rules of the service settings."""
    allowed = parts.configuration.service.egress.allow if parts.configuration else []
    denied = parts.configuration.service.egress.deny if parts.configuration else []
    return Egress(EgressRules.parse(allowed, denied), masker.mask, remember=masker.add_passing)


def make_ports(parts: Parts, egress: Egress, actions: Mapping[str, Action[Any]], masker: Masker) -> Ports:
    """Everything that the engine is handed."""
    configuration = parts.configuration
    log = RateLog(parts.log, parts.clock)
    return Ports(
        store=parts.store,
        clock=parts.clock,
        random=random.Random().random,  # noqa: S311 - for jitter, no secret
        ids=IdSource(parts.clock.now_us),
        router=Router(configuration.hooks if configuration else ()),
        actions=actions,
        way_out=egress,
        log=log,
        env=parts.env,
        secret=configuration.secrets.require if configuration else None,
        destinations=configuration.destinations if configuration else {},
        observer=Telling(parts.registry.observers, log),
        mask=masker.mask,
        flush_log=log.flush,
        close_log=log.close,
        limits=limits_of(configuration),
    )


async def open_actions(parts: Parts, egress: Egress, needed: set[str], opened: dict[str, Action[Any]]) -> None:
    """Open the actions that hooks need and that are not open yet; raises PluginError naming the one that cannot."""
    for name in sorted(needed - opened.keys()):
        found = parts.registry.actions.get(name)
        if found is None:
            continue  # a step of it gets the outcome `no-action`; hooks.yaml was checked already
        action = found()
        try:
            await action.open(_setup_of(parts, egress, found))
        except PluginError:
            raise
        except FAULTS as error:
            raise PluginError(f"the action {name!r} cannot start: {type(error).__name__}: {error}") from error
        opened[name] = action


async def close_actions(opened: dict[str, Action[Any]], log: Log) -> None:
    """Close actions, whatever any of them raises, and forget those that can be opened anew."""
    for action in opened.values():
        try:
            await action.close()
        except FAULTS as error:
            log.error("action-close-failed", action=action.name, error=repr(error))
    for name in [name for name in opened if not name.startswith(PREFIX)]:
        del opened[name]


def _setup_of(parts: Parts, egress: Egress, found: type[Action[Any]]) -> ActionSetup:
    settings: Settings | None = None
    if parts.configuration is not None:
        settings = parts.configuration.service.actions.get(found.name)
    if settings is None and found.service_settings is not None:
        settings = found.service_settings()
    http = egress.http_for((), DEFAULT_TIMEOUT.total_seconds())
    return ActionSetup(parts.base_dir, parts.clock, parts.log, http, settings, local=_is_local(parts.configuration))


def _is_local(configuration: Configuration | None) -> bool:
    """Whether the service listens for this machine only; a program that embeds the runtime has no service."""
    host = configuration.service.host if configuration is not None else "localhost"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
