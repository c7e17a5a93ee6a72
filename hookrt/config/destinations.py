"""The `destinations:` section: where steps send, with the limits and credentials of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from hookrt.config.fields import as_mapping, check_name
from hookrt.config.fixed_values import FixedValues
from hookrt.config.nodes import Entry, MapNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.suggest import shorten
from hookrt.config.validation import Target, validate
from hookrt.model.breaker_policy import DEFAULT_BREAKER, BreakerPolicy
from hookrt.model.hook import Destination
from hookrt.model.origin import written_origin
from hookrt.plugin.settings import Duration, Settings, SigningSecrets

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?/ ?(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(days=1)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_SIGNATURE_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})


def parse_rate(value: Any) -> float:
    """Requests per second from text such as `100/s` or `6000/m`; raises ValueError saying how to write one."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    rate = float(found[1]) / _SECONDS[found[2]] if found else 0.0
    if not 0 < rate <= 1_000_000:
        raise ValueError("this is no rate: write requests per time, like 100/s, 6000/m or 50/h")
    return rate


def _check_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{shorten(name)} is no header name")
        if name.lower() in _OWN_HEADERS:
            raise ValueError(f"{name} cannot be set by hand: it follows from the request")
        if name.lower() in _SIGNATURE_HEADERS:
            raise ValueError(f"{name} cannot be set by hand: it belongs to the signature")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} has a character that a header cannot carry")
    return headers


Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    WithJsonSchema({"type": "string", "pattern": f"^{_RATE.pattern}$", "examples": ["100/s", "6000/m"]}),
]
"""Requests per second, written `100/s`, `6000/m`, `50/h`."""


def _check_pause(duration: timedelta) -> timedelta:
    if not _SHORTEST_PAUSE <= duration <= _LONGEST_PAUSE:
        raise ValueError("it must be from 100ms to 1d")
    return duration


Pause = Annotated[Duration, AfterValidator(_check_pause)]
"""A time of the breaker: short ones would ask a failing endpoint all the time, longer ones forget it."""


class BreakerSettings(Settings):
    """When a destination that fails is left alone, and for how long."""

    failures: int = Field(
        default=DEFAULT_BREAKER.failures, ge=1, le=10_000, description="It opens after so many failures in a row"
    )
    ratio: float = Field(
        default=DEFAULT_BREAKER.ratio,
        gt=0,
        le=1,
        description="It also opens when this share of the attempts within `window` failed",
    )
    attempts: int = Field(
        default=DEFAULT_BREAKER.attempts, ge=2, le=1_000_000, description="The share counts from so many attempts on"
    )
    window: Pause = Field(default=DEFAULT_BREAKER.window, description="The time in which the share is counted")
    pause: Pause = Field(
        default=DEFAULT_BREAKER.pause,
        description="How long it stays open before one attempt may find out, doubled each time that this one fails",
    )
    max_pause: Pause = Field(default=DEFAULT_BREAKER.max_pause, description="The longest pause; at least `pause`")

    @model_validator(mode="after")
    def _in_order(self) -> BreakerSettings:
        if "max_pause" in self.model_fields_set and self.max_pause < self.pause:
            raise ValueError("`max_pause` is shorter than `pause`")
        return self

    @property
    def policy(self) -> BreakerPolicy:
        """The same as the engine has it."""
        return BreakerPolicy(**{**dict(self), "max_pause": max(self.max_pause, self.pause)})


def _written_breaker(value: Any) -> Any:
    """`on` and `off` as what they stand for; a mapping is left for the model to judge."""
    if value == "on":
        return {}
    if value == "off":
        return None
    if isinstance(value, dict):
        return value
    raise ValueError("write `on`, `off`, or a mapping such as {failures: 10, pause: 10s}")


def _breaker_schema(schema: dict[str, Any]) -> None:
    """In hooks.yaml it is a word or a mapping, and never null."""
    mapping = [one for one in schema.pop("anyOf") if one.get("type") != "null"]
    schema.pop("default", None)
    schema["anyOf"] = [{"enum": ["on", "off"]}, *mapping]


class DestinationSettings(Settings):
    """One entry of `destinations:`; its key is a name, or the origin of the URLs that it is for."""

    url: str | None = Field(default=None, description="Where it is; the `path` of a webhook is put behind it")
    signing_secret: SigningSecrets = Field(default=(), description="Signs every request by the Standard Webhooks")
    headers: Annotated[dict[str, str], AfterValidator(_check_headers)] = Field(
        default={}, description="Sent with each request"
    )
    concurrency: int | None = Field(default=None, ge=1, le=1000, description="Most requests under way at once")
    rate: Rate | None = Field(default=None, description="Most requests in a time, like 100/s")
    breaker: Annotated[BreakerSettings | None, BeforeValidator(_written_breaker)] = Field(
        default=BreakerSettings(),
        description="Leaves a failing destination alone for a while, without spending attempts; `off` for never",
        json_schema_extra=_breaker_schema,
    )


def read_destinations(entries: Mapping[str, Entry], values: FixedValues) -> Iterator[Destination]:
    """Every destination that could be read; problems of the others are in the log."""
    for name, entry in entries.items():
        origin = _origin_key(entry, values.log)
        fit = origin is not None or ("://" not in name and check_name(entry.key, "destination", values.log))
        node = as_mapping(entry.value, f"destination {shorten(name)}", values.log)
        made = _read_destination(entry, node, origin, values) if node is not None else None
        if made is not None and fit:
            yield made


def _origin_key(entry: Entry, log: ProblemLog) -> str | None:
    """The key as an origin, if it is one; one that is written in another form is reported."""
    key = entry.key
    if "://" not in key.text:
        return None
    origin = written_origin(key.text)
    if origin == key.text:
        return origin
    hint = f"write {origin}" if origin else "write it like https://api.example.com"
    log.error(key, f"{shorten(key.text)} is no origin: scheme and host in lower case, and nothing behind them", hint)
    return None


def _read_destination(entry: Entry, node: MapNode, origin: str | None, values: FixedValues) -> Destination | None:
    owner = f"destination {shorten(entry.key.text)}"
    tree = values.read(node)
    checked = validate(DestinationSettings, tree, Target(owner, entry.key.span), values.log)
    settings = checked.model
    if settings is None or not _check_url(settings, entry, node, origin, values.log):
        return None
    return Destination(
        name=entry.key.text,
        url=settings.url or origin,
        headers=settings.headers,
        signing_secrets=settings.signing_secret,
        concurrency=settings.concurrency,
        rate=settings.rate,
        breaker=settings.breaker.policy if settings.breaker is not None else None,
        place=entry.key.span.place,
    )


def _check_url(settings: DestinationSettings, entry: Entry, node: MapNode, origin: str | None, log: ProblemLog) -> bool:
    at = node.get("url") or entry.key
    if settings.url is None:
        if origin is None and "://" not in entry.key.text:
            log.error(entry.key, f"destination {shorten(entry.key.text)} needs `url`")
        return origin is not None
    if written_origin(settings.url) is None:
        log.error(at, "`url` must be an http or https URL with a host, and without a user name in it")
        return False
    if origin is not None and written_origin(settings.url) != origin:
        log.error(at, f"`url` has another origin than its key {origin}", "leave `url` out here")
        return False
    return True
