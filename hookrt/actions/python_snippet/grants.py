"""What a step grants to its snippet: read from `allow`, and asked of every call and of every use that a check sees."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from hookrt.actions.python_snippet.worker.stops import ADD_TO
from hookrt.actions.python_snippet.worker.values import yaml_word
from hookrt.actions.python_snippet.worker.wire import Use
from hookrt.plugin import matches

Origin = tuple[str, str, int]
"""Scheme, host without a final dot, and port, as the client reads them."""

MAX_URL = 8192
"""Characters of a URL as the client writes it; the way out takes no longer one, and URLs are kept in memory."""

_MAX_REMEMBERED = 256
_DECODINGS = 8
_UNSEEN = re.compile(r"[\x00-\x20\x7f]+")


class NotGranted(Exception):  # noqa: N818 - a decision, which becomes an outcome
    """Something is used that the step does not allow; the text names it, and the line of YAML to add."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL as the client that will connect reads it: `text` is its own spelling."""

    text: str
    origin: Origin
    path: str
    query: bool

    @property
    def shown(self) -> str:
        """The URL for logs, without its query, which may hold secrets."""
        return self.text.partition("#")[0].partition("?")[0] + ("?…" if self.query else "")


@dataclass(frozen=True, slots=True)
class HttpGrant:
    """An entry of `allow.http`: an origin, and the path below which it holds ("" for all)."""

    origin: Origin
    path: str = ""

    def covers(self, address: Address) -> bool:
        """Whether this address may be asked."""
        if address.origin != self.origin:
            return False
        if not self.path:
            return True
        below = address.path == self.path or address.path.startswith(self.path + "/")
        return below and not _climbs(address.path)


