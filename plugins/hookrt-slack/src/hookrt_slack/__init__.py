"""A hookrt action that posts messages to Slack."""

from __future__ import annotations

from hookrt.plugin import impl
from hookrt_slack.action import Slack
from hookrt_slack.settings import ServiceSettings, SlackSettings

__all__ = ["ServiceSettings", "Slack", "SlackSettings", "hookrt_actions"]


@impl
def hookrt_actions() -> list[type[Slack]]:
    """The actions that this plugin brings."""
    return [Slack]
