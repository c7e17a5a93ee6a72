"""Tables of templates, written as text."""

from __future__ import annotations


def split(text: str) -> tuple[str, ...]:
    """The entries of a table: several on a line, with ` ~ ` between them."""
    return tuple(entry.strip() for line in text.strip().splitlines() for entry in line.split(" ~ "))


def words(text: str) -> list[str]:
    """What stands between spaces."""
    return text.split()
