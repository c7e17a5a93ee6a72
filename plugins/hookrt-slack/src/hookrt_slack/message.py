"""The message as Slack wants it: values escaped, limits kept.

The engine has escaped what expressions gave as HTML does. Slack decodes `&amp;`, `&lt;` and `&gt;` and nothing else,
so quotes are put back; nothing that a value can hold looks like an escaped quote, since its `&` is escaped too.
"""

from __future__ import annotations

from typing import Any

from hookrt.plugin import SettingsProblem
from hookrt_slack.settings import SlackSettings

MAX_TEXT = 40_000
"""Characters of a text; Slack would cut what is longer."""

MAX_BLOCKS = 50
"""Blocks of a message; Slack refuses more."""

_QUOTES = (("&quot;", '"'), ("&#x27;", "'"))
_MARKUP = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # the ampersand last, else it would make new ones


def build_message(settings: SlackSettings) -> dict[str, Any]:
    """The JSON that is posted, but for the channel."""
    text = settings.text_as_is if settings.text is None else _replaced(settings.text, _QUOTES)
    blocks = settings.blocks_as_is if settings.blocks is None else _escaped_in_texts(settings.blocks)
    made = {
        "text": text,
        "blocks": blocks,
        "thread_ts": settings.thread_ts,
        "username": settings.username,
        "icon_emoji": settings.icon_emoji,
    }
    return {name: value for name, value in made.items() if value is not None}


def find_excess(settings: SlackSettings) -> SettingsProblem | None:
    """What of the message is more than Slack takes, if anything."""
    message = build_message(settings)
    length, count = len(message.get("text", "")), len(message.get("blocks", ()))
    if length > MAX_TEXT:
        name = "text_as_is" if settings.text is None else "text"
        return SettingsProblem((name,), f"the text has {length:,} characters, and Slack takes {MAX_TEXT:,}: shorten it")
    if count > MAX_BLOCKS:
        name = "blocks_as_is" if settings.blocks is None else "blocks"
        return SettingsProblem((name,), f"the message has {count} blocks, and Slack takes {MAX_BLOCKS}: send two")
    return None


def _escaped_in_texts(value: Any, key: str = "") -> Any:
    """The value, escaped only where it stands under a key `text`: URLs, ids and numbers are no markup."""
    if isinstance(value, dict):
        return {name: _escaped_in_texts(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_escaped_in_texts(item, key) for item in value]
    if isinstance(value, str):
        return _replaced(value, _QUOTES if key == "text" else _QUOTES + _MARKUP)
    return value


def _replaced(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for escaped, plain in pairs:
        text = text.replace(escaped, plain)
    return text
