"""The installed plugins, as the hooks file in this folder and the variables let them be loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from hookrt.config.plugin_rules import read_plugin_rules
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.plugin.rules import PluginRules

DEFAULT_PATH = Path("hooks.yaml")
"""What the commands read when no path is given."""


def rules_here(path: Path | None = None, env: Mapping[str, str] | None = None) -> PluginRules | None:
    """What `service.plugins` says at this path, by default in hooks.yaml here, and in the variables."""
    return read_plugin_rules(DEFAULT_PATH if path is None else path, os.environ if env is None else env)


def load_installed(path: Path | None = None, env: Mapping[str, str] | None = None) -> Registry:
    """Load the plugins that may be loaded. What they print meanwhile is no part of what a command says."""
    with plugins_print_aside():
        return load_plugins(rules=rules_here(path, env))


@contextmanager
def plugins_print_aside() -> Iterator[None]:
    """What is printed goes to standard error, so that it does not spoil JSON on standard output."""
    with redirect_stdout(sys.stderr):
        yield
