"""The built-in actions are plugins like any other."""

import subprocess
import sys

from hookrt.plugin.manager import OWN_DISTRIBUTION, load_plugins


def test_the_built_in_actions_are_found_by_entry_point():
    registry = load_plugins()
    own = [plugin for plugin in registry.plugins if plugin.distribution == OWN_DISTRIBUTION]
    assert {name: plugin.errors for plugin in own for name in (plugin.entry_point,) if plugin.errors} == {}
    assert {"webhook", "python", "log", "emit"} <= {name for plugin in own for name in plugin.actions}


def test_loading_the_built_ins_starts_no_process_and_no_thread_and_needs_no_service():
    program = """
import multiprocessing, sys, threading
from hookrt.plugin.manager import load_plugins
load_plugins()
assert threading.active_count() == 1, threading.enumerate()
assert multiprocessing.active_children() == []
assert not {"fastapi", "uvicorn", "prometheus_client", "typer"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
