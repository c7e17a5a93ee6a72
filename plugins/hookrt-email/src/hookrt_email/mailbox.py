"""Mailboxes as people write them, read so strictly that a text is never two of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_NAME = 200
"""Characters of a name that are shown; more is cut."""

_FORM = re.compile(r"\s*(?:(?P<name>[^<>]*)<\s*(?P<named>[^<>]*?)\s*>|(?P<bare>[^<>]*?))\s*")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]+)\]")
_SPACES = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address that goes into commands and headers as it is, and a name for people."""

    address: str
    name: str = ""


def read_mailbox(text: str) -> Mailbox:
    """`ada@example.com` or `Ada Lovelace <ada@example.com>`; raises ValueError for anything else.

    One text is one mailbox: nothing in a name makes a second one of it.
    """
    found = None if _CONTROL.search(text.strip()) else _FORM.fullmatch(text)
    if not found:
        raise ValueError(f"{_shown(text)} is no mailbox: write ada@example.com or Ada Lovelace <ada@example.com>")
    if found["bare"] is not None:
        return Mailbox(read_address(found["bare"]))
    return Mailbox(read_address(found["named"]), clean_line(_unquoted(found["name"]), MAX_NAME))


def read_address(text: str) -> str:
    """An address alone, its domain as name servers know it; raises ValueError for what is none."""
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > 64:
        raise ValueError(f"{_shown(text)} is no address: write one, like ada@example.com")
    return f"{local}@{_domain(domain, text)}"


def clean_line(text: str, most: int) -> str:
    """One line of at most so many characters: breaks become spaces, and what nobody sees is left out."""
    line = _SPACES.sub(" ", _CONTROL.sub(" ", text)).strip()
    return line if len(line) <= most else line[: most - 1] + "…"


def _domain(domain: str, text: str) -> str:
    if _LITERAL.fullmatch(domain):
        return domain
    try:
        name = domain.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not 0 < len(name) <= 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"{_shown(text)} is no address: {_shown(domain)} is no domain")
    return name


def _unquoted(name: str) -> str:
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name


def _shown(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:100] + "…")
