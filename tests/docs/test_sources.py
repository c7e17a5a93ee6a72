"""What docs/sources.md shows is accepted, runs, and says what the text says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from hookrt import Runtime
from hookrt.config.document import parse_document
from hookrt.config.load import LoadOptions, load
from hookrt.config.nodes import MapNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.schema import build_schema
from hookrt.config.settings_tree import plain_tree
from hookrt.matching.names import REQUEST_VARIABLES
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.refusal import REFUSALS
from hookrt.web.app import build_app
from hookrt.web.options import WebOptions
from hookrt.web.server import WebServer

TEXT = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
FILES = [text for kind, text in BLOCKS if kind == "yaml"]
COMMANDS = [text for kind, text in BLOCKS if kind == "sh"]
PROGRAMS = {text.split()[1]: text for kind, text in BLOCKS if kind == "python"}
KEY = "a-signing-key-of-logto"


def environment(text: str) -> dict[str, str]:
    return {f"HOOKRT_SECRET_{name}": KEY for name in re.findall(r"secrets\.([A-Z_]+)", text)}


def write(text: str, folder: Path) -> Path:
    path = folder / "hooks.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", FILES, ids=range(len(FILES)))
def test_an_example_is_accepted(text: str, tmp_path: Path) -> None:
    loaded = load(write(text, tmp_path), LoadOptions(registry=load_plugins(), env=environment(text)))
    assert [str(problem) for problem in loaded.problems] == []


@pytest.mark.parametrize("text", FILES, ids=range(len(FILES)))
def test_an_editor_accepts_an_example(text: str) -> None:
    root = parse_document(text.encode(), "hooks.yaml", ProblemLog())
    assert isinstance(root, MapNode)
    validator = Draft202012Validator(build_schema(load_plugins()))
    assert [error.message for error in validator.iter_errors(plain_tree(root, ProblemLog()).value)] == []


def test_the_first_example_is_answered_as_the_text_says(tmp_path: Path) -> None:
    start, send = COMMANDS
    assert f"HOOKRT_SECRET_LOGTO_KEY={KEY}\nhookrt run" in start

    async def scenario() -> None:
        path = write(FILES[0], tmp_path)
        async with Runtime.from_file(path, store="memory:", env=environment(FILES[0])) as runtime:
            server = WebServer(build_app(runtime, WebOptions(log=runtime._parts.log)), port=0)
            await server.start()
            command = send.replace("localhost:4665", f"127.0.0.1:{server.port}")
            try:
                first, again = [await asyncio.to_thread(shell, command) for _ in range(2)]
            finally:
                await server.stop()
            assert set(json.loads(first)) == {"id"}
            stored = await runtime.store.event("logto", json.loads(first)["id"])
            assert stored is not None
            assert (stored.event.type, stored.event.subject, len(stored.deliveries)) == ("PostRegister", "usr_1", 1)
            assert json.loads(again)["id"].startswith("sha256:")

    asyncio.run(scenario())


def shell(command: str) -> str:
    done = subprocess.run(["bash", "-ec", command], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def test_the_program_that_embeds_a_source_answers_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environment(FILES[1]).items():
        monkeypatch.setenv(name, value)
    write(FILES[1], tmp_path)
    module = run("serve_sources.py")

    async def scenario() -> list[tuple[int, Any]]:
        async with module.runtime:
            transport = httpx.ASGITransport(module.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
                good = {"authorization": f"Bearer {KEY}", "x-request-id": "r1"}
                asked = [("shop", good), ("shop", {}), ("other", good)]
                body = {"action": "shipped", "order": {"id": "o1"}}
                answers = [
                    await client.post(f"/webhooks/{name}", json=body, headers=headers) for name, headers in asked
                ]
                stored = await module.runtime.store.event("shop", "r1")
                assert (stored.event.type, stored.event.subject) == ("shop.shipped", "o1")
        return [(answer.status_code, answer.json().get("ok")) for answer in answers]

    assert asyncio.run(scenario()) == [(202, True), (401, None), (404, None)]


def test_the_source_of_ones_own_passes_the_contract(tmp_path: Path) -> None:
    for name in ("acme_source.py", "test_acme_source.py"):
        (tmp_path / name).write_text(PROGRAMS[name])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=tmp_path, env={**os.environ, "PYTHONPATH": "."}
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_the_table_of_answers_has_every_refusal() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", TEXT, re.MULTILINE)
    told = {word: int(status) for status, words in rows for word in re.findall(r"`([\w-]+)`", words)}
    assert {reason: told.get(reason) for reason in REFUSALS} == dict(REFUSALS)
    assert told["source-failed"] == 500


def test_the_table_of_senders_has_every_source_of_hookrt() -> None:
    table = TEXT.partition("## Senders\n")[2].partition("\n`hookrt plugins")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    own = {name for name, source in load_plugins().sources.items() if ":" not in name and "receive" in dir(source)}
    assert told == {name for name in own if load_plugins().sources[name].__module__.startswith("hookrt.")}


def test_the_names_in_expressions_are_those_that_are_published() -> None:
    section = TEXT.partition("**Type, subject, id.**")[2].partition("\n\n")[0]
    assert all(f"`{variable.name}`" in section for variable in REQUEST_VARIABLES)


def run(name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    exec(compile(PROGRAMS[name], f"docs/{name}", "exec", dont_inherit=True), module.__dict__)
    return module
