"""Appending a line to a file below a directory, whole or not at all, and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

MAX_SEGMENT = 255
"""Bytes of a file's or a folder's name, as file systems have it."""

MAX_NAMES = 16
"""Folders and file in a path together; an event that makes up the path shall not build towers."""

_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LED_ASTRAY = {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.EMLINK}


class PathRefused(Exception):  # noqa: N818 - it says what happened
    """The path is none, or leads out of the directory."""


def split_path(path: str) -> list[str]:
    """The names in a relative path; raises PathRefused for `..`, an absolute path and what is no name."""
    names = path.split("/")
    if len(names) > MAX_NAMES:
        raise PathRefused(f"the path has more than {MAX_NAMES} names")
    for name in names:
        if name in {"", ".", ".."} or _NOT_IN_A_NAME.search(name):
            raise PathRefused(f"{path!r} is no path below the directory: names joined by '/', without '..'")
        if len(name.encode()) > MAX_SEGMENT:
            raise PathRefused(f"a name in the path has more than {MAX_SEGMENT} bytes")
    return names


def append_line(directory: Path, path: str, line: bytes, *, sync: bool) -> None:
    """Append a line, and with `sync` wait until the disk has it.

    Raises PathRefused, also for a symbolic link or a device on the way, and OSError. After an error the file holds
    what it held before.
    """
    *folders, name = split_path(path)
    with _opened(directory, folders, name) as (folder, file):
        fcntl.flock(file, fcntl.LOCK_EX)  # given up when the file is closed
        size = os.fstat(file).st_size
        try:
            _write_all(file, _missing_newline(file, size) + line)
            if sync:
                os.fsync(file)
        except OSError:
            os.ftruncate(file, size)
            raise
        if sync and size == 0:
            os.fsync(folder)  # a new file's name is the folder's content


@contextlib.contextmanager
def _opened(directory: Path, folders: list[str], name: str) -> Iterator[tuple[int, int]]:
    """The last folder and the file, opened name by name, so that no link can lead out of the directory."""
    with contextlib.ExitStack() as stack:

        def keep(descriptor: int) -> int:
            stack.callback(os.close, descriptor)
            return descriptor

        try:
            folder = keep(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            for one in folders:
                _make_folder(one, folder)
                folder = keep(os.open(one, _FOLDER, dir_fd=folder))
            file = keep(os.open(name, _FILE, 0o644, dir_fd=folder))
            if not _is_regular(file):
                raise PathRefused(f"{name!r} is no regular file")
        except OSError as error:
            if error.errno in _LED_ASTRAY:
                raise PathRefused(f"a part of the path is a link, a folder or a device: {error.strerror}") from None
            raise
        yield folder, file


def _make_folder(name: str, parent: int) -> None:
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return
    os.fsync(parent)  # a new folder's name is its parent's content


def _is_regular(file: int) -> bool:
    return os.fstat(file).st_mode & 0o170000 == 0o100000


def _missing_newline(file: int, size: int) -> bytes:
    """What closes a last line that a crash left open."""
    return b"\n" if size and os.pread(file, 1, size - 1) != b"\n" else b""


def _write_all(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
