"""How the HTTP door is set up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hookrt.plugin.protocols import Log
from hookrt.web.auth import Guard, Token
from hookrt.web.parse_events import Limits

if TYPE_CHECKING:
    from hookrt.config.service import ServiceSettings


@dataclass(frozen=True, slots=True)
class WebOptions:
    """What `build_app` wants to know.

    `metrics` renders the metrics for an `Accept` header, with their content type. `mask` hides secrets in texts that go
    to the log. `guard` decides who may ask instead of the tokens.
    """

    log: Log
    tokens: tuple[Token, ...] = ()
    limits: Limits = field(default_factory=Limits)
    metrics: Callable[[str], tuple[bytes, str]] | None = None
    mask: Callable[[str], str] = str
    guard: Guard | None = None


def tokens_of(settings: ServiceSettings) -> tuple[Token, ...]:
    """The tokens that the service settings name. Raises ValueError for one that no header could carry."""
    return tuple(Token.make(entry.token.get_secret_value(), entry.scopes) for entry in settings.tokens)


def limits_of(settings: ServiceSettings) -> Limits:
    """The size limits that the service settings name."""
    return Limits(event=settings.limits.event, batch=settings.limits.batch)
