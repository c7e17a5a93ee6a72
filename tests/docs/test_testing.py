"""What docs/testing.md shows runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from hookrt.config.load import LoadOptions, load
from hookrt.plugin.manager import load_plugins

TEXT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_tests_that_are_shown_pass(tmp_path: Path) -> None:
    shown = [text for kind, text in BLOCKS if kind == "python"]
    *tests, slow = shown
    for number, text in enumerate(tests):
        (tmp_path / f"test_shown_{number}.py").write_text(text)
    contract = "class TestSlow(ActionContract):\n    action = Slow\n    valid_settings = ({},)\n"
    (tmp_path / "test_slow.py").write_text(f"{slow}\n\nfrom hookrt.testing import ActionContract\n\n\n{contract}")
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"]
    plugin = ["-p", "no:hookrt", "-p", "hookrt.testing.pytest_plugin"]  # once, whether it is installed or not
    done = subprocess.run([*command, *plugin], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_setting_that_is_shown_is_accepted(tmp_path: Path) -> None:
    [text] = [text for kind, text in BLOCKS if kind == "yaml"]
    (tmp_path / "hooks.yaml").write_text(text)
    assert load(tmp_path / "hooks.yaml", LoadOptions(registry=load_plugins(), env={})).errors == ()
