"""The installed plugins, as the hooks file in this folder and the variables let them be loaded."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
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
    with plugins_print_aside(), _slow_ones_named() as tell:
        return load_plugins(rules=rules_here(path, env), tell=tell)


@contextmanager
def _slow_ones_named() -> Iterator[Callable[[str], None]]:
    """Say on standard error which plugin is being loaded when that takes long, so that none hangs in silence."""
    loading, ended = [""], threading.Event()

    def watch() -> None:
        before = ""
        while not ended.wait(PATIENCE_S):
            if loading[0] == before != "":
                sys.stderr.write(_SLOW.format(before))
                sys.stderr.flush()
                return
            before = loading[0]

    threading.Thread(target=watch, name="hookrt slow plugins", daemon=True).start()
    try:
        yield lambda label: loading.__setitem__(0, label)
    finally:
        ended.set()


PATIENCE_S = 3.0
"""A plugin that takes longer to load than this, or than twice of it, is named."""

_SLOW = (
    "hookrt: still loading the plugin {0}; if that does not end, press Ctrl-C and leave it out: "
    "set HOOKRT_PLUGINS__DENY={0}\n"
)


@contextmanager
def plugins_print_aside() -> Iterator[None]:
    """What is printed goes to standard error, so that it does not spoil JSON on standard output."""
    with redirect_stdout(sys.stderr):
        yield
