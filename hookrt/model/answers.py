"""What an HTTP answer means: which statuses are a success, and which failures are worth another try."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

CONNECT_REASONS = frozenset({"dns", "refused", "reset", "tls"})
"""What `connect` stands for."""

RETRY_WORDS = ("timeout", "connect", *sorted(CONNECT_REASONS), "redirect", "too-large", "protocol", "token")
"""The failures without a status of their own that can be listed as worth a retry."""

NEVER_RETRIED = frozenset({"blocked-address", "bad-url", "bad-request"})
"""Failures that another try cannot change, so that they cannot be listed."""

GONE = 410
"""The status by which an endpoint says that it wants no more; a class or a range does not cover it."""

_CODE = re.compile(r"[1-5]\d\d", re.ASCII)
_CLASS = re.compile(r"([1-5])xx", re.ASCII)
_RANGE = re.compile(r"([1-5]\d\d)-([1-5]\d\d)", re.ASCII)
_CLASSES = ("2xx", "3xx", "4xx", "5xx", "1xx")


class AnswerWordError(ValueError):
    """A word that names no status and no failure; `hint` says what was meant, where that can be guessed."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class RetryOn:
    """The failures that are worth another try; all others are final. `written` is how somebody listed them."""

    statuses: frozenset[int]
    reasons: frozenset[str]
    written: tuple[str, ...] = ()

    def covers(self, status: int, reason: str) -> bool:
        """Whether an answer with this status, which failed for this reason, is worth another try."""
        return status in self.statuses or reason in self.reasons


SUCCESS = frozenset(range(200, 300))
"""The statuses that are a success unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """How to read an answer.

    `success` are the statuses that are one. With `retry_on` only what it lists is tried again; without it everything
    but 410. `disables` says that the URL was written out, so that an endpoint that wants no more means the hook and
    not one delivery of it.
    """

    success: frozenset[int] = SUCCESS
    retry_on: RetryOn | None = None
    disables: bool = False


DEFAULT_RULES = AnswerRules()
"""2xx is a success; 410 is final and concerns this delivery only."""

LITERAL_RULES = AnswerRules(disables=True)
"""The same for a URL that was written out: 410 also disables the hook."""


def read_statuses(word: str) -> frozenset[int]:
    """The statuses of `2xx`, `404` or `200-204`; raises AnswerWordError for any other word."""
    found = _find_statuses(word)
    if found is not None:
        return found
    if word in RETRY_WORDS:
        raise AnswerWordError(f"{word!r} is a failure, not a status", "write a status, like 2xx, 404 or 200-204")
    hint = _meant(word, _CLASSES) or "write it like 2xx, 404 or 200-204"
    raise AnswerWordError(f"{_shown(word)} is no status", hint)


def read_retry_on(words: Iterable[str]) -> RetryOn:
    """The failures that these words list; raises AnswerWordError for a word that is none of them."""
    written = tuple(words)
    statuses: set[int] = set()
    reasons: set[str] = set()
    for word in written:
        if word == "connect":
            reasons |= CONNECT_REASONS
        elif word in RETRY_WORDS:
            reasons.add(word)
        else:
            statuses |= _read_retried(word)
    return RetryOn(frozenset(statuses), frozenset(reasons), written)


def _read_retried(word: str) -> frozenset[int]:
    found = _find_statuses(word)
    if found is not None:
        return found if _CODE.fullmatch(word) else found - {GONE}
    if word in NEVER_RETRIED:
        raise AnswerWordError(f"{word!r} is never tried again: another try would end the same")
    if word == "status":
        raise AnswerWordError("'status' does not say which", "write the statuses, like 5xx, 429 or 500-503")
    hint = _meant(word, (*_CLASSES, *RETRY_WORDS)) or f"write statuses like 5xx or 429, or {', '.join(RETRY_WORDS)}"
    raise AnswerWordError(f"{_shown(word)} is no status and no failure", hint)


def _find_statuses(word: str) -> frozenset[int] | None:
    if _CODE.fullmatch(word):
        return frozenset({int(word)})
    if found := _CLASS.fullmatch(word):
        first = int(found[1]) * 100
        return frozenset(range(first, first + 100))
    if found := _RANGE.fullmatch(word):
        first, last = int(found[1]), int(found[2])
        if first > last:
            raise AnswerWordError(f"{word!r} ends before it begins", f"did you mean '{last}-{first}'?")
        return frozenset(range(first, last + 1))
    return None


def _meant(word: str, choices: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(word.strip().lower(), choices, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else None


def _shown(word: str) -> str:
    return repr(word if len(word) <= 40 else word[:40] + "…")
