"""What was sent and what came back, kept as it is and shown only when somebody asks."""

from __future__ import annotations

import base64
import codecs
import functools
import re
from collections.abc import Callable, Mapping

from hookrt.egress.response import Answer
from hookrt.egress.target import Target
from hookrt.model.attempt import MAX_RECORDED_BODY, Exchange

HIDDEN = "***"
"""What stands in place of a secret."""

_MARGIN = 8192  # a secret that begins within the shown part is masked if it ends within this much more
_BINARY_SHOWN = MAX_RECORDED_BODY * 3 // 4 - 96  # as base64, with the words before it, it fits the limit
_SECRET_HEADER = re.compile(
    r"auth|cookie|signature|secret|token|password|passwd|credential|session|api-?key|access-?key|private-?key"
)

Mask = Callable[[str], str]
"""Puts `***` in place of every secret in a text."""


class Sent:
    """One request and its answer: references only, nothing is copied or shown before `show`."""

    __slots__ = ("address", "answer", "body", "headers", "method", "target")

    def __init__(self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.address: str | None = None
        self.answer: Answer | None = None


def show(sent: Sent, mask: Mask) -> Exchange:
    """The exchange as it is recorded: secrets masked, bodies cut, binary ones in base64."""
    answer = sent.answer
    return Exchange(
        method=sent.method,
        url=mask(str(sent.target.url)),
        request_headers=_show_headers(sent.headers, mask),
        request_body=show_body(sent.body, mask) if sent.body is not None else None,
        status=answer.status_code if answer else None,
        response_headers=_show_headers(answer.headers, mask) if answer else {},
        response_body=show_body(answer.content, mask) if answer else None,
        address=sent.address,
    )


def show_body(body: bytes, mask: Mask) -> str:
    """A body as text, masked, of at most MAX_RECORDED_BODY bytes; what is no text in base64 with a word before."""
    cut = len(body) > MAX_RECORDED_BODY
    piece = body[: MAX_RECORDED_BODY + _MARGIN] if cut else body
    text = _as_text(piece, whole=len(piece) == len(body))
    if text is None:
        return _show_binary(body, mask)
    masked = mask(text)
    if not cut:
        return masked
    if len(piece) < len(body):  # the end of the piece may be a part of a secret, which no mask finds
        masked = masked[:-_MARGIN]
    return masked.encode()[:MAX_RECORDED_BODY].decode("utf-8", "ignore")


def _as_text(piece: bytes, *, whole: bool) -> str | None:
    try:
        text = codecs.utf_8_decode(piece, "strict", whole)[0]  # a character cut in two at the end is left out
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _show_binary(body: bytes, mask: Mask) -> str:
    readable = body[: MAX_RECORDED_BODY + _MARGIN].decode("latin-1")
    if mask(readable) != readable:
        return f"({len(body)} bytes, not text; not shown, since a secret is in it)"
    shown = base64.b64encode(body[:_BINARY_SHOWN]).decode("ascii")
    return f"({len(body)} bytes, not text; in base64) {shown}"


def _show_headers(headers: Mapping[str, str], mask: Mask) -> dict[str, str]:
    shown = dict(headers)
    for name in _find_secret(tuple(shown)):
        shown[name] = HIDDEN
    text = "\n".join(shown.values())
    if mask(text) == text:  # one look at all of them, as nearly always there is nothing to mask
        return shown
    return {name: mask(value) for name, value in shown.items()}


@functools.lru_cache(maxsize=1024)
def _find_secret(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if _SECRET_HEADER.search(name.lower()))
