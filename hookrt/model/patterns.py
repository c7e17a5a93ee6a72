"""Patterns of event types: `User.Created`, `User.*` (one segment), `User.**` (one or more), `**` (everything).

Types are case-sensitive. `hookrt.` types are matched only by patterns whose first segment is literally `hookrt`.
"""

from __future__ import annotations

import re

from hookrt.errors import ExpressionError
from hookrt.model.event import MAX_NAME
from hookrt.model.own_events import is_own

_UNFIT = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")


def check_pattern(text: str) -> None:
    """Raise ExpressionError, with the column where there is one, when this is no pattern."""
    if not text:
        raise ExpressionError("an event type cannot be empty")
    if len(text) > MAX_NAME:
        raise ExpressionError(f"an event type has at most {MAX_NAME} characters, this one has {len(text)}")
    if found := _UNFIT.search(text):
        raise _at("an event type has no spaces or control characters", found.start())
    column = 0
    segments = text.split(".")
    for number, segment in enumerate(segments):
        _check_segment(segment, column, last=number == len(segments) - 1)
        column += len(segment) + 1


def _check_segment(segment: str, column: int, *, last: bool) -> None:
    if not segment:
        raise _at("an empty segment: segments are joined by one '.'", column)
    if segment == "**" and not last:
        raise _at("'**' can only be the last segment", column)
    if "*" in segment and segment not in ("*", "**"):
        raise _at(f"'*' stands for a whole segment, so {segment!r} matches nothing", column + segment.index("*"))


def _at(message: str, offset: int) -> ExpressionError:
    return ExpressionError(message, line=1, column=offset + 1)


def is_literal(pattern: str) -> bool:
    """Whether the pattern is one type's own name."""
    return "*" not in pattern


def matches(pattern: str, event_type: str) -> bool:
    """Whether an event of this type is meant by a (checked) pattern."""
    if pattern == event_type:
        return True
    if is_literal(pattern):
        return False
    wanted, given = pattern.split("."), event_type.split(".")
    if is_own(event_type) and wanted[0] != "hookrt":
        return False
    if wanted[-1] == "**":
        wanted = wanted[:-1]
        if len(given) <= len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(one in ("*", other) for one, other in zip(wanted, given, strict=True))
