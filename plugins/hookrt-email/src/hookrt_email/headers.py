"""Headers written out: every line is ASCII and says what it was given, whatever that is.

They are not left to the standard library, which, when it folds long names, can lose the quotes around a comma.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

from hookrt_email.mailbox import Mailbox

_FOLD = "\r\n "
_PIECE = 45
"""Bytes of text in one encoded word, which has at most 75 characters."""

_ATOMS = re.compile(r"[A-Za-z0-9'_-]+(?: [A-Za-z0-9'_-]+)*")
_PLAIN = re.compile(r"[\x20-\x7e]*")


def header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """The lines of headers whose values are encoded; raises UnicodeEncodeError for one that is not."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii")


def encode_text(text: str) -> str:
    """One line of text for people, as it is where it can be."""
    return text if _PLAIN.fullmatch(text) and "=?" not in text else _encoded(text)


def encode_mailboxes(mailboxes: Iterable[Mailbox]) -> str:
    """Mailboxes, each on a line of its own."""
    return ("," + _FOLD).join(map(_mailbox, mailboxes))


def _mailbox(mailbox: Mailbox) -> str:
    return f"{_phrase(mailbox.name)} <{mailbox.address}>" if mailbox.name else mailbox.address


def _phrase(name: str) -> str:
    if _ATOMS.fullmatch(name):
        return name
    if _PLAIN.fullmatch(name) and "=?" not in name:
        escaped = re.sub(r'(["\\])', r"\\\1", name)
        return f'"{escaped}"'
    return _encoded(name)


def _encoded(text: str) -> str:
    """Encoded words (RFC 2047), each on a line of its own."""
    return _FOLD.join(f"=?utf-8?b?{base64.b64encode(piece).decode()}?=" for piece in _pieces(text))


def _pieces(text: str) -> Iterator[bytes]:
    piece = b""
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > _PIECE:
            yield piece
            piece = b""
        piece += encoded
    yield piece
