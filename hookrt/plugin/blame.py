"""An exception of foreign code in one line, with the place in that code: never a traceback."""

from __future__ import annotations

import re
import traceback
from pathlib import PurePath

FAULTS = (Exception, SystemExit)
"""What a call into foreign code may raise by mistake: also what would end the process."""

MAX_BLAME = 400
"""Characters of the line at most."""

_SPACE = re.compile(r"\s+")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_OURS = re.compile(r"<frozen |[/\\](hookrt[/\\]plugin|importlib|pluggy|pydantic)[/\\]")


def describe_error(error: BaseException) -> str:
    """`ImportError: No module named 'twilio' (sms.py:3)`: the type, the text, and the last place in foreign code."""
    text = one_line(_text_of(error))
    place = _place_of(error)
    shown = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{shown} ({place})" if place else shown


def one_line(text: str) -> str:
    """A text on one line of at most MAX_BLAME characters, without what could steer a terminal."""
    line = _UNPRINTABLE.sub("\ufffd", _SPACE.sub(" ", text)).strip()
    return line if len(line) <= MAX_BLAME else line[:MAX_BLAME] + "…"


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception whose own text fails; its type has to do
        return ""


def _place_of(error: BaseException) -> str | None:
    if isinstance(error, SyntaxError):  # its text names the place
        return None
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _OURS.search(frame.filename)]
    return one_line(f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}") if frames else None
