"""A hookrt action that runs programs, without a shell and with an environment of their own."""

from __future__ import annotations

from hookrt.plugin import impl
from hookrt_command.action import Command
from hookrt_command.settings import CommandSettings

__all__ = ["Command", "CommandSettings", "hookrt_actions"]


@impl
def hookrt_actions() -> list[type[Command]]:
    """The actions that this plugin brings."""
    return [Command]
