"""Every block of the README is run, top to bottom, as a newcomer would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
DEADLINE_S = 60.0


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")}
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": binaries, "HOME": str(home), "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


class Terminal:
    """Runs shell blocks in one folder; those that serve go on in the background until the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.serving: list[subprocess.Popen[bytes]] = []

    def run(self, block: str) -> str:
        done = subprocess.run(
            ["sh", "-e", "-c", block],
            cwd=self.folder,
            env=environment(self.folder),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def serve(self, block: str, url: str) -> None:
        written = self.folder / f"terminal-{len(self.serving)}.txt"
        with written.open("wb") as output:
            process = subprocess.Popen(
                ["sh", "-e", "-c", block],
                cwd=self.folder,
                env=environment(self.folder),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.serving.append(process)
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=1).close()
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"{block}\n{written.read_text()}")

    def end(self) -> None:
        for process in reversed(self.serving):
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=DEADLINE_S)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    try:
        yield terminal
    finally:
        terminal.end()


def test_the_shell_and_yaml_blocks_work_from_top_to_bottom(terminal: Terminal) -> None:
    shell = blocks("sh")
    assert shell[0] == "make run\n", "played by the acceptance test of the demo"
    hooks, _ = blocks("yaml")
    (terminal.folder / "hooks.yaml").write_text(hooks)
    outputs: dict[str, str] = {}
    for block in shell[1:]:
        if "hookrt run" in block:
            terminal.serve(block, "http://127.0.0.1:4665/readyz")
        elif "hookrt receiver" in block:
            terminal.serve(block, "http://127.0.0.1:4666/")
        else:
            outputs[block.split()[0] + " " + block.split()[1]] = terminal.run(block)
    assert "1 hook" in outputs["hookrt check"]
    assert "eve@example.com" in outputs["hookrt explain"]
    assert "succeeded" in outputs["hookrt emit"]
    assert json.loads(outputs["curl --silent"])["deliveries"]
    assert "welcome" in outputs["hookrt deliveries"]
    received = (terminal.folder / "terminal-1.txt").read_text()
    assert "ada@acme.com" in received
    assert "verified" in received


def test_the_hooks_for_webhooks_that_come_in_fire_on_them(terminal: Terminal) -> None:
    _, hooks = blocks("yaml")
    (terminal.folder / "hooks.yaml").write_text(hooks)
    assert "1 hook" in terminal.run("hookrt check")
    paid = {"type": "invoice.paid", "source": "shop", "data": {}}
    assert "1 of 1 hook fires" in terminal.run(f"hookrt explain '{json.dumps(paid)}'")
    assert "0 of 1 hook" in terminal.run(f"hookrt explain '{json.dumps({**paid, 'source': 'http'})}'")


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.split("\n")[0])
def test_the_python_blocks_run(block: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    if "Order.Paid" in block:
        assert done.stdout == "packing 42\nsucceeded\n"


def test_no_block_is_forgotten() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "yaml", "python"}
    assert len(BLOCKS) >= 10


def test_the_example_hooks_file_has_no_problem(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hookrt", "check", str(ROOT / "hooks.yaml")],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "error" not in done.stdout
