"""What is told of a source: its place, its types, what came in, and its settings without the secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, SecretStr

from hookrt.config.sources import SourceEntry
from hookrt.model.event import format_time
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.inbound import InboundSource
from hookrt.plugin.settings import format_duration
from hookrt.runtime.inbound_accounts import InboundAccount

Mask = Callable[[str], str]

MOST_UPCOMING = 5
"""So many moments to come are told of a source."""


def source_facts(entry: SourceEntry, account: InboundAccount | None = None) -> dict[str, Any]:
    """A source in brief, as JSON values."""
    account = account or InboundAccount()
    return {
        "name": entry.name,
        "plugin": entry.plugin.name,
        "path": entry.path,
        "types": None if entry.types is None else list(entry.types),
        "place": None if entry.place is None else str(entry.place),
        "requests": dict(account.outcomes),
        "last_accepted": _time(account.last_accepted),
        "last_refused": _time(account.last_refused),
        "last_refusal": account.last_refusal,
        "away": account.away,
    }


def source_details(entry: SourceEntry, mask: Mask, account: InboundAccount | None = None) -> dict[str, Any]:
    """The same with its settings, secrets as `***`; `mask` hides those that stand in a text."""
    plugin, inbound = entry.plugin, issubclass(entry.plugin, InboundSource)
    return {
        **source_facts(entry, account),
        "description": " ".join((plugin.__doc__ or "").split()),
        "methods": sorted(plugin.methods) if issubclass(plugin, InboundSource) else [],
        "max_body": most_bytes(entry) if inbound else None,
        "settings": _shown(entry.settings, mask),
    }


def upcoming_times(entry: SourceEntry, after: datetime) -> list[str]:
    """When a source will send next, in its own zone; a few moments at most, none where nobody can know."""
    try:
        found = entry.plugin().upcoming(entry.settings, after, MOST_UPCOMING)
        return [moment.isoformat() for moment in found][:MOST_UPCOMING]
    except FAULTS:  # a plugin's fault is told where it runs
        return []


def most_bytes(entry: SourceEntry) -> int:
    """Bytes of the largest body that a source of webhooks takes."""
    found: int | None = getattr(entry.settings, "max_body", None)
    if found is not None or not issubclass(entry.plugin, InboundSource):
        return found or 0
    return entry.plugin.max_body


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)


def _shown(value: Any, mask: Mask) -> Any:
    """Settings as people write them: durations with their units."""
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, BaseModel):
        return {name: _shown(getattr(value, name), mask) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(name): _shown(one, mask) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(one, mask) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
