"""Reading a file that a configuration names: inside the configuration's own folder, and nothing else."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hookrt.config.suggest import did_you_mean, shorten

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe without a writer must hold up nobody
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_LISTED = 10_000
"""Most names of a folder that are looked at for a suggestion."""


class FileRefused(Exception):  # noqa: N818 - becomes a problem of the configuration, with its hint
    """A file that is not read; the message is for people."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def check_written(written: str) -> None:
    """Raise FileRefused for a path that cannot lead to a file inside the folder, wherever that is."""
    hint = "write it relative to the folder of hooks.yaml, like snippets/shape.py"
    if not written.strip() or _CONTROL.search(written):
        raise FileRefused(f"{shorten(written)} is no path of a file", hint)
    if written.startswith(("/", "~")):
        raise FileRefused("the path must not be absolute", hint)
    if ".." in written.split("/"):
        raise FileRefused("the path must not have `..` in it", "only files below the folder of hooks.yaml are read")


def read_confined(folder: Path, written: str, most: int) -> bytes:
    """The content of a regular file of at most so many bytes below a folder; FileRefused says why there is none.

    Where the path really leads counts, and exactly that is opened: a symbolic link is fine as long as it stays inside.
    """
    check_written(written)
    root = os.path.realpath(folder)
    inside = os.path.relpath(os.path.realpath(os.path.join(root, written)), root)
    if inside == ".." or inside.startswith("../"):
        hint = "a link may only lead to a file below that folder"
        raise FileRefused(f"{shorten(written)} is a symbolic link out of the folder of hooks.yaml", hint)
    try:
        with _opened(root, inside.split("/")) as descriptor:
            return _read(descriptor, written, most)
    except (FileNotFoundError, NotADirectoryError):
        raise FileRefused(f"there is no file {shorten(written)}", _meant(Path(root), written)) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise FileRefused(f"{shorten(written)} cannot be read: {why}") from None


@contextmanager
def _opened(root: str, parts: list[str]) -> Iterator[int]:
    """Open a file step by step from the root, following no link: nobody can swap one in after the check."""
    descriptor = os.open(root, _FOLDER)
    try:
        for number, part in enumerate(parts, 1):
            flags = _FILE if number == len(parts) else _FOLDER
            above, descriptor = descriptor, os.open(part, flags, dir_fd=descriptor)
            os.close(above)
        yield descriptor
    finally:
        os.close(descriptor)


def _read(descriptor: int, written: str, most: int) -> bytes:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise FileRefused(f"{shorten(written)} is no regular file")
    found = bytearray()
    while len(found) <= most and (data := os.read(descriptor, most + 1 - len(found))):
        found += data
    if len(found) > most:
        raise FileRefused(f"{shorten(written)} has more than {most // 1024} KiB")
    return bytes(found)


def _meant(root: Path, written: str) -> str | None:
    """A hint out of the names in the deepest folder of the path that is there."""
    above = root
    parts = [part for part in written.split("/") if part not in ("", ".")]
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if last or not (above / part).is_dir():
            before = "".join(f"{one}/" for one in parts[:number])
            wanted = [before + name for name in _names(above, folders=not last)]
            return did_you_mean(before + part, wanted) or _nothing_there(before)
        above = above / part
    return None


def _nothing_there(before: str) -> str | None:
    return f"{shorten(before)} has no such file" if before else None


def _names(folder: Path, *, folders: bool) -> list[str]:
    """The visible files, or folders, of a folder; none where it cannot be listed."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_LISTED), entries, strict=False):
                if not entry.name.startswith(".") and (entry.is_dir() if folders else entry.is_file()):
                    found.append(entry.name)
    except OSError:
        return []
    return found
