"""One line of the log: an event in a few words, and fields; never more than one line on a screen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PLAIN = re.compile(r"[^\s\"'=\\\x00-\x1f\x7f-\x9f]+")
_CONTROL = re.compile(r"[\x00-\x1f\\]")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LogLine:
    """What the log of hookrt hands to the standard library as the message of a record.

    As text it is `event key=value ...`, so that any formatter of an embedding program shows it whole.
    """

    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = [show_words(self.event), *(f"{show_words(key)}={show_value(self.fields[key])}" for key in self.fields)]
        return hide_unprintable(" ".join(shown))


def show_words(text: object) -> str:
    """A text as it is, its control characters escaped as in JSON."""
    words = str(text)
    return json.dumps(words, ensure_ascii=False)[1:-1].replace('\\"', '"') if _CONTROL.search(words) else words


def show_value(value: object) -> str:
    """A value of a field: a plain word as it is, all else as JSON, so that spaces and quotes do not mislead."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except Exception:  # odd keys, circles, objects without a text
        return json.dumps(_last_resort(value), ensure_ascii=False)


def hide_unprintable(line: str) -> str:
    """The line with escapes for what the functions above leave and a terminal would obey or not write."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def _last_resort(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # an object that cannot even be shown must not cost the line
        return f"<{type(value).__name__}>"
