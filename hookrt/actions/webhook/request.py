"""The request of a webhook, made from settings, destination and event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from hookrt.actions.webhook.prepared import Prepared
from hookrt.actions.webhook.settings import WebhookSettings
from hookrt.actions.webhook.url import check_url, join_url
from hookrt.plugin import (
    DEFAULT_RULES,
    FRAMING_HEADERS,
    LITERAL_RULES,
    ActionCall,
    AnswerRules,
    Destination,
    Event,
    SigningKey,
    SigningSecret,
    format_time,
)

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SIGNATURE_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})
_encode = msgspec.json.Encoder().encode


_ADDRESS = frozenset({"to", "url", "path", "query"})


def prepare(call: ActionCall[WebhookSettings], destination: Destination | None, user_agent: str) -> Prepared:
    """Make what is fixed ready; raises ValueError for what cannot be sent (a reserved header, a bad secret)."""
    settings = call.settings
    given = {**(destination.headers if destination else {}), **settings.headers}
    for name, value in given.items():
        if wrong := explain_header(name, value):
            raise ValueError(wrong)
    from_event = not settings.has_body and settings.method not in {"GET", "DELETE"}
    body, content_type = _fixed_body(settings)
    headers = {"user-agent": user_agent}
    if from_event or body is not None:
        headers["content-type"] = content_type
    headers |= _lower(destination.headers if destination else {}) | _lower(settings.headers)
    url = check_url(settings.url or (destination.url if destination else None) or "")
    return Prepared(
        destination=destination,
        method=settings.method,
        url=join_url(url, settings.path, settings.query),
        headers=headers,
        keys=tuple(_keys(settings.signing_secret, destination)),
        body=body,
        from_event=from_event,
        rules=_rules(settings, literal=_ADDRESS.isdisjoint(call.rendered)),
    )


def _rules(settings: WebhookSettings, *, literal: bool) -> AnswerRules:
    """What an answer means; only one from a literal URL can speak for all deliveries of the hook."""
    if not {"success", "retry_on"} & settings.model_fields_set:
        return LITERAL_RULES if literal else DEFAULT_RULES
    return AnswerRules(settings.success, settings.retry_on, disables=literal)


def standard_body(event: Event) -> bytes:
    """The Standard Webhooks' body; the event's data goes into it byte for byte as it came in."""
    begin = b'{"type":' + _encode(event.type) + b',"timestamp":"' + format_time(event.time).encode()
    if event.binary:
        return begin + b'","data_base64":"' + (event.data_base64 or "").encode() + b'"}'
    return begin + b'","data":' + event.content + b"}"


def explain_header(name: str, value: str) -> str | None:
    """Why this header cannot be set by hand; None when it can."""
    lower = name.lower()
    if lower in FRAMING_HEADERS:
        return f"the header {name} is set by the HTTP client and cannot be set by hand"
    if lower in _SIGNATURE_HEADERS:
        return f"the header {name} is made by hookrt for every attempt and cannot be set by hand"
    if not _NAME.fullmatch(name):
        return f"{name!r} is no header name: letters, digits and '-' make one"
    if _BAD_IN_VALUE.search(value):
        return f"the header {name} has a line break or another control character in its value"
    return None


def _fixed_body(settings: WebhookSettings) -> tuple[bytes | None, str]:
    if not settings.has_body:
        return None, "application/json"
    if isinstance(settings.body, str):
        return settings.body.encode(), "text/plain; charset=utf-8"
    return _encode(settings.body), "application/json"


def _keys(
    own: Iterable[SigningSecret], destination: Destination | None
) -> Iterator[tuple[SigningKey, datetime | None]]:
    for secret in (*(destination.signing_secrets if destination else ()), *own):
        yield SigningKey.parse(secret.value), secret.until


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
