"""How a destination lets requests in, where a header does not do: a token that is fetched, a certificate, a proxy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A client of OAuth 2 with credentials of its own (RFC 6749, section 4.4).

    `style` says where the credentials stand in the token request: in its authorization header or in its body.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    audience: str | None = None
    style: Literal["basic", "post"] = "basic"


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """What a TLS connection needs beside the public authorities, as PEM: our certificate with its key, and theirs.

    `identity` is the key and the certificate chain, `authorities` are certificates that are trusted as well.
    """

    identity: bytes | None = field(default=None, repr=False)
    authorities: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `url` is its origin, without credentials."""

    url: str
    user: str | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """How the destination `name` is reached; it counts for requests to its own `origin` and for no others."""

    name: str
    origin: str
    oauth: OAuthClient | None = None
    tls: TlsIdentity | None = None
    proxy: Proxy | None = None

    @property
    def own_connections(self) -> bool:
        """Whether its connections differ from those that others use."""
        return self.tls is not None or self.proxy is not None
