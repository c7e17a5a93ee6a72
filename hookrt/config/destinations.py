"""The `destinations:` section: where steps send, with the limits and credentials of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from hookrt.config.fields import as_mapping, check_name
from hookrt.config.fixed_values import FixedValues
from hookrt.config.nodes import Entry, MapNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.suggest import shorten
from hookrt.config.validation import Target, validate
from hookrt.model.hook import Destination
from hookrt.model.origin import written_origin
from hookrt.plugin.settings import Settings, SigningSecrets

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?/ ?(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
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


class DestinationSettings(Settings):
    """One entry of `destinations:`; its key is a name, or the origin of the URLs that it is for."""

    url: str | None = Field(default=None, description="Where it is; the `path` of a webhook is put behind it")
    signing_secret: SigningSecrets = Field(default=(), description="Signs every request by the Standard Webhooks")
    headers: Annotated[dict[str, str], AfterValidator(_check_headers)] = Field(
        default={}, description="Sent with each request"
    )
    concurrency: int | None = Field(default=None, ge=1, le=1000, description="Most requests under way at once")
    rate: Rate | None = Field(default=None, description="Most requests in a time, like 100/s")


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
