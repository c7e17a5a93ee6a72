"""The election: whoever holds the lock beside the database file delivers; the kernel takes it from the dead."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import weakref
from pathlib import Path

from hookrt.errors import StoreError

_TRIES = 5
_PAUSE_S = 0.002


class LeaderLock:
    """The file `DATABASE.lock`. It is never removed, since a lock on a removed file excludes nobody."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._held: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._held is not None

    def acquire(self) -> bool:
        """Take it, or keep it; False when another holds it. Raises StoreError when the file cannot be made."""
        if self._held is not None:
            return True
        handle = self._open()
        if not _try_lock(handle):
            os.close(handle)
            return False
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
        self._held = handle
        _drop_in_children(self)
        return True

    def release(self) -> None:
        """Give it back."""
        handle, self._held = self._held, None
        if handle is not None:
            os.close(handle)

    def holder(self) -> str | None:
        """Who holds it, as they wrote it; None when nobody does."""
        if self._held is None:
            try:
                handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return None
            try:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    return None
                return os.pread(handle, 200, 0).decode("utf-8", "replace").strip() or "another process"
            finally:
                os.close(handle)
        return f"process {os.getpid()}"

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be opened ({error.strerror}): make its folder writable") from None


def _try_lock(handle: int) -> bool:
    """Several tries, since whoever asks for the holder holds it for a moment too."""
    for rest in reversed(range(_TRIES)):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if rest:
                time.sleep(_PAUSE_S)
    return False


def _drop_in_children(lock: LeaderLock) -> None:
    """A forked child shares the lock: without this it would keep it when its parent dies."""
    own = weakref.ref(lock)

    def drop() -> None:
        if (inherited := own()) is not None:
            inherited.release()

    os.register_at_fork(after_in_child=drop)
