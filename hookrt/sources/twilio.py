"""The source `twilio`: what Twilio sends of messages, calls and other things.

Twilio signs the URL that it calls and the fields of the form (`X-Twilio-Signature`, HMAC-SHA1 with the account's auth
token); of a JSON body it signs the hash, as the parameter bodySHA256 of the URL. There is no time in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

from hookrt.plugin import (
    Inbound,
    InboundSettings,
    InboundSource,
    Received,
    Refused,
    Respond,
    Source,
    hmac_digests,
    impl,
    matches_any,
)
from hookrt.sources.reading import name_of, require_object, type_of
from hookrt.sources.signed import base64_signature
from hookrt.sources.twilio_kinds import KINDS, MESSAGE, OTHER, Kind

_SIGNATURE = "x-twilio-signature"
_BODY_HASH = "bodySHA256"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_TWIML = Respond(status=200, headers={"content-type": "text/xml"}, body="<Response/>")


def _check_url(text: str) -> str:
    parts = _split(text)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("write the URL that Twilio calls, like https://hooks.example.com/in/twilio, without ? and #")
    return text


class TwilioSettings(InboundSettings):
    """What verifies requests of Twilio: `secret` is the account's auth token."""

    url: Annotated[str, AfterValidator(_check_url)] | None = Field(
        default=None,
        description="The URL that Twilio calls, where a proxy stands before the service and the service sees another; "
        "by default as the request says",
    )
    respond: Respond | None = Field(
        default=_NO_TWIML, description="What Twilio is answered with; by default an empty TwiML document"
    )


class Twilio(InboundSource[TwilioSettings]):
    """Requests of Twilio, verified by `X-Twilio-Signature`; an event is `message.received` or `call.completed`."""

    name = "twilio"
    short = "secret"
    max_body = 256 * 1024  # a form has to be read before it can be verified; Twilio's are a few KiB

    def receive(self, request: Inbound, settings: TwilioSettings) -> Received:
        """The event, named after what its fields tell of; raises Refused."""
        if request.is_form:
            fields = request.form()
            _verify(request, settings, fields)
            data = _gather(fields)  # what was verified, and nothing else
            content: Any = data
        else:
            _verify(request, settings, ())
            if _signed_hash(request) is None:
                raise Refused("bad-signature", f"the URL has no {_BODY_HASH}, so that nothing signs the body")
            data = require_object(request.json())
            content = request.body
        kind = next((kind for kind in KINDS if kind.fits(data)), OTHER)
        return Received(
            type=type_of(kind.word, kind.status_in(data)),
            data=content,
            id=_id(request, kind, data),
            subject=kind.sid_in(data),
        )


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `twilio`."""
    return [Twilio]


def _verify(request: Inbound, settings: TwilioSettings, fields: Sequence[tuple[str, str]]) -> None:
    given = base64_signature(request, _SIGNATURE)
    suffix = "".join(name + value for name, value in sorted(set(fields))).encode()
    matched = False
    for url in _urls(request.url, settings.url):
        content = url.encode("utf-8", "surrogatepass") + suffix
        matched |= matches_any(given, hmac_digests("sha1", settings.plain_secrets, content))
    if not matched:
        raise Refused("bad-signature", _MISMATCH)
    signed = _signed_hash(request)
    if signed is not None and not matches_any(signed, [hashlib.sha256(request.body).hexdigest()]):
        raise Refused("bad-signature", f"{_BODY_HASH} is not the hash of the body")


_MISMATCH = (
    f"{_SIGNATURE} does not match: another auth token, changed fields, or a URL other than the one that Twilio "
    "called (behind a proxy set `url`)"
)


def _signed_hash(request: Inbound) -> str | None:
    return request.query.get(_BODY_HASH)


def _urls(requested: str, public: str | None) -> Iterator[str]:
    """What Twilio may have signed: the URL with its port, and without, since it does both."""
    if public is not None:
        _, mark, query = requested.partition("?")
        requested = public + mark + query
    yield requested
    parts = _split(requested)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return
    rest = requested[len(parts.scheme) + len("://") + len(parts.netloc) :]
    bare = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
    for netloc in (bare, f"{bare}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"):
        if netloc != parts.netloc:
            yield f"{parts.scheme}://{netloc}{rest}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is none
    except ValueError:
        return None
    return parts


def _gather(fields: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The fields by name; one that is repeated is a list."""
    gathered: dict[str, list[str]] = {}
    for name, value in fields:
        gathered.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in gathered.items()}


def _id(request: Inbound, kind: Kind, data: Mapping[str, Any]) -> str | None:
    """Twilio's own token, which it repeats when it tries again; else a message's id with its state.

    Other things are asked about several times in one state, as a call in progress, so that their bodies must tell.
    """
    token = name_of(request.headers.get("i-twilio-idempotency-token"))
    if token is not None or kind is not MESSAGE:
        return token
    return name_of(f"{kind.sid_in(data)}:{kind.status_in(data)}")
