"""The action `webhook`: an HTTP request, signed by the Standard Webhooks, to a destination or a URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hookrt.actions.webhook.send import Webhook
from hookrt.actions.webhook.settings import WebhookSettings
from hookrt.plugin import Action, impl

__all__ = ["Webhook", "WebhookSettings", "hookrt_actions"]


@impl
def hookrt_actions() -> Sequence[type[Action[Any]]]:
    """The action that this module brings."""
    return [Webhook]