@dataclass(frozen=True, slots=True)
class Grants:
    """All that one step grants, and where the step stands, for messages."""

    http: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    state: bool = False
    emit: tuple[str, ...] = ()
    place: str = ""
    _http: tuple[HttpGrant, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_http", tuple(read_grant(text) for text in self.http))

    @property
    def names(self) -> Mapping[str, Any]:
        """What the worker is told."""
        return {
            "http": list(self.http),
            "secrets": list(self.secrets),
            "state": self.state,
            "emit": list(self.emit),
        }

    @property
    def digest(self) -> str:
        """The same text for the same grants."""
        written = repr((self.http, self.secrets, self.state, self.emit))
        return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def address(self, url: str) -> Address:
        """The address to send to; NotGranted for another than the granted ones, ValueError for what is no URL."""
        address = read_address(url)
        if any(grant.covers(address) for grant in self._http):
            return address
        paths = [grant.path for grant in self._http if grant.origin == address.origin]
        if paths:
            raise self._outside(_written(address), paths)
        raise self._refusal("http", _written(address), _written(address) if self.http else None)

    def check_secret(self, name: str) -> None:
        """NotGranted for a secret that is not."""
        if name not in self.secrets:
            raise self._refusal("secrets", name, name if self.secrets else None)

    def check_state(self) -> None:
        """NotGranted without `state: true`."""
        if not self.state:
            raise self._refusal("state", "", None)

    def check_type(self, name: str) -> None:
        """NotGranted for a type of event that no entry means."""
        if not any(matches(pattern, name) for pattern in self.emit):
            raise self._refusal("emit", name, name if self.emit else None)

    def check_use(self, use: Use) -> None:
        """NotGranted for a use that will plainly be refused."""
        target = use.target
        if target is None:
            if not getattr(self, use.name):
                raise self._refusal(use.name, _EXAMPLES[use.name], None)
        elif use.name == "http":
            self._check_url(target)
        elif use.name == "secrets":
            self.check_secret(target)
        elif use.name == "emit":
            self.check_type(target)
        else:
            self.check_state()

    def _check_url(self, url: str) -> None:
        """As `address`, for a URL of which only the beginning may be known."""
        try:
            address = read_address(url)
        except ValueError:
            if not self.http:
                raise self._refusal("http", _EXAMPLES["http"], None) from None
            return
        if not any(grant.origin == address.origin for grant in self._http):
            raise self._refusal("http", _written(address), _written(address) if self.http else None)

    def _outside(self, origin: str, paths: Iterable[str]) -> NotGranted:
        """For a URL at a granted origin, but at none of the granted paths; the whole origin is not what to advise."""
        below = yaml_word(", ".join(origin + path for path in paths)[:_MAX_SHOWN])
        place = f" ({self.place})" if self.place else ""
        return NotGranted(f"ctx.http is granted for {below} and what lies below only{place}")

    def _refusal(self, name: str, entry: str, missing: str | None) -> NotGranted:
        """`missing` is what is not granted where other things of the kind are."""
        if name == "emit" and entry.partition(".")[0] == "hookrt":
            return NotGranted("ctx.emit is never granted for `hookrt.` events: nobody but hookrt emits them")
        shown = yaml_word(entry)
        said = {"secrets": f"ctx.secrets.{shown}" if shown else "ctx.secrets"}.get(name, f"ctx.{name}")
        what = f" for {shown}" if missing is not None and name != "secrets" else ""
        allowed = "state: true" if name == "state" else f"{name}: [{shown or _EXAMPLES[name]}]"
        place = f" ({self.place})" if self.place else ""
        return NotGranted(f'{said} is not granted{what}: add "allow: {{{allowed}}}" {ADD_TO}{place}')


_MAX_SHOWN = 300  # characters of entries in a message
_EXAMPLES = {"http": "https://api.example.com", "secrets": "NAME", "state": "", "emit": "User.Enriched"}


def read_grant(text: str) -> HttpGrant:
    """An entry of `allow.http`; ValueError says what is wrong with it."""
    if "*" in text:
        raise ValueError("an entry has no `*`: write each origin out, like https://api.example.com")
    address = read_address(text)
    if address.query or "#" in address.text or "?" in text:
        raise ValueError("an entry is an origin, with a path at most: it has no query")
    if _climbs(address.path):
        raise ValueError("the path of an entry has no `..`")
    return HttpGrant(address.origin, address.path.rstrip("/"))


@functools.lru_cache(maxsize=_MAX_REMEMBERED)
def read_address(text: str) -> Address:
    """A URL as the client reads it; ValueError for what is no http(s) URL, or holds a user name or a password."""
    from pyreqwest.http import Url  # noqa: PLC0415 - most snippets send nothing

    try:
        url = Url(text) if len(text) <= MAX_URL else None
    except ValueError as error:
        how = ": write it with its scheme, like https://api.example.com" if "://" not in text else f": {error}"
        raise ValueError(f"this is no URL{how}") from None
    if url is None or len(str(url)) > MAX_URL:
        raise ValueError(f"a URL has at most {MAX_URL:,} characters")
    if url.scheme not in {"http", "https"} or not url.host_str:
        raise ValueError("write it with its scheme, like https://api.example.com")
    if url.username or url.password is not None:
        raise ValueError("a URL here holds no user name and no password")
    origin = (url.scheme, url.host_str.removesuffix("."), url.port_or_known_default or 0)
    return Address(str(url), origin, url.path, url.query_string is not None)


def ungranted(uses: Iterable[Use], grants: Grants) -> Iterator[tuple[Use, str]]:
    """The uses that will be refused, each with why."""
    for use in uses:
        try:
            grants.check_use(use)
        except NotGranted as refusal:
            yield use, str(refusal)


def _written(address: Address) -> str:
    scheme, host, port = address.origin
    usual = {"http": 80, "https": 443}[scheme] == port
    return f"{scheme}://{host}" + ("" if usual else f":{port}")


def _climbs(path: str) -> bool:
    """Whether a server might read `..` in this path, however it is encoded."""
    for _ in range(_DECODINGS):
        read = path.replace("\\", "/").replace("\xc0\xae", ".").replace("\xc0\xaf", "/")  # and overlong UTF-8
        if any(_UNSEEN.sub("", segment.partition(";")[0]) == ".." for segment in read.split("/")):
            return True
        decoded = unquote(path, "latin-1")
        if decoded == path:
            return False
        path = decoded
    return True  # nobody encodes a path that often who means well
