"""The `destinations:` section: where steps send, with the limits and credentials of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from hookrt.config.access import AuthSettings, ProxyUrl, made_access, secrets_of, written_secrets
from hookrt.config.fields import as_mapping, check_name
from hookrt.config.fixed_values import FixedValues
from hookrt.config.nodes import Entry, MapNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.suggest import shorten
from hookrt.config.tls_files import BadPem, TlsFiles
from hookrt.config.validation import Target, validate
from hookrt.model.access import TlsIdentity
from hookrt.model.breaker_policy import DEFAULT_BREAKER, BreakerPolicy
from hookrt.model.hook import BodyFormat, Destination
from hookrt.model.origin import written_origin
from hookrt.model.web_url import check_url
from hookrt.plugin.protocols import FRAMING_HEADERS, HEADER_NAME, RESERVED_PREFIXES
from hookrt.plugin.rotating_secrets import SigningSecrets
from hookrt.plugin.schemes import STANDARD_HEADERS
from hookrt.plugin.settings import Duration, KnownDestinations, Settings
from hookrt.plugin.signature import SignatureScheme
from hookrt.plugin.signing_settings import Signings
from hookrt.plugin.tls_settings import TlsSettings

Schemes = Mapping[str, type[SignatureScheme[Any]]]
"""Signature schemes by name."""

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?/ ?(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(days=1)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def parse_rate(value: Any) -> float:
    """Requests per second from text such as `100/s` or `6000/m`; raises ValueError saying how to write one."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    rate = float(found[1]) / _SECONDS[found[2]] if found else 0.0
    if not 0 < rate <= 1_000_000:
        raise ValueError("this is no rate: write requests per time, like 100/s, 6000/m or 50/h")
    return rate


def _check_headers(headers: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    made = {name: "it belongs to the signature" for by in info.data.get("signing", ()) for name in by.header_names}
    made |= dict.fromkeys(STANDARD_HEADERS, "it belongs to the signature")
    if info.data.get("auth") is not None:
        made["authorization"] = "`auth` makes it"
    seen: set[str] = set()
    for name, value in headers.items():
        lower = name.lower()
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"{shorten(name)} is no header name")
        if lower in FRAMING_HEADERS:
            raise ValueError(f"{name} cannot be set by hand: it follows from the request")
        if lower in made or lower.startswith(RESERVED_PREFIXES):
            raise ValueError(f"{name} cannot be set by hand: {made.get(lower, 'such names are reserved')}")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} has a character that a header cannot carry")
        if lower in seen:
            raise ValueError(f"{name} stands there twice: case does not tell headers apart")
        seen.add(lower)
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
    signing: Signings = Field(
        default=(),
        description="Signs every request by another scheme: `{scheme: logto|github|hmac|..., secret: ...}`, or a list",
    )
    format: BodyFormat | None = Field(
        default=None,
        description="How events are written for it, where a step has no `format` or `body` of its own: `standard` "
        "(by default), `cloudevents`, `cloudevents-binary`, `raw` or `logto`",
    )
    auth: AuthSettings | None = Field(
        default=None,
        description="How to authenticate: `{basic: {user, password}}`, `{bearer: TOKEN}`, or `{oauth2: {token_url, "
        "client_id, client_secret}}`",
    )
    headers: Annotated[dict[str, str], AfterValidator(_check_headers)] = Field(
        default={}, description="Sent with each request"
    )
    tls: TlsSettings | None = Field(
        default=None,
        description="Files for https: a client certificate `{certificate, key}`, and `ca` with authorities of your own",
    )
    proxy: ProxyUrl | None = Field(
        default=None,
        description="An HTTP proxy to go by, like `http://proxy.example.com:3128`; that of the environment is never "
        "used. Which addresses may be reached stays the same.",
    )
    concurrency: int | None = Field(default=None, ge=1, le=1000, description="Most requests under way at once")
    rate: Rate | None = Field(default=None, description="Most requests in a time, like 100/s")
    breaker: Annotated[BreakerSettings | None, BeforeValidator(_written_breaker)] = Field(
        default=BreakerSettings(),
        description="Leaves a failing destination alone for a while, without spending attempts; `off` for never",
        json_schema_extra=_breaker_schema,
    )


def read_destinations(
    entries: Mapping[str, Entry], values: FixedValues, schemes: Schemes | None = None, files: TlsFiles | None = None
) -> Iterator[Destination]:
    """Every destination that could be read; problems of the others are in the log. `schemes` are those that sign,
    `files` reads those that `tls` names.
    """
    files = files or TlsFiles(Path())
    known = KnownDestinations(None, schemes=schemes or {})
    for name, entry in entries.items():
        origin = _origin_key(entry, values.log)
        fit = origin is not None or ("://" not in name and check_name(entry.key, "destination", values.log))
        node = as_mapping(entry.value, f"destination {shorten(name)}", values.log)
        made = _read_destination(entry, node, origin, _Reading(values, known, files)) if node is not None else None
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the reading of one destination needs."""

    values: FixedValues
    known: KnownDestinations
    files: TlsFiles

    def hide(self, secrets: Iterable[str]) -> None:
        """Let them never be shown."""
        if self.values.secrets is not None:
            for secret in secrets:
                self.values.secrets.lookup.masker.add(secret)


def _read_destination(entry: Entry, node: MapNode, origin: str | None, reading: _Reading) -> Destination | None:
    owner, log = f"destination {shorten(entry.key.text)}", reading.values.log
    tree = reading.values.read(node)
    reading.hide(written_secrets(tree.sample()))
    checked = validate(DestinationSettings, tree, Target(owner, entry.key.span, reading.known), log)
    settings = checked.model
    if settings is None or not _check_url(settings, entry, node, origin, log):
        return None
    url = settings.url or origin or ""
    try:
        tls = _read_tls(settings, url, reading.files)
    except BadPem as error:
        _report_tls(error, entry, node, log)
        return None
    reading.hide(secrets_of(settings))
    header = settings.auth.header if settings.auth is not None else None
    return Destination(
        name=entry.key.text,
        url=url,
        headers=settings.headers if header is None else {**settings.headers, "authorization": header},
        authorized=settings.auth is not None,
        access=made_access(entry.key.text, url, settings, tls),
        signing_secrets=settings.signing_secret,
        signing=settings.signing,
        format=settings.format,
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
    try:
        check_url(settings.url)
    except ValueError as error:
        log.error(at, f"`url`: {error}")
        return False
    if origin is not None and written_origin(settings.url) != origin:
        log.error(at, f"`url` has another origin than its key {origin}", "leave `url` out here")
        return False
    return True


def _read_tls(settings: DestinationSettings, url: str, files: TlsFiles) -> TlsIdentity | None:
    """What the files of `tls` hold; raises BadPem."""
    if settings.tls is None:
        return None
    if not url.lower().startswith("https:"):
        raise BadPem("tls", "of no use for a URL by http", "write https, or leave `tls` out")
    return files.read(*settings.tls.files)


def _report_tls(error: BadPem, entry: Entry, node: MapNode, log: ProblemLog) -> None:
    section = node.get("tls")
    at = section.get(error.key) if isinstance(section, MapNode) else None
    log.error(at or section or entry.key, f"`{error.key}`: {error}", error.hint)
