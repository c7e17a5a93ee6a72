"""What is signed, described by a text such as `{timestamp}.{body}`."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass

NAMES = ("id", "timestamp", "body")
"""What can stand in braces: the message id, the time of the attempt in Unix seconds, the body as it is sent."""


@dataclass(frozen=True, slots=True)
class ContentTemplate:
    """A text with names in braces; `{{` and `}}` are braces themselves."""

    _pieces: tuple[tuple[bytes, str | None], ...]

    @classmethod
    def parse(cls, text: str, names: Collection[str] = NAMES) -> ContentTemplate:
        """The template of this text; raises ValueError for a name in braces that is none of these."""
        try:
            pieces = list(string.Formatter().parse(text))
        except ValueError:
            raise ValueError("a brace stands alone: write {{ or }} for a brace itself") from None
        for _, name, form, conversion in pieces:
            if name is not None and (name not in names or form or conversion):
                known = ", ".join(f"{{{one}}}" for one in names)
                raise ValueError(f"{{{name[:40]}}} is not known here: there are {known}")
        return cls(tuple((literal.encode(), name) for literal, name, _, _ in pieces))

    def uses(self, name: str) -> bool:
        """Whether this name stands in it."""
        return any(name == used for _, used in self._pieces)

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The text with everything put in; `values` has each name that it uses."""
        return b"".join([literal + (values[name] if name else b"") for literal, name in self._pieces])
