"""How everything looks: lines, blocks and tables, in colour on a terminal, plain and aligned elsewhere.

All text goes through `escape`, so that no event, header or error message can move the cursor, change a colour or
reorder what is read. rich is imported only when there is a terminal to draw on.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from hookrt.cli.columns import Column, Fit, Layout, lay_out

if TYPE_CHECKING:
    from rich.console import Console, OverflowMethod
    from rich.table import Table
    from rich.text import Text

Piece = str | tuple[str, str]
"""A text, or a text and its style (`bold`, `dim`, `red`, `green`, `yellow`, `cyan`, or several of them)."""

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # controls of ASCII and of Latin 1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of reading
    "\u2028\u2029\ufeff\ufff9-\ufffb"  # line ends that look like none, and what cannot be seen
    "\ud800-\udfff]"  # halves of characters, which no stream can encode
)
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f" + _UNSAFE.pattern.removeprefix("[\x00-\x1f\x7f-\x9f"))
_PLAIN_WIDTH = 160
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Format(StrEnum):
    """How a command answers: for people, for programs, or as annotations of a GitHub workflow."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def escape(text: str) -> str:
    """The text with every control character visible as `\\n`, `\\x1b` or `\\u202e`, on one line."""
    return _UNSAFE.sub(_visible, text)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON text that is readable in any script and safe for a terminal, since what is not is written `\\uXXXX`."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def annotation(level: str, message: str, **where: str | int) -> str:
    """A workflow command of GitHub that marks a line: `::error file=hooks.yaml,line=3,col=5::message`."""
    places = ",".join(f"{name}={_github(str(value), in_property=True)}" for name, value in where.items())
    return f"::{level}{' ' if places else ''}{places}::{_github(message)}"


class Screen:
    """One output stream: a terminal that gets colours and drawn tables, or a pipe that gets plain text."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._drawn = _is_terminal(self._stream)

    @property
    def width(self) -> int:
        """How many characters a line should have at most: the terminal's, or more where none cuts it."""
        return max(self._console.width, 40) if self._drawn else _PLAIN_WIDTH

    def line(self, *pieces: Piece) -> None:
        """Print one line made of these pieces; line ends inside them become visible."""
        if self._drawn:
            self._console.print(_assemble(pieces), soft_wrap=True)
        else:
            print("".join(_plain(piece) for piece in pieces), file=self._stream, flush=True)

    def block(self, text: str, *, indent: str = "", style: str = "") -> None:
        """Print a text of several lines as such, each indented, its tabs as spaces."""
        for part in text.removesuffix("\n").split("\n"):
            self.line(indent, (part.removesuffix("\r").expandtabs(), style))

    def raw(self, text: str) -> None:
        """Print a text that is safe already, JSON above all, as it is."""
        print(text, file=self._stream, flush=True)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Piece]]) -> None:
        """Print rows under headings; what a terminal has no room for is marked or named, elsewhere nothing is cut."""
        if self._drawn:
            self._draw(columns, rows)
            return
        lines = [[column.name for column in columns], *([_plain(cell) for cell in row] for row in rows)]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        for cells in lines:
            padded = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            print(padded.rstrip(), file=self._stream, flush=True)

    def _draw(self, columns: Sequence[Column], rows: Sequence[Sequence[Piece]]) -> None:
        lines = [[_assemble([cell]) for cell in row] for row in rows]
        widest = [max([len(column.name), *(line[n].cell_len for line in lines)]) for n, column in enumerate(columns)]
        layout = lay_out(columns, widest, self._console.width)
        table = _table([columns[number] for number in layout.shown], layout)
        for line in lines:
            table.add_row(*(line[number] for number in layout.shown))
        self._console.print(table, crop=False)
        gone = [column.name for number, column in enumerate(columns) if number not in layout.shown]
        if gone:
            more = f"{len(gone)} more column{'' if len(gone) == 1 else 's'} ({', '.join(gone)})"
            self.line((f"… {more} with -o json or a wider terminal", "dim"))

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(file=self._stream, highlight=False, emoji=False, markup=False)


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def _visible(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _plain(piece: Piece) -> str:
    return escape(piece if isinstance(piece, str) else piece[0])


def _assemble(pieces: Sequence[Piece]) -> Text:
    from rich.text import Text

    line = Text()
    for piece in pieces:
        line.append(_plain(piece), style="" if isinstance(piece, str) else piece[1])
    return line


def _table(columns: Sequence[Column], layout: Layout) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),  # and the one between two columns
        pad_edge=False,
        header_style="bold",
        show_edge=False,
        width=layout.width,
    )
    for column, width in zip(columns, layout.widths, strict=True):
        folds = column.fit is Fit.FOLD
        overflow: OverflowMethod = "fold" if folds else "ellipsis"
        table.add_column(column.name, width=width, no_wrap=not folds, overflow=overflow)
    return table


def _github(text: str, *, in_property: bool = False) -> str:
    safe = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    safe = escape(safe)
    return safe.replace(":", "%3A").replace(",", "%2C") if in_property else safe
