"""The service's own settings: `service:` in hooks.yaml, `HOOKRT_*` variables, flags."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from hookrt.config.retention import RetentionSettings
from hookrt.plugin.settings import Duration, Secret, Settings, Size, parse_duration
from hookrt.secrets.providers import DEFAULT_PREFIX

BLOCKED_AFTER = timedelta(milliseconds=250)
"""How long a plugin may hold the event loop, unless something else is said."""

_VISIBLE = re.compile(r"[\x21-\x7e]+")


def _check_token(token: Secret) -> Secret:
    if not _VISIBLE.fullmatch(token.get_secret_value()):
        raise ValueError("a token is one word of visible ASCII characters")
    return token


def _parse_span(value: Any) -> timedelta | None:
    """A duration longer than nothing, or None for `off`."""
    if value is None or value == "off":
        return None
    span = parse_duration(value)
    if span <= timedelta(0):
        raise ValueError("it must be longer than nothing; to switch it off, write `off`")
    return span


def _check_blocked_after(span: timedelta | None) -> timedelta | None:
    if span is not None and not timedelta(milliseconds=10) <= span <= timedelta(hours=1):
        raise ValueError("it is from 10ms to 1h, or `off`")
    return span


class Token(Settings):
    """A token that opens the HTTP interface, and for what."""

    token: Annotated[Secret, AfterValidator(_check_token)] = Field(
        description="The token itself, best as ${{ secrets.NAME }}"
    )
    scopes: tuple[Literal["emit", "read", "admin"], ...] = Field(min_length=1, description="What it may do")


DurationOrOff = Annotated[
    timedelta | None,
    BeforeValidator(_parse_span),
    WithJsonSchema({"type": "string", "examples": ["5d", "12h", "off"]}),
]
"""A length of time, or `off`."""


class Limits(Settings):
    """What the service takes at most."""

    event: Size = Field(default=1024**2, ge=1, description="Largest event")
    batch: Size = Field(default=5 * 1024**2, ge=1, description="Largest batch of events")
    pending: int = Field(default=1_000_000, ge=1, description="Most deliveries that wait in the store; above it, 503")
    held: int = Field(default=100_000, ge=0, description="Most deliveries that are held for each disabled hook")
    concurrency: int = Field(default=32, ge=1, le=1000, description="Most attempts under way at once in one lane")
    in_flight: int = Field(default=10_000, ge=1, description="Most deliveries held in memory")


class EgressSettings(Settings):
    """Which addresses may be reached, beside public ones and what hooks.yaml writes out."""

    allow: tuple[str, ...] = Field(default=(), description="CIDR, host, host:port or `private`")
    deny: tuple[str, ...] = Field(default=(), description="The same; it wins over `allow`")


class SecretSettings(Settings):
    """Where `secrets.NAME` comes from."""

    prefix: str = Field(
        default=DEFAULT_PREFIX, pattern="^[A-Za-z0-9_]*$", description="What stands before the name of its variable"
    )
    directory: str | None = Field(default=None, min_length=1, description="A directory with a file for each secret")


class PluginSettings(Settings):
    """Which installed plugins are loaded."""

    allow: tuple[str, ...] = Field(default=(), description="Only these, by distribution or plugin, and hookrt's own")
    deny: tuple[str, ...] = Field(default=(), description="Not these; it wins over `allow`")


class LogSettings(Settings):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="The least that is logged")
    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, else JSON"
    )


class ServiceSettings(Settings):
    """The service's own settings.

    `actions` holds the service settings of each action that declares some, as its own model. Times are durations.
    """

    host: str = Field(default="127.0.0.1", min_length=1, description="The address to listen on")
    port: int = Field(default=4665, ge=0, le=65535, description="The port to listen on; 0 takes any free one")
    store: str | None = Field(
        default=None, min_length=1, description="sqlite:///file; .hookrt/hookrt.db beside hooks.yaml"
    )
    tokens: tuple[Token, ...] = Field(default=(), description="Tokens for the HTTP interface")
    limits: Limits = Field(default=Limits(), description="What the service takes at most")
    plugins: PluginSettings = Field(default=PluginSettings(), description="Which installed plugins are loaded")
    egress: EgressSettings = Field(default=EgressSettings(), description="Which addresses may be reached")
    actions: dict[str, Settings] = Field(default={}, description="Settings of actions, by their names")
    secrets: SecretSettings = Field(default=SecretSettings(), description="Where secrets come from")
    drain: Duration = Field(default=timedelta(seconds=8), description="How long a stop waits for attempts under way")
    removed_hook_hold: Duration = Field(
        default=timedelta(hours=1), description="How long deliveries of a removed hook are held"
    )
    disabled_hook_hold: Duration = Field(
        default=timedelta(days=30), description="How long deliveries of a disabled hook are held"
    )
    disable_after: DurationOrOff = Field(
        default=timedelta(days=5), description="How long a hook may fail without a success; then it is disabled"
    )
    poll: Duration = Field(default=timedelta(seconds=1), description="How often the store is asked for what is due")
    retention: RetentionSettings = Field(default=RetentionSettings(), description="How long what has ended is kept")
    blocked_after: Annotated[DurationOrOff, AfterValidator(_check_blocked_after)] = Field(
        default=BLOCKED_AFTER, description="How long a plugin may hold the event loop before a warning names it"
    )
    watch: bool = Field(default=True, description="Whether changed files are taken up; on SIGHUP they always are")
    log: LogSettings = Field(default=LogSettings(), description="What is logged")
