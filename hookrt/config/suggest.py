"""Did you mean: the closest of the names that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

LONGEST_GUESSED = 100
"""No guess is made for a longer word; comparing takes time in the square of its length."""

MOST_GUESSED = 1000
"""No guess is made among more names than this."""


def closest(word: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The choice that is most like the word, None when none is alike."""
    known = sorted(set(choices))
    if not word or len(word) > LONGEST_GUESSED or len(known) > MOST_GUESSED:
        return None
    by_case = {choice.lower(): choice for choice in known}
    if word.lower() in by_case:
        return by_case[word.lower()]
    found = difflib.get_close_matches(word, [choice for choice in known if len(choice) <= LONGEST_GUESSED], 1, cutoff)
    return found[0] if found else None


def did_you_mean(word: str, choices: Iterable[str], elsewhere: Mapping[str, str] | None = None) -> str | None:
    """A hint for a name that does not exist: the closest one, else all of them when they are few.

    `elsewhere` are words that other systems use for one of the choices.
    """
    known = list(choices)
    close = (elsewhere or {}).get(word) or closest(word, known)
    if close:
        return f"did you mean {close!r}?"
    if 0 < len(known) <= 16:
        return "it can be " + ", ".join(sorted(known))
    return None


def among(word: str, choices: Iterable[str], absentees: str) -> str | None:
    """A hint likewise for a name that a plugin brings: where none is close, with those that are not there, and why."""
    known = list(choices)
    said = did_you_mean(word, known)
    return said if closest(word, known) or not absentees else "; ".join(filter(None, (absentees, said)))


def shorten(text: str, limit: int = 60) -> str:
    """A text of somebody else's, fit for a message: one line, cut, and in quotes."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def unqualified(names: Iterable[str], word: str) -> list[str]:
    """The names worth suggesting for a word: those with a distribution before them only if the word has one too."""
    return [name for name in names if ":" not in name or ":" in word]
