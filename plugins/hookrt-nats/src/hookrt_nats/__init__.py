"""A hookrt source and action for NATS JetStream."""

from __future__ import annotations

from hookrt.plugin import impl
from hookrt_nats.action import PublishSettings, PublishToNats
from hookrt_nats.source import NatsSource, NatsSourceSettings

__all__ = [
    "NatsSource",
    "NatsSourceSettings",
    "PublishSettings",
    "PublishToNats",
    "hookrt_actions",
    "hookrt_sources",
]


@impl
def hookrt_actions() -> list[type[PublishToNats]]:
    """The actions that this plugin brings."""
    return [PublishToNats]


@impl
def hookrt_sources() -> list[type[NatsSource]]:
    """The sources that this plugin brings."""
    return [NatsSource]
