"""A hookrt source and action for Redis streams."""

from __future__ import annotations

from hookrt.plugin import impl
from hookrt_redis.action import AppendSettings, AppendToStream
from hookrt_redis.source import StreamSettings, StreamSource

__all__ = ["AppendSettings", "AppendToStream", "StreamSettings", "StreamSource", "hookrt_actions", "hookrt_sources"]


@impl
def hookrt_actions() -> list[type[AppendToStream]]:
    """The actions that this plugin brings."""
    return [AppendToStream]


@impl
def hookrt_sources() -> list[type[StreamSource]]:
    """The sources that this plugin brings."""
    return [StreamSource]
