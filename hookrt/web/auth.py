"""Who may use the API: tokens with scopes, and without any token only this machine itself."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hookrt.web.media_type import is_json
from hookrt.web.problem import ProblemDocument, Refusal

Head = Mapping[bytes, bytes]
"""A request's headers, names in lower case."""

_LOOPBACK_HOST = re.compile(rb"(?:127(?:\.\d{1,3}){3}|[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|\[::1\])(?::\d{1,5})?")
_LOOPBACK_PEERS = ("127.", "::ffff:127.")
_PROXIES = frozenset({b"via", b"x-real-ip", b"true-client-ip", b"cf-connecting-ip"})
_HARMLESS = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
"""Methods that change nothing: the first two only read, and no route has the others, so that they are answered 405."""

_HOW_TO_SET = (
    'set a token in hooks.yaml (service: {tokens: [{token: "${{ secrets.NAME }}", scopes: [emit, read]}]}) '
    "and send it as 'Authorization: Bearer TOKEN'"
)


class Scope(StrEnum):
    """What a token allows; `admin` allows everything."""

    EMIT = "emit"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """A token, kept as its hash only, and what it allows."""

    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]

    @classmethod
    def make(cls, value: str, scopes: Iterable[str]) -> Token:
        """The token with this text. Raises ValueError for an unknown scope, or a text no header can carry."""
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("a token is a text of printable ASCII characters without spaces")
        allowed = frozenset(Scope(scope) for scope in scopes)
        if not allowed:
            raise ValueError("a token without scopes opens nothing: give it emit, read or admin")
        return cls(_digest(value.encode("ascii")), allowed)


class Guard:
    """Lets a request pass, or ends it with a Refusal.

    With tokens every request needs one with the scope, wherever it comes from. Without any, a request must come from
    this machine, be addressed to it, have passed no proxy, belong to no foreign web page and, where it changes
    something, send JSON: so that neither a tunnel nor a page in a browser opens the service.
    """

    def __init__(self, tokens: Sequence[Token] = ()) -> None:
        self._tokens = tuple(tokens)

    def check(self, scope: Mapping[str, Any], head: Head, needed: Scope) -> None:
        """Return when the request may go on; raise Refusal when not."""
        if self._tokens:
            self._check_token(head.get(b"authorization", b""), needed)
        else:
            _check_local(scope, head)

    def _check_token(self, authorization: bytes, needed: Scope) -> None:
        kind, _, value = authorization.partition(b" ")
        if kind.lower() != b"bearer" or not value.strip():
            raise _unauthorized("this service wants a token: send 'Authorization: Bearer TOKEN'")
        digest, held = _digest(value.strip()), None
        for token in self._tokens:  # all of them, so that the time tells nothing
            if hmac.compare_digest(token.digest, digest):
                held = token.scopes if held is None else held | token.scopes
        if held is None:
            raise _unauthorized("the token is unknown", ' error="invalid_token"')
        if needed not in held and Scope.ADMIN not in held:
            raise _lacks_scope(needed)


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _unauthorized(detail: str, parameters: str = "") -> Refusal:
    headers = {"www-authenticate": f'Bearer realm="hookrt"{"," if parameters else ""}{parameters}'}
    return Refusal(ProblemDocument(401, "unauthorized", detail, headers=headers))


def _lacks_scope(needed: Scope) -> Refusal:
    challenge = f'Bearer realm="hookrt", error="insufficient_scope", scope="{needed}"'
    detail = f"this token does not have the scope '{needed}'"
    return Refusal(ProblemDocument(403, "forbidden", detail, headers={"www-authenticate": challenge}))


def _check_local(scope: Mapping[str, Any], head: Head) -> None:
    peer = scope.get("client")
    if not peer or not (peer[0] == "127.0.0.1" or peer[0] == "::1" or peer[0].startswith(_LOOPBACK_PEERS)):
        raise _closed("it has no token, so it answers only on its own machine")
    host = head.get(b"host", b"")
    if not _LOOPBACK_HOST.fullmatch(host):
        raise _closed("it has no token, so it answers only when addressed as localhost or 127.0.0.1")
    if scope.get("http_version") == "1.0":  # as nginx asks by default, with a loopback Host and no word of itself
        raise _closed("it has no token, so it answers no HTTP/1.0, which proxies speak")
    if b"forwarded" in b" ".join(head) or not _PROXIES.isdisjoint(head):  # Forwarded, X-Forwarded-*, and their like
        raise _closed("it has no token, so it answers no request that a proxy or tunnel passed on")
    if b"origin" in head and head[b"origin"].lower() != b"http://" + host.lower():
        raise _closed("it has no token, so it answers no other web page's requests")
    if scope["method"] not in _HARMLESS and not is_json_type(head.get(b"content-type", b"")):
        need = "without a token, requests that change something must send Content-Type: application/json"
        raise Refusal(ProblemDocument(415, "unsupported-media-type", f"{need}; or {_HOW_TO_SET}"))


def is_json_type(content_type: bytes) -> bool:
    """Whether a Content-Type says JSON."""
    return content_type == b"application/json" or is_json(content_type.decode("latin-1"))


def _closed(why: str) -> Refusal:
    detail = f"this service is closed here: {why}. To open it, {_HOW_TO_SET}"
    return Refusal(ProblemDocument(403, "closed-without-token", detail))
