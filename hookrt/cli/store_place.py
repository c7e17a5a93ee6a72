"""Where the store of this folder is: the one that `hookrt run` would use here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hookrt.cli.project import DEFAULT_PATH, load_configuration, open_project
from hookrt.errors import HookrtError
from hookrt.store.open import default_store_url, file_of


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A store's file, which is there, and its URL."""

    path: Path
    url: str


def find_store(given: str | None) -> StoreFile:
    """The store with this URL or, without one, that of HOOKRT_STORE, or the one that hooks.yaml says.

    Raises HookrtError when it is no file or not there, ConfigError when hooks.yaml is needed and has errors.
    """
    url = given or os.environ.get("HOOKRT_STORE") or _own_url()
    path = file_of(url)
    if path is None:
        raise HookrtError(f"the store {url} is no file: only a SQLite store is looked after so")
    if not path.is_file():
        raise HookrtError(f"there is no store at {path}: name another one with --store")
    return StoreFile(path, f"sqlite:///{path}")


def _own_url() -> str:
    if not DEFAULT_PATH.exists():
        return default_store_url(Path())
    configuration = load_configuration(open_project(None), "warn")
    return configuration.service.store or default_store_url(configuration.base_dir)
