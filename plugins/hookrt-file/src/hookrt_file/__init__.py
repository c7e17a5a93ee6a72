"""A hookrt action that appends events to files, one JSON line each."""

from __future__ import annotations

from hookrt.plugin import impl
from hookrt_file.action import AppendToFile, FileSettings, ServiceSettings

__all__ = ["AppendToFile", "FileSettings", "ServiceSettings", "hookrt_actions"]


@impl
def hookrt_actions() -> list[type[AppendToFile]]:
    """The actions that this plugin brings."""
    return [AppendToFile]
