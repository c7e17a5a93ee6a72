"""Where a runtime's configuration comes from: read as often as it is asked for, and looked at for changes between."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookrt.config.env_file import read_env_file
from hookrt.config.load import Loaded, LoadOptions, load
from hookrt.config.sections import yaml_files
from hookrt.config.stamp import Stamp, stamp_of
from hookrt.errors import ConfigError
from hookrt.plugin.registry import Registry

Look = frozenset[Stamp]
"""Everything that a configuration is read from, as it was at one moment. Two equal ones: nothing has changed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the files gave, and the variables that they were read with."""

    loaded: Loaded
    env: Mapping[str, str] = field(repr=False)


@dataclass(slots=True)
class ConfigFiles:
    """The files of a configuration: `path`, a file or a directory of `*.yaml`; `env_file`, whose variables those of
    `env` win over; and the secrets' directory and the text files that settings name, once they are known. `settings`
    win over `service:` in the files.

    `seen` is how they looked when they were read last, whatever came of that. Its methods wait for the disk.
    """

    path: Path
    registry: Registry
    env: Mapping[str, str] = field(repr=False)
    env_file: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    seen: Look = frozenset()
    _secrets: Path | None = None
    _texts: frozenset[Path] = frozenset()

    def read(self) -> Reading:
        """Read everything; whatever is wrong is a problem, and nothing is raised for what somebody wrote."""
        files, known = self._stamps(), self._secrets
        secrets = _look_at(_entries(known))
        reading = self._read()
        found = reading.loaded.configuration
        if found is not None:
            directory = found.service.secrets.directory
            self._secrets = found.base_dir / directory if directory else None
        if self._secrets != known:
            secrets = _look_at(_entries(self._secrets))
        self._texts = frozenset(Path(stamp[0]) for stamp in reading.loaded.seen)
        self.seen = files | secrets | reading.loaded.seen
        return reading

    def look(self) -> Look:
        """How they look now."""
        return self._stamps() | _look_at(_entries(self._secrets)) | _look_at(self._texts)

    def _read(self) -> Reading:
        try:
            env = {**read_env_file(self.env_file), **self.env} if self.env_file is not None else self.env
        except ConfigError as error:
            return Reading(Loaded(None, tuple(error.problems)), self.env)  # type: ignore[arg-type]
        options = LoadOptions(self.registry, env, missing_secrets="error", service=self.settings)
        return Reading(load(self.path, options), env)

    def _stamps(self) -> Look:
        try:
            inside = yaml_files(self.path)
        except (OSError, ValueError):
            inside = []
        return _look_at([self.path, *inside, *([self.env_file] if self.env_file is not None else [])])


def _look_at(paths: Iterable[Path]) -> Look:
    return frozenset(stamp_of(path) for path in paths)


def _entries(directory: Path | None) -> Iterator[Path]:
    """What a directory of secrets holds; a Kubernetes volume keeps its files behind names with a dot."""
    if directory is None:
        return
    try:
        yield from [directory / name for name in os.listdir(directory) if not name.startswith(".")]
    except OSError:
        yield directory
