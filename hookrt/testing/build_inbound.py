"""Requests that come in, for tests of sources."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack
from urllib.parse import parse_qsl, urlsplit

import msgspec

from hookrt.plugin.inbound import Inbound
from hookrt.testing.build_event import NOON


class InboundFields(TypedDict, total=False):
    """What else a request may be given."""

    method: str
    url: str
    received: datetime


def inbound(body: Any = b"", headers: Mapping[str, str] | None = None, **fields: Unpack[InboundFields]) -> Inbound:
    """A request with this body (bytes, a text, or anything else as JSON) and these headers.

    It is a `POST` to `https://hooks.example.com/in/test` that came at noon of 2025-01-01, unless `fields` differ. What
    the query says is read from `url`.
    """
    url = fields.get("url", "https://hooks.example.com/in/test")
    if isinstance(body, str):
        body = body.encode()
    return Inbound(
        method=fields.get("method", "POST"),
        url=url,
        headers={name.lower(): value for name, value in (headers or {}).items()},
        query=dict(reversed(parse_qsl(urlsplit(url).query, keep_blank_values=True))),
        body=body if isinstance(body, bytes) else msgspec.json.encode(body),
        received=fields.get("received", NOON),
    )
