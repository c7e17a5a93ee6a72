"""What a settings model is made of: strict, without unknown keys, and with types that read what people write."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, ClassVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Secret = SecretStr
"""A setting that must never be shown; read it with `.get_secret_value()`."""


class Settings(BaseModel):
    """The base of every settings model: unknown keys are errors, nothing is converted behind the writer's back.

    Values are validated by pydantic's strict rules for JSON: a text is no number and `yes` is no boolean, while
    enums, tuples, dates and the types `Duration`, `Size` and `Secret` are read from text.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=False, hide_input_in_errors=True
    )


def check_line(value: str) -> str:
    """A text on one line that says something; raises ValueError."""
    if not value or _CONTROL.search(value):
        raise ValueError("it is empty, or has a control character or a line break in it")
    return value


def take_model(cls: Any, base: type[BaseModel]) -> None:
    """Make the model in a class's own type parameter its `settings`; an inherited parameter is the parent's matter."""
    for parent in cls.__dict__.get("__orig_bases__", ()):
        found = [argument for argument in get_args(parent) if isinstance(argument, type)]
        if found and issubclass(found[0], base):
            cls.settings = found[0]


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(B|kB|KB|KiB|MB|MiB|GB|GiB)", re.ASCII)
_BYTES = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "KiB": 1024,
    "MB": 1000**2,
    "MiB": 1024**2,
    "GB": 1000**3,
    "GiB": 1024**3,
}
MAX_DURATION = timedelta(days=3650)
"""The longest duration that can be written; more is a slip of the pen."""

MAX_SIZE = 1024**4
"""The most bytes that can be written, likewise."""


def parse_duration(value: Any) -> timedelta:
    """A duration from text such as `15s`, `1h30m`, `250ms` or `2d`; raises ValueError saying how to write one.

    A bare number is refused, since nobody can see its unit. 0 needs one too (`0s`).
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError(f"{value!r} is no duration: write a number with a unit, like 250ms, 15s, 5m, 2h or 1h30m")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(value))
    if seconds > MAX_DURATION.total_seconds():
        raise ValueError(f"{value!r} is longer than ten years")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """A duration as `parse_duration` reads it, `1h30m` rather than `5400s`."""
    rest = round(duration.total_seconds() * 1000)
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def format_size(count: int) -> str:
    """A number of bytes as `parse_size` reads it, `64KiB` rather than `65536B`."""
    for name in ("GiB", "MiB", "KiB"):
        if count and count % _BYTES[name] == 0:
            return f"{count // _BYTES[name]}{name}"
    return f"{count}B"


def parse_size(value: Any) -> int:
    """A number of bytes from text such as `1MiB`, `64 KiB` or `500kB`; raises ValueError saying how to write one."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is no size: write a number with a unit, like 64KiB, 1MiB or 500kB")
    size = float(found[1]) * _BYTES[found[2]]
    if size > MAX_SIZE:
        raise ValueError(f"{value!r} is more than a terabyte")
    return int(size)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["15s", "5m", "1h30m"]}),
]
"""A length of time, written `15s`, `5m` or `1h30m`."""

Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["64KiB", "1MiB"]}),
]
"""A number of bytes, written `64KiB` or `1MiB`."""


@dataclass(slots=True)
class KnownDestinations:
    """Handed to validation as its context: the names that a `DestinationName` can have, None for any.

    `mentioned` collects those that were found, `secrets` each `SecretName`, and `urls` each `WrittenUrl`. Once it is
    `closed`, as at an event, nothing more is collected, and a secret's name has to be one of those. `schemes` are the
    signature schemes that plugins brought, `signed` the headers of the signatures of each destination, in lower case.
    """

    names: Collection[str] | None
    mentioned: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    urls: set[str] = field(default_factory=set)
    closed: bool = False
    schemes: Mapping[str, type[Any]] = field(default_factory=dict)
    signed: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DestinationRef:
    """Marks a text setting as the name of an entry of `destinations:`, see `DestinationName`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text, then looked up among the known destinations."""
        return core_schema.with_info_after_validator_function(_check_destination, handler(source))


def _check_destination(name: str, info: ValidationInfo) -> str:
    known = info.context
    if isinstance(known, KnownDestinations):
        if known.names is not None and name not in known.names:
            raise PydanticCustomError("unknown_destination", "there is no destination '{name}'", {"name": name})
        known.mentioned.add(name)
    return name


DestinationName = Annotated[str, DestinationRef()]
"""The name, or the origin, of an entry of `destinations:`; an unknown one is a problem with a did-you-mean."""


def _check_secret_name(name: str, info: ValidationInfo) -> str:
    known = info.context
    if not _SECRET_NAME.fullmatch(name):
        raise ValueError("write a secret's own name, like CRM_TOKEN: letters, digits and _")
    if isinstance(known, KnownDestinations):
        if known.closed and name not in known.secrets:
            raise ValueError("the name of a secret is written out, and not made by an expression")
        known.secrets.add(name)
    return name


SecretName = Annotated[
    str,
    AfterValidator(_check_secret_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_SECRET_NAME.pattern}$", "examples": ["CRM_TOKEN"]}),
]
"""The name of a secret that `call.secrets` will be asked for; `hookrt check` reports one that is not provided."""


def _note_url(url: str, info: ValidationInfo) -> str:
    known = info.context
    if isinstance(known, KnownDestinations) and not known.closed:
        known.urls.add(url)
    return url


WrittenUrl = Annotated[str, AfterValidator(_note_url)]
"""A URL inside a list or a mapping: its origin, where it is written out, is the operator's will, as that of a setting
that is a URL itself always is; `call.http` may reach it also where it is private."""
