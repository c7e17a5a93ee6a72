"""What docs/logto.md shows is accepted, runs, and fits together; and no behaviour that Logto tests is left out."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from hookrt import Runtime
from hookrt.config.load import LoadOptions, load
from hookrt.plugin.manager import load_plugins
from hookrt.testing import Receiver
from hookrt.web.app import build_app
from hookrt.web.options import WebOptions
from hookrt.web.server import WebServer

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "logto.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
FILES = [text for kind, text in BLOCKS if kind == "yaml"]
COMMANDS = [
    line[2:] for kind, text in BLOCKS if kind == "console" for line in text.splitlines() if line.startswith("$ ")
]
KEY = "the value of HOOKRT_SECRET_APP_KEY"
ENV = {f"HOOKRT_SECRET_{name}": KEY for name in ("LOGTO_KEY", "LOGTO_NEXT_KEY", "APP_KEY", "APP_NEXT_KEY")}


def hookrt(command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the docs, whose first word is `hookrt`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOOKRT_", "FORCE_COLOR"))}
    return subprocess.run(
        [sys.executable, "-m", *shlex.split(command.partition(">>")[0])],
        env={**kept, "NO_COLOR": "1", **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def receiver_app() -> Any:
    [text] = [text for kind, text in BLOCKS if kind == "python"]
    module = types.ModuleType("receiver")
    exec(compile(text, "docs/logto.md", "exec", dont_inherit=True), module.__dict__)
    return module.app


@pytest.mark.parametrize("text", FILES, ids=range(len(FILES)))
def test_an_example_is_accepted(text: str, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(text)
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=load_plugins(), env=ENV))
    assert [str(problem) for problem in loaded.problems] == []


def test_the_commands_run_against_the_first_example(tmp_path: Path) -> None:
    asked = [line for line in COMMANDS if line.startswith(("hookrt hooks", "hookrt emit", "hookrt deliveries"))]
    assert len(asked) == 7

    async def scenario() -> dict[str, subprocess.CompletedProcess[str]]:
        async with Receiver() as receiver:
            (tmp_path / "hooks.yaml").write_text(
                FILES[0].replace("https://app.example.com", receiver.url).replace("    from: logto", "    #")
            )
            async with Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env=ENV) as runtime:
                server = WebServer(build_app(runtime, WebOptions(log=structlog.get_logger())), port=0)
                await server.start()
                try:
                    url = f"http://127.0.0.1:{server.port}"
                    return {line: await asyncio.to_thread(hookrt, line, HOOKRT_URL=url) for line in asked}
                finally:
                    await server.stop()

    ran = asyncio.run(scenario())
    assert {line: (one.returncode, one.stderr) for line, one in ran.items()} == dict.fromkeys(asked, (0, ""))


def test_what_is_made_for_logto_is_a_key_as_logto_makes_them() -> None:
    [line] = [line for line in COMMANDS if line.startswith("hookrt secrets new")]
    ran = hookrt(line)
    assert re.fullmatch(r"HOOKRT_SECRET_APP_KEY=[0-9A-Za-z]{32}\n", ran.stdout)


def test_the_receiver_takes_what_the_first_example_sends_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> list[int]:
        async with Receiver() as receiver:
            (tmp_path / "hooks.yaml").write_text(FILES[0].replace("https://app.example.com", receiver.url))
            async with Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env=ENV) as runtime:
                from hookrt.runtime.hook_trials import TrialOrder

                await runtime.control.trials.run("sync-users", TrialOrder())
        [request] = receiver.requests
        assert request.headers["x-environment"] == "production"
        transport = httpx.ASGITransport(receiver_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            signature = {"logto-signature-sha-256": request.headers["logto-signature-sha-256"]}
            sent = [(request.body, signature), (request.body + b" ", signature), (request.body, {})]
            return [(await client.post("/logto", content=body, headers=head)).status_code for body, head in sent]

    assert asyncio.run(scenario()) == [204, 401, 401]
    assert capsys.readouterr().out.startswith("PostRegister ")


def test_every_behaviour_that_logto_tests_is_tested_or_said_not_to_apply() -> None:
    rows = {int(number): what for number, what in re.findall(r"^\| (\d{1,2}) \| .* \| (.*) \|$", TEXT, re.MULTILINE)}
    told = {number: re.match(r"tested|does not apply", what) for number, what in rows.items()}
    assert sorted(told) == list(range(1, 42))
    assert all(told.values())
    tested: set[int] = set()
    for file in (ROOT / "tests" / "integration" / "logto").glob("test_*.py"):
        for numbers in re.findall(r"^def test_((?:\d\d_)+)", file.read_text(), re.MULTILINE):
            tested |= {int(number) for number in numbers.strip("_").split("_")}
    assert tested == {number for number, found in told.items() if found and found[0] == "tested"}
