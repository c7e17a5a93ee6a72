"""What a snippet hands to the service, brought into plain values first, so that nothing of it can act."""

from __future__ import annotations

import json
import re
from typing import Any

from hookrt.actions.python_snippet.worker.result import Normaliser
from hookrt.actions.python_snippet.worker.stops import BadResultError
from hookrt.actions.python_snippet.worker.wire import MAX_CALL

_PLAIN = re.compile(r"[A-Za-z_][\w./:-]*[\w/]", re.ASCII)
MAX_WORD = 255
"""Characters of a text that a refusal suggests."""


def yaml_word(text: str) -> str:
    """The text as it may stand in a YAML list, in quotes where it must."""
    shown = text[:MAX_WORD]
    return shown if _PLAIN.fullmatch(shown) or not shown else json.dumps(shown)


def plain(value: Any, name: str) -> Any:
    """The value as plain JSON values; TypeError naming it for what is none."""
    try:
        return Normaliser(MAX_CALL, name=name).copy(value)
    except BadResultError as error:
        raise TypeError(str(error)) from None


def exact_text(value: Any, what: str) -> str:
    """The text without whatever a class of the snippet made of it; TypeError for what is no text."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text, not a {type(value).__name__}"[:200])
    return str.__str__(value)
