"""What docs/receiver.md shows can be started, and its table and its list are those of the command."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import typer.main

from hookrt.cli.commands.receiver import app
from hookrt.plugin.refusal import REFUSALS
from hookrt.signing import new_secret

TEXT = (Path(__file__).parents[2] / "docs" / "receiver.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
KEY = "a signing key of both sides"


@contextmanager
def running(command: str, *more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command of the text, on a free port: its URL, and its process."""
    filled = command.replace("$WEBHOOK_SECRET", new_secret()).replace("$", "")
    words = [word for word in shlex.split(filled, comments=True)[1:] if word not in ("--port", "4666")]
    env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")} | {"NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "hookrt", *words, "--port", "0", *more],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    killer = threading.Timer(60, process.kill)
    killer.start()
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+?(?=,)", process.stderr.readline())
        assert found, process.stderr.read()
        yield found[0], process
    finally:
        killer.cancel()
        process.kill()
        process.communicate()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_starts(command: str) -> None:
    with running(command) as (url, process):
        assert httpx.get(url, trust_env=False, timeout=30).status_code in (204, 401, 405)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_the_first_command_shows_what_the_text_shows() -> None:
    body = json.dumps({"createdAt": datetime.now(UTC).isoformat(), "event": "PostSignIn", "userId": "u1"}).encode()
    signed = {"logto-signature-sha-256": hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()}
    with running(COMMANDS[0]) as (url, process):
        for content in (body, body + b" "):
            httpx.post(url, content=content, headers=signed, trust_env=False, timeout=30)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    shown = next(text for kind, text in BLOCKS if kind == "")
    for line in (line for line in shown.splitlines() if not line.startswith("    ") or "PostSignIn  id" in line):
        assert line.partition("sha256:")[0].rstrip() in out
    assert re.search(r"^    logto  sent \d+ s ago$", out, re.MULTILINE)


def test_the_table_has_every_option() -> None:
    told = set(re.findall(r"^\| `(-[\w-]+)", TEXT, re.MULTILINE)) | {"--host", "--port", "--help"}
    options = typer.main.get_command(app).params
    assert all(told & {*one.opts, *one.secondary_opts} for one in options if one.opts[0].startswith("-"))


def test_the_members_of_a_line_are_all_told() -> None:
    with running(COMMANDS[-1]) as (url, process):
        httpx.post(url, content=b"{}", trust_env=False, timeout=30)
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
    told = TEXT.partition("The members of a line")[2]
    assert [name for name in line if f"`{name}`" not in told] == []
    assert [reason for reason in REFUSALS if f"`{reason}`" not in told] == []
