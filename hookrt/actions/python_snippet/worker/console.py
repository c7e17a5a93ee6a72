"""Where `print` and `ctx.log` of one run go: memory, up to a limit."""

from __future__ import annotations

from typing import Any

from hookrt.actions.python_snippet.worker.stops import OutputExceeded

LEVELS = frozenset({"debug", "info", "warning", "error"})


class Console:
    """The text that one run wrote, at most `limit` bytes of UTF-8; more raises OutputExceeded.

    `full` tells afterwards, also when the snippet swallowed the exception.
    """

    def __init__(self, limit: int) -> None:
        self.full = False
        self._room = limit
        self._parts: list[str] = []

    def write(self, text: str) -> None:
        """Keep the text, or as much of it as there is room for."""
        if self.full:
            raise OutputExceeded
        raw = text[: self._room + 1].encode("utf-8", "replace")
        self._parts.append(raw[: self._room].decode("utf-8", "ignore"))
        self._room -= len(raw)
        if self._room < 0:
            self.full = True
            raise OutputExceeded

    def print(self, *values: Any, sep: str | None = None, end: str | None = None, **other: Any) -> None:
        """The `print` of snippets; `file` and `flush` mean nothing here."""
        if unknown := set(other) - {"file", "flush"}:
            raise TypeError(f"print() got an unexpected keyword argument {sorted(unknown)[0]!r}")
        between = " " if sep is None else sep
        self.write(between.join([str(value) for value in values]) + ("\n" if end is None else end))

    def log(self, message: Any, level: str = "info", /, **fields: Any) -> None:
        """The `ctx.log` of snippets: one line with its level and fields."""
        if level not in LEVELS:
            raise ValueError(f"ctx.log: the level is one of debug, info, warning, error, not {level!r}")
        shown = [f"{level}:", str(message), *[f"{name}={value!r}" for name, value in fields.items()]]
        self.write(" ".join(shown).replace("\n", "\\n") + "\n")

    def lines(self) -> list[str]:
        """All that was written, line by line."""
        text = "".join(self._parts)
        return text.removesuffix("\n").split("\n") if text else []
