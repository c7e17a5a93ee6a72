"""Programs that embed the runtime, each in an interpreter of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Run a program in an empty folder, with warnings as errors; what it printed. It must end well and say nothing."""

    def run(text: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")}
        command = [sys.executable, "-B", "-W", "error", "-c", textwrap.dedent(text)]
        done = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    return run
