"""What Slack's answers mean: its errors come with status 200 as JSON, or as one word of plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hookrt.plugin import Outcome, Response

_WORD = re.compile(r"[a-z][a-z0-9_]{1,63}", re.ASCII)
_MAX_DETAIL = 200
_BUSY = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error"})
_LIMITED = frozenset({"ratelimited", "rate_limited"})
_TOKEN = "write the bot token of the app, `xoxb-...`, as it is installed in this workspace"
_ADVICE = {
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "account_inactive": _TOKEN,
    "not_allowed_token_type": _TOKEN,
    "channel_not_found": "write the channel's id (`C...`), and invite the app if the channel is private",
    "not_in_channel": "invite the app into the channel: `/invite @app`",
    "missing_scope": "add the scope `chat:write` (with `username` or `icon_emoji` also `chat:write.customize`) to the "
    "app, and install it again",
    "is_archived": "the channel is archived: choose another",
    "channel_is_archived": "the channel is archived: choose another",
    "no_service": "the webhook is gone or switched off: make a new one in the settings of the app",
    "no_active_hooks": "the webhook is switched off: make a new one in the settings of the app",
    "invalid_token": "the webhook's URL is wrong or no longer valid: make a new one in the settings of the app",
    "invalid_payload": "Slack cannot read the message: look at `blocks` in its Block Kit Builder",
    "invalid_blocks": "look at `blocks` in Slack's Block Kit Builder",
    "no_text": "the message is empty: write `text` or `blocks`",
    "msg_too_long": "shorten the text",
    "action_prohibited": "an administrator of the workspace forbids it",
}


@dataclass(frozen=True, slots=True)
class _Limited:
    """The answer that it should have been."""

    headers: Mapping[str, str]
    status_code: int = field(default=429)


def read_answer(response: Response, now: datetime, *, api: bool) -> Outcome:
    """The outcome of an attempt; `api` for an answer of the Web API, which is always JSON."""
    body = _object_of(response)
    plain = Outcome.from_response(response, output=_output(body), now=now)
    status = response.status_code
    if not 200 <= status < 300 and not 400 <= status < 500:
        return plain
    error = _error_of(response, body)
    if status in {408, 429} or (error is None and not 200 <= status < 300):
        return plain
    if error is not None:
        return _failed(error, body, response, now)
    if api and body is None:
        return Outcome.retry("protocol", f"the answer with the status {status} is not Slack's JSON")
    return plain


def _object_of(response: Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _error_of(response: Response, body: dict[str, Any] | None) -> str | None:
    """The error that it names, None when it names none."""
    if body is not None:
        if body.get("ok") is not False:
            return None
        error = body.get("error")
        return error if isinstance(error, str) and _WORD.fullmatch(error) else "unknown_error"
    word = response.text.strip() if len(response.content) <= _MAX_DETAIL else ""
    return word if response.status_code >= 400 and _WORD.fullmatch(word) else None


def _failed(error: str, body: dict[str, Any] | None, response: Response, now: datetime) -> Outcome:
    message = f"Slack answered `{error}`"
    if error in _LIMITED:
        waits = Outcome.from_response(_Limited(response.headers), now=now)
        return replace(waits, reason="slack-busy", message=message, status=response.status_code)
    if error in _BUSY:
        return Outcome.retry("slack-busy", message)
    advice = _ADVICE.get(error)
    details = _details(body or {})
    said = f"{message} ({details})" if details else message
    return Outcome.reject("slack-error", f"{said}: {advice}" if advice else said)


def _details(body: dict[str, Any]) -> str:
    """What else Slack says of an error: the scope that it needs, the block that is wrong."""
    metadata = body.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    found = [one for one in (messages if isinstance(messages, list) else []) if isinstance(one, str)]
    needed = body.get("needed")
    if isinstance(needed, str):
        found.insert(0, f"needed: {needed}")
    return " ".join("; ".join(found[:3]).split())[:_MAX_DETAIL]


def _output(body: dict[str, Any] | None) -> dict[str, str | None]:
    """Where the message stands; a webhook does not say."""
    given = {name: (body or {}).get(name) for name in ("ts", "channel")}
    return {name: value if isinstance(value, str) else None for name, value in given.items()}
