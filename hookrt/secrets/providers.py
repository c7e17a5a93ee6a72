"""Who is asked for secrets, and the two built-in providers: variables of the environment, and files of a directory."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from hookrt.errors import SecretMissing
from hookrt.plugin.protocols import Secrets
from hookrt.plugin.registry import Registry

DEFAULT_PREFIX = "HOOKRT_SECRET_"
"""What stands before a secret's name in its variable, unless `service.secrets.prefix` says otherwise."""

MAX_SECRET_BYTES = 64 * 1024
"""Largest secret file that is read; a secret is not a document."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def secret_providers(
    env: Mapping[str, str], registry: Registry, prefix: str = DEFAULT_PREFIX, directory: Path | None = None
) -> list[Secrets]:
    """Whom to ask for a secret, in order: the environment, the directory if there is one, the plugins' providers."""
    files = [DirectorySecrets(directory)] if directory is not None else []
    return [EnvironmentSecrets(env, prefix), *files, *registry.secret_providers]


class EnvironmentSecrets:
    """Secrets from variables: `secrets.NAME` is the variable `prefix` + NAME. An empty variable counts as absent.

    The mapping is kept, not copied, so that a change in it is seen.
    """

    def __init__(self, env: Mapping[str, str], prefix: str = DEFAULT_PREFIX) -> None:
        self._env = env
        self._prefix = prefix

    def get(self, name: str) -> str | None:
        """The variable's value, None where it is not set or empty."""
        return self._env.get(self._prefix + name) or None

    def names(self) -> frozenset[str]:
        """The names that it could answer, for did-you-mean; nothing without a prefix, where every variable would be."""
        if not self._prefix:
            return frozenset()
        start = len(self._prefix)
        return frozenset(key[start:] for key in self._env if key.startswith(self._prefix) and len(key) > start)

    def where(self, name: str) -> str:
        """Where somebody would put this secret, for a hint."""
        return f"the variable {self._prefix}{name}"

    def __repr__(self) -> str:
        return f"EnvironmentSecrets(prefix={self._prefix!r})"


class DirectorySecrets:
    """Secrets from files: `secrets.NAME` is the text of the file NAME, without the line break at its end.

    A file is read again only when it has changed, so that a rotated secret is seen and asking is cheap.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: dict[str, tuple[tuple[int, int, int], str]] = {}

    def get(self, name: str) -> str | None:
        """The file's text, None where there is no such file or it is empty.

        Raises SecretMissing for a file that is there but cannot be used: unreadable, not UTF-8, above 64 KiB.
        """
        if not _NAME.fullmatch(name):
            return None
        file = self._path / name
        try:
            seen = _signature(file)
            cached = self._read.get(name)
            if cached is None or cached[0] != seen:
                cached = self._read[name] = (seen, _read_secret(file))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SecretMissing(f"the file of the secret {name} cannot be read: {error.strerror}") from None
        return cached[1] or None

    def names(self) -> frozenset[str]:
        """The names that it could answer, for did-you-mean."""
        try:
            return frozenset(entry for entry in os.listdir(self._path) if _NAME.fullmatch(entry))
        except OSError:
            return frozenset()

    def where(self, name: str) -> str:
        """Where somebody would put this secret, for a hint."""
        return f"the file {self._path / name}"

    def __repr__(self) -> str:
        return f"DirectorySecrets({str(self._path)!r})"


def _signature(file: Path) -> tuple[int, int, int]:
    status = file.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read_secret(file: Path) -> str:
    with file.open("rb") as opened:
        raw = opened.read(MAX_SECRET_BYTES + 1)
    if len(raw) > MAX_SECRET_BYTES:
        raise SecretMissing(f"the file of the secret {file.name} is larger than {MAX_SECRET_BYTES // 1024} KiB")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretMissing(f"the file of the secret {file.name} is not UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")
