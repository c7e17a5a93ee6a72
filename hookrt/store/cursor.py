"""Cursors and limits of lists: where a page ended, as text that a caller hands back."""

from __future__ import annotations

from hookrt.errors import UsageError

MAX_PAGE = 1_000
"""The most items of one page."""

_NEWEST = 2**63 - 1


def before(cursor: str | None) -> int:
    """The number below which the next page lies; raises UsageError for what is no cursor."""
    if cursor is None:
        return _NEWEST
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20 and int(cursor) <= _NEWEST):
        raise UsageError(f"{cursor[:40]!r} is no cursor: take the `next` of the page before, unchanged")
    return int(cursor)


def page_size(limit: int) -> int:
    """The limit that is asked for, within 1 and MAX_PAGE."""
    return min(max(limit, 1), MAX_PAGE)
