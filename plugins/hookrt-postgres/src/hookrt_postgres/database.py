"""A database: how a URL names it, how to connect to it, and how to tell of errors without its password."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator

from hookrt.plugin import Secret

CONNECT_S = 10.0
"""Seconds for connecting to one address, at most."""

_SCHEME = re.compile(r"(?:postgresql|postgres)(?:\+\w+)?://")
_ALLOWED = frozenset(
    {"host", "port", "dbname", "user", "password", "application_name", "options", "target_session_attrs"}
    | {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslnegotiation", "channel_binding", "gssencmode"}
)
_SECRET = ("password", "sslpassword")
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Database:
    """What a URL says. `host` is the folder of a socket where it begins with `/`."""

    host: str
    port: int
    url: str = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)

    @property
    def is_socket(self) -> bool:
        """Whether it is reached by a socket of this machine."""
        return self.host.startswith("/")

    def hide(self, text: str) -> str:
        """The text on one line, without the URL and the passwords in it, as they are written and as they are meant."""
        secrets = [self.url, self.url.partition("://")[2], urlsplit(self.url).password or ""]
        secrets += [self.parameters.get(name, "") for name in _SECRET]
        for one in sorted({*secrets, *map(unquote, secrets)}, key=len, reverse=True):
            text = text.replace(one, _HIDDEN) if one else text
        return " ".join(text.split())


def read_url(url: str) -> Database:
    """The database that a URL names; raises ValueError, which does not show it."""
    found = _SCHEME.match(url)
    if found is None:
        raise ValueError("write postgresql://USER:PASSWORD@HOST/DATABASE")
    try:
        parameters = {
            key: str(value) for key, value in conninfo_to_dict(f"postgresql://{url[found.end() :]}").items() if value
        }
        urlsplit(url)
    except (psycopg.Error, ValueError):
        raise ValueError(
            "this is no URL of PostgreSQL; in a password, write @ / : and % as %40 %2F %3A and %25"
        ) from None
    if refused := sorted(parameters.keys() - _ALLOWED):
        raise ValueError(f"`{refused[0]}` cannot be set in the URL")
    host, port = parameters.get("host", ""), parameters.get("port", "5432")
    if not host or "," in host:
        raise ValueError("name one host in the URL")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("the port is a number from 1 to 65535")
    return Database(host, int(port), url, parameters)


def _check_url(url: Secret) -> Secret:
    read_url(url.get_secret_value())
    return url


DatabaseUrl = Annotated[Secret, AfterValidator(_check_url)]
"""A setting that is the URL of a database."""


async def connect(
    database: Database, addresses: Sequence[str] = (), *, within: float = CONNECT_S, autocommit: bool = False
) -> psycopg.AsyncConnection[Any]:
    """A connection, to one of these addresses where some are given; raises psycopg.Error.

    No password comes from elsewhere than the URL.
    """
    options: dict[str, Any] = {
        "application_name": "hookrt",
        "password": "",
        **database.parameters,
        "passfile": os.devnull,
        "client_encoding": "UTF8",
        "connect_timeout": max(2, round(min(within, CONNECT_S))),
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    if addresses:
        options |= {"host": ",".join([database.host] * len(addresses)), "hostaddr": ",".join(addresses)}
    return await psycopg.AsyncConnection.connect(autocommit=autocommit, prepare_threshold=None, **options)
