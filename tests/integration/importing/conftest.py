"""The real adnanh/webhook and a real hookrt side by side, asked the same and seen to run the same."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import Field

from hookrt import Runtime
from hookrt.importing.adnanh.translate import translate
from hookrt.importing.naming import variable
from hookrt.importing.notes import Imported
from hookrt.plugin import Action, ActionCall, Outcome, Settings
from hookrt.plugin.manager import load_plugins
from hookrt.web.app import build_app
from hookrt.web.options import WebOptions
from hookrt.web.server import WebServer

DEADLINE_S = 30.0
INSTALL = "adnanh/webhook is not installed here: apt-get install webhook"
TRIGGERED = "the command runs"

RECORDER = """#!/bin/sh
# Leaves its arguments, its folder and the variables that tests look at in a file of its own. A variable that is not set
# counts as empty, as the notes say.
out=$(mktemp "$RECORDS/begun.XXXXXX") || exit 1
printf '%s\\0' "$(pwd)" "$WHO" "$HOOK_count" "$@" > "$out"
mv "$out" "$RECORDS/done.${out##*.}"
"""


class CommandSettings(Settings):
    """What to run."""

    argv: list[str]
    cwd: str | None = None
    env: dict[str, str] = Field(default_factory=dict)


class Command(Action[CommandSettings]):
    """Run a program, as small as can be."""

    name = "command"
    static = frozenset({"argv"})

    async def run(self, call: ActionCall[CommandSettings]) -> Outcome:
        settings = call.settings
        own = {name: os.environ[name] for name in ("PATH", "RECORDS")}
        process = await asyncio.create_subprocess_exec(*settings.argv, cwd=settings.cwd, env={**own, **settings.env})
        return Outcome.done() if await process.wait() == 0 else Outcome.reject("failed", "the command failed")


@dataclass(frozen=True)
class Ran:
    """What a recorder was run with."""

    folder: str
    variables: tuple[str, str]
    arguments: tuple[str, ...]


@dataclass
class Records:
    """What recorders leave."""

    folder: Path

    def take(self) -> list[Ran]:
        found = sorted(self.folder.glob("done.*"))
        texts = [path.read_text().split("\0")[:-1] for path in found]
        for path in found:
            path.unlink()
        return [Ran(text[0], (text[1], text[2]), tuple(text[3:])) for text in texts]

    def wait(self) -> Ran:
        end = time.monotonic() + DEADLINE_S
        while not (found := self.take()):
            assert time.monotonic() < end, "the command was not run"
            time.sleep(0.005)
        [ran] = found
        return ran


@dataclass
class Sent:
    """A request, as both get it."""

    hook: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    method: str = "POST"


@dataclass
class Both:
    """The two programs; each tells what it ran for a request, None for nothing."""

    webhook: httpx.Client
    hookrt: httpx.AsyncClient
    records: Records
    imported: Imported

    async def ask(self, sent: Sent) -> tuple[Ran | None, Ran | None]:
        return await asyncio.to_thread(self.ask_webhook, sent), await self.ask_hookrt(sent)

    def ask_webhook(self, sent: Sent) -> Ran | None:
        answer = self.webhook.request(
            sent.method, f"/hooks/{sent.hook}{sent.query}", content=sent.body, headers=dict(sent.headers)
        )
        assert answer.status_code != 404
        return self.records.wait() if answer.text == TRIGGERED else None

    async def ask_hookrt(self, sent: Sent) -> Ran | None:
        path = f"/in/{sent.hook}{sent.query}"
        answer = await self.hookrt.request(sent.method, path, content=sent.body, headers=dict(sent.headers))
        if answer.status_code != 200:
            assert answer.status_code in (400, 401, 405), answer.text
            return None
        [newest] = (await self.hookrt.get("/v1/events?limit=1")).json()["items"]
        event = (await self.hookrt.get(f"/v1/events/{newest['id']}", params={"source": sent.hook})).json()
        if not event["deliveries"]:
            return None
        [delivery] = event["deliveries"]
        async with asyncio.timeout(DEADLINE_S):
            while (status := await self._status(delivery["id"])) not in ("succeeded", "dead"):
                await asyncio.sleep(0.005)
        found = self.records.take()
        assert len(found) == (status == "succeeded")
        return found[0] if found else None

    async def _status(self, delivery: str) -> str:
        return str((await self.hookrt.get(f"/v1/deliveries/{delivery}")).json()["status"])


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that leaves what it was run with."""
    path = tmp_path / "record"
    path.write_text(RECORDER)
    path.chmod(0o755)
    (tmp_path / "records").mkdir()
    monkeypatch.setenv("RECORDS", str(tmp_path / "records"))
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def webhook(tmp_path: Path, recorder: Path) -> Iterator[Any]:
    """Starts adnanh/webhook with these hooks; gives a client of it, and the file."""
    program = shutil.which("webhook")
    if program is None:
        pytest.skip(INSTALL)
    started: list[subprocess.Popen[bytes]] = []
    clients: list[httpx.Client] = []

    def start(hooks: list[dict[str, Any]]) -> tuple[httpx.Client, Path]:
        path = tmp_path / "hooks.json"
        path.write_text(json.dumps(hooks, indent=1))
        while True:
            port = _free_port()
            command = [program, "-hooks", str(path), "-ip", "127.0.0.1", "-port", str(port)]
            quiet = subprocess.DEVNULL
            started.append(subprocess.Popen(command, cwd=tmp_path, stdout=quiet, stderr=quiet))
            clients.append(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_S, trust_env=False))
            if _is_up(clients[-1], started[-1]):
                return clients[-1], path
            assert len(started) < 5  # somebody else may have taken the port meanwhile

    yield start
    for client in clients:
        client.close()
    for process in started:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _is_up(client: httpx.Client, process: subprocess.Popen[bytes]) -> bool:
    """Waits until it serves; false when it has ended instead."""
    end = time.monotonic() + DEADLINE_S
    while process.poll() is None:
        assert time.monotonic() < end
        try:
            client.get("/")
            return process.poll() is None
        except httpx.TransportError:
            time.sleep(0.01)
    return False


@pytest.fixture
def beside(webhook: Any, tmp_path: Path) -> Any:
    """Runs a scenario with both programs on these hooks."""

    def run(hooks: list[dict[str, Any]], scenario: Any) -> Any:
        client, path = webhook(hooks)
        imported = translate(path)
        (tmp_path / "hooks.yaml").write_text(imported.text)
        env = {variable(name): value for name, value in imported.secrets.items()}
        registry = load_plugins()
        registry.add_action(Command)
        runtime = Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", registry=registry, env=env)

        async def serve() -> Any:
            async with runtime:
                server = WebServer(build_app(runtime, WebOptions(log=runtime._parts.log)), port=0)
                await server.start()
                try:
                    async with httpx.AsyncClient(base_url=server.url, timeout=DEADLINE_S) as ours:
                        return await scenario(Both(client, ours, Records(tmp_path / "records"), imported))
                finally:
                    await server.stop()

        return asyncio.run(serve())

    return run
