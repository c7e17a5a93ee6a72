"""The hooks of a folder as the local commands see them: the file, the variables, the plugins, and what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hookrt.cli.installed import DEFAULT_PATH as DEFAULT_PATH
from hookrt.cli.installed import load_installed
from hookrt.config.env_file import read_env_file
from hookrt.config.load import Configuration, Loaded, LoadOptions, load
from hookrt.errors import ConfigError, HookrtError
from hookrt.plugin.protocols import Secrets
from hookrt.plugin.registry import Registry


@dataclass(frozen=True, slots=True)
class Project:
    """What a configuration is read from.

    `settings` are service settings that the command line gives; `last_resort` answers for secrets nobody provides.
    """

    path: Path
    env: Mapping[str, str]
    registry: Registry
    settings: Mapping[str, Any] = field(default_factory=dict)
    last_resort: Sequence[Secrets] = ()

    def load(self, missing_secrets: Literal["warn", "error"]) -> Loaded:
        """Read it; its problems are in the result, whether or not it can be used."""
        options = LoadOptions(
            registry=self.registry,
            env=self.env,
            missing_secrets=missing_secrets,
            service=self.settings,
            last_resort=self.last_resort,
        )
        return load(self.path, options)


def open_project(path: Path | None, env_file: Path | None = None) -> Project:
    """The project at this path, with the plugins loaded.

    Variables come from the environment, else from `env_file`. Raises OSError and HookrtError.
    """
    chosen = find_path(path)
    env = {**(read_env_file(env_file) if env_file else {}), **os.environ}
    return Project(chosen, env, load_installed(chosen, env))


def find_path(path: Path | None) -> Path:
    """The path given, or hooks.yaml in the current folder; raises HookrtError when nothing is there."""
    chosen = path if path is not None else DEFAULT_PATH
    if not chosen.exists():
        hint = " here: `hookrt init` writes one to start from" if path is None else ""
        raise HookrtError(f"there is no {chosen}{hint}")
    return chosen


def load_configuration(project: Project, missing_secrets: Literal["warn", "error"]) -> Configuration:
    """Its configuration, warnings passed over; raises ConfigError with all problems when it has an error."""
    loaded = project.load(missing_secrets)
    if loaded.configuration is None:
        raise ConfigError(loaded.problems)
    return loaded.configuration
