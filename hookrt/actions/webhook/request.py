"""The request of a webhook, made from settings, destination and event."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from hookrt.actions.webhook.formats import FORMATS
from hookrt.actions.webhook.prepared import Dress, Prepared
from hookrt.actions.webhook.settings import WebhookSettings
from hookrt.actions.webhook.url import join_url
from hookrt.plugin import (
    BAD_IN_HEADER,
    DEFAULT_RULES,
    FRAMING_HEADERS,
    HEADER_NAME,
    LITERAL_RULES,
    RESERVED_PREFIXES,
    STANDARD_HEADERS,
    ActionCall,
    AnswerRules,
    Destination,
    Signing,
    SigningKey,
    SigningSecret,
    StandardScheme,
    check_url,
)

_encode = msgspec.json.Encoder().encode


_ADDRESS = frozenset({"to", "url", "path", "query"})


def prepare(call: ActionCall[WebhookSettings], destination: Destination | None, user_agent: str) -> Prepared:
    """Make what is fixed ready; raises ValueError for what cannot be sent (a reserved header, a bad secret)."""
    settings = call.settings
    if destination is not None and (destination.authorized or destination.access is not None):
        _check_written(call, destination)
    dress, standard = _dress(settings, destination)
    _check_headers(settings, destination, dress)
    from_event = not settings.has_body and settings.method not in {"GET", "DELETE"}
    body, content_type = _fixed_body(settings)
    written = dress.format if dress is not None else None
    headers = {"user-agent": user_agent if written is None else written.user_agent or user_agent}
    if body is not None or (from_event and written is None):
        headers["content-type"] = content_type
    headers |= _lower(destination.headers if destination else {}) | _lower(settings.headers)
    url = check_url(settings.url or (destination.url if destination else None) or "")
    return Prepared(
        destination=destination,
        method=settings.method,
        url=join_url(url, settings.path, settings.query),
        headers=headers,
        keys=tuple(_keys((*settings.signing_secret, *standard), destination)),
        body=body,
        from_event=from_event,
        rules=_rules(settings, literal=_ADDRESS.isdisjoint(call.rendered)),
        dress=dress,
        access=destination.access if destination is not None else None,
    )


def _dress(
    settings: WebhookSettings, destination: Destination | None
) -> tuple[Dress | None, tuple[SigningSecret, ...]]:
    """The format and the signers, None where both are plain, and the secrets of `standard` among `signing`.

    What the step says wins over its destination: its format, and its signature where both make the same header.
    """
    if not settings.signing and settings.format is None and (destination is None or _is_plain(destination)):
        return None, ()  # as most are
    signers = (*(destination.signing if destination else ()), *settings.signing)
    standard = [one for one in signers if isinstance(one, Signing) and isinstance(one.scheme, StandardScheme)]
    others = tuple(signer for signer in signers if signer not in standard)
    chosen = settings.format or (destination.format if destination else None) or "standard"
    dress = Dress(FORMATS.get(chosen), others) if others or chosen != "standard" else None
    return dress, tuple(secret for signer in standard for secret in signer.secrets)


def _check_written(call: ActionCall[WebhookSettings], destination: Destination) -> None:
    """Raises ValueError when an event chose the URL: whoever sent it would have its request made with credentials."""
    if call.settings.to is None and call.origins is not None and destination.name not in call.origins:
        raise ValueError(
            f"the URL comes from the event, and so does not get the credentials of the destination {destination.name}: "
            "write its origin out, or name the destination with `to`"
        )


def _is_plain(destination: Destination) -> bool:
    return not destination.signing and destination.format is None


def _check_headers(settings: WebhookSettings, destination: Destination | None, dress: Dress | None) -> None:
    signed = dress.header_names if dress is not None else ()
    for name, value in {**(destination.headers if destination else {}), **settings.headers}.items():
        if wrong := explain_header(name, value, signed):
            raise ValueError(wrong)
    if destination is not None and destination.authorized and "authorization" in _lower(settings.headers):
        raise ValueError("the header authorization is made by the destination's `auth` and cannot be set by hand")


def _rules(settings: WebhookSettings, *, literal: bool) -> AnswerRules:
    """What an answer means; only one from a literal URL can speak for all deliveries of the hook."""
    if not {"success", "retry_on"} & settings.model_fields_set:
        return LITERAL_RULES if literal else DEFAULT_RULES
    return AnswerRules(settings.success, settings.retry_on, disables=literal)


def explain_header(name: str, value: str, signed: Collection[str] = ()) -> str | None:
    """Why this header cannot be set by hand; None when it can. `signed` are those of signatures, in lower case."""
    lower = name.lower()
    if lower in FRAMING_HEADERS:
        return f"the header {name} is set by the HTTP client and cannot be set by hand"
    if lower in STANDARD_HEADERS or lower in signed or lower.startswith(RESERVED_PREFIXES):
        return f"the header {name} is made by hookrt for every attempt and cannot be set by hand"
    if not HEADER_NAME.fullmatch(name):
        return f"{name!r} is no header name: letters, digits and '-' make one"
    if BAD_IN_HEADER.search(value):
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
