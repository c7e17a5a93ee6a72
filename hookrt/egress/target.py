"""Where a request goes, read by the parser of the very client that will connect."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pyreqwest.http import Url

from hookrt.egress.ranges import Address
from hookrt.plugin.protocols import HttpError

MAX_URL = 8192
"""Longest URL, in characters; servers refuse longer ones, and targets are kept in memory."""

_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[^:/?#@%\\\[\]\s]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LOCAL_SUFFIXES = (".internal", ".local", ".svc", ".localhost")

Origin = tuple[str, str, int]
"""Scheme, host and port, with the default port written out."""


@dataclass(slots=True, eq=False)
class Target:
    """A URL whose text is in order, and what decides where it may connect to.

    `host` has no final dot. `literal` is the address where the host is one as the client reads it. `trusted` says
    that the origin is local and was written out by the operator. `cleared` is the DNS answer that was last found
    to be in order, so that it is not judged at every request.
    """

    url: Url
    host: str
    port: int
    literal: Address | None = None
    trusted: bool = False
    cleared: object = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """Host and port, for messages; never the path, which may hold a secret."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_target(text: str, trusted: Iterable[str]) -> Target:
    """Read a URL, and whether one of the trusted origins is its own.

    Raises HttpError with the reason `bad-url` for what is no http(s) URL, or has credentials or control characters.
    """
    url = _read_url(text)
    try:
        host, literal = read_host(url.host_str or "")
    except ValueError as error:
        raise HttpError("bad-url", f"the URL's host cannot be used: {error}") from None
    if url.host_str != host and literal is None:
        url = url.with_host(host)
        if url.domain != host:  # what is judged must be what the client reads
            raise HttpError("bad-url", "the URL's host cannot be used: it reads as two different ones")
    port = url.port_or_known_default or 0
    if port == 0:
        raise HttpError("bad-url", "the URL has the port 0, which nothing listens on")
    origin = (url.scheme, host, port)
    known = is_local(host, literal) and origin in _origins(trusted)
    return Target(url, host, port, literal, known)


def read_place(host: str, port: int, *, written: bool) -> Target:
    """A host and a port of another protocol as a target, its host read as that of a URL; `written` says that somebody
    wrote it out. Raises HttpError with the reason `bad-url`.
    """
    name = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    if not _HOST.fullmatch(name) or not 0 < port < 65536:
        raise HttpError("bad-url", f"{host[:255]!r} at the port {port} is no host to connect to")
    url = f"https://{name}:{port}"
    return read_target(url, (url,) if written else ())


def read_host(text: str) -> tuple[str, Address | None]:
    """A host as the client reads it: lower case, in ASCII, without a final dot; and the address if it is one.

    Raises ValueError for what is no host. `2130706433`, `0x7f.1` and full-width digits are addresses too.
    """
    parsed = Url(f"http://{text}/")
    host = parsed.host_str
    if host is None or parsed.username or parsed.password or parsed.path != "/":
        raise ValueError("it is empty or has characters that no host has")
    if parsed.domain is None:
        literal = ipaddress.ip_address(host.strip("[]"))
        return str(literal), literal
    host = host.removesuffix(".")
    if "" in host.split("."):  # without a final dot more than one may become an address in the next reading
        raise ValueError("it is empty, or has two dots in a row")
    return host, None


def is_local(host: str, literal: Address | None) -> bool:
    """Whether nobody could mean a place on the Internet by this host: an address, one label, or a local suffix."""
    return literal is not None or "." not in host or host.endswith(_LOCAL_SUFFIXES)


def _read_url(text: str) -> Url:
    if len(text) > MAX_URL:
        raise HttpError("bad-url", f"the URL has {len(text)} characters, at most {MAX_URL} are allowed")
    if _CONTROL.search(text):
        raise HttpError("bad-url", "the URL has a control character in it")
    try:
        url = Url(text)
    except ValueError as error:
        raise HttpError("bad-url", f"the URL cannot be read: {error}") from None
    if url.scheme not in {"http", "https"}:
        raise HttpError("bad-url", f"the URL begins with {url.scheme!r}: only http and https are sent")
    if url.username or url.password is not None:
        raise HttpError("bad-url", "the URL holds a user name or a password: put them into an authorization header")
    if not url.host_str:
        raise HttpError("bad-url", "the URL has no host")
    return url


def _origins(texts: Iterable[str]) -> set[Origin]:
    found: set[Origin] = set()
    for text in texts:
        try:
            url = Url(text)
            host, _ = read_host(url.host_str or "")
        except ValueError:  # an origin that cannot be read is nobody's
            continue
        found.add((url.scheme, host, url.port_or_known_default or 0))
    return found
