"""A hookrt action that sends e-mail by SMTP."""

from __future__ import annotations

from hookrt.plugin import impl
from hookrt_email.action import Email
from hookrt_email.settings import EmailSettings, ServiceSettings

__all__ = ["Email", "EmailSettings", "ServiceSettings", "hookrt_actions"]


@impl
def hookrt_actions() -> list[type[Email]]:
    """The actions that this plugin brings."""
    return [Email]
