"""What whoever imports a file has to know, numbered, each with its file and line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hookrt.config.nodes import Node
from hookrt.model.hook import Place


class Kind(StrEnum):
    """What follows from a note.

    `LEFT_OUT`: this was not translated. `DIFFERS`: it was, and means something else here. `TO_DO`: it works once this
    is done.
    """

    LEFT_OUT = "left out"
    DIFFERS = "differs"
    TO_DO = "to do"


@dataclass(frozen=True, slots=True)
class Note:
    """One note; without a `hook` it is about all of them."""

    number: int
    kind: Kind
    text: str
    place: Place
    hook: str | None = None

    def __str__(self) -> str:
        about = f"{self.hook}: " if self.hook and self.kind is Kind.LEFT_OUT else ""
        return f"{self.number}. {self.kind}: {about}{self.text} ({self.place.file}:{self.place.line})"


class Untranslatable(Exception):  # noqa: N818 - an answer, not a fault: it never leaves this room
    """Something that cannot be said in a hooks.yaml, where it stands and why."""

    def __init__(self, node: Node, text: str) -> None:
        super().__init__(text)
        self.node = node
        self.text = text


@dataclass(slots=True)
class Notes:
    """Collects the notes of one import; a note for all hooks is kept once."""

    kept: list[Note] = field(default_factory=list)

    def add(self, kind: Kind, node: Node, text: str, hook: str | None = None) -> int:
        """Its number. One without a hook that is there already keeps its number."""
        for note in self.kept:
            if hook is None and note.hook is None and note.text == text:
                return note.number
        self.kept.append(Note(len(self.kept) + 1, kind, text, node.span.place, hook))
        return self.kept[-1].number

    def of(self, hook: str | None) -> Sequence[Note]:
        """The notes on one hook; on all of them with None."""
        return [note for note in self.kept if note.hook == hook]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: the text of a hooks.yaml, the notes, and the secrets that stood in the file by their names
    in hooks.yaml. `hooks` is how many were translated, `left_out` how many not.
    """

    text: str
    notes: tuple[Note, ...]
    secrets: dict[str, str] = field(repr=False)
    hooks: int
    left_out: int
