"""The PEM files that destinations name: read with hooks.yaml, and again when they have changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hookrt.config.stamp import Stamp, stamp_of
from hookrt.config.suggest import did_you_mean, shorten
from hookrt.model.access import TlsIdentity

ReadT = TypeVar("ReadT")

MAX_PEM = 1024 * 1024
"""Bytes of the largest PEM file; a list of all public authorities has a quarter of that."""


class BadPem(Exception):  # noqa: N818 - becomes a problem of the configuration
    """A file that is of no use; `key` is the setting that names it, and the message is for people."""

    def __init__(self, key: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.key = key
        self.hint = hint


@dataclass(slots=True)
class TlsFiles:
    """Reads them, by paths relative to `folder` or absolute. `seen` is told how they looked just before."""

    folder: Path
    seen: set[Stamp] = field(default_factory=set)

    def read(self, certificate: str | None, key: str | None, authorities: str | None) -> TlsIdentity:
        """What these files hold; raises BadPem."""
        from hookrt.egress.identity import pair, read_certificates, read_key  # noqa: PLC0415 - few have such files

        trusted: tuple[bytes, ...] = ()
        identity = None
        if authorities is not None:
            trusted = _tried("ca", read_certificates, self._content("ca", authorities))
        if certificate is not None:
            chain = _tried("certificate", read_certificates, self._content("certificate", certificate))
            source = ("key", key) if key is not None else ("certificate", certificate)
            private = _tried(source[0], read_key, self._content(*source))
            identity = _tried(source[0], lambda own: pair(chain, own), private)
        return TlsIdentity(identity, trusted)

    def _content(self, key: str, written: str) -> bytes:
        path = self.folder / Path(written).expanduser() if "\0" not in written else None
        if path is None:
            raise BadPem(key, "this is no path of a file")
        self.seen.add(stamp_of(path))  # first: what changes from now on differs from it
        try:
            return _read(path)
        except FileNotFoundError:
            raise BadPem(key, f"there is no file {shorten(written)}", _meant(path)) from None
        except (OSError, ValueError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise BadPem(key, f"{shorten(written)} cannot be read: {why}") from None


def _tried(key: str, read: Callable[[bytes], ReadT], content: bytes) -> ReadT:
    try:
        return read(content)
    except ValueError as error:
        raise BadPem(key, str(error)) from None


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must hold up nobody
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file")
        content = file.read(MAX_PEM + 1)
    if len(content) > MAX_PEM:
        raise ValueError(f"it has more than {MAX_PEM // 1024} KiB")
    return content


def _meant(path: Path) -> str | None:
    try:
        names = sorted(one.name for one in path.parent.iterdir())
    except OSError:
        return None
    return did_you_mean(path.name, names)
