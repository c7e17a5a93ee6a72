"""What `hookrt check` says of `allow`, and of a snippet that uses what it is not granted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.actions.python_snippet.checker import shared_checker
from hookrt.config.load import Loaded, LoadOptions, load
from hookrt.config.schema import build_schema
from hookrt.model.delivery import Status
from hookrt.plugin import Action, ActionCall, Outcome, SecretName, Settings, WrittenUrl
from hookrt.plugin.manager import load_plugins

HEAD = "hooks:\n  one:\n    on: A\n    steps:\n      - "


class AskSettings(Settings):
    """Settings of somebody else's action."""

    token: SecretName
    mirrors: tuple[WrittenUrl, ...] = ()


class Ask(Action[AskSettings]):
    """An action that asks for a secret by the name that it was given, and sends somewhere."""

    name = "ask"

    async def run(self, call: ActionCall[AskSettings]) -> Outcome:
        """Ask and count."""
        return Outcome.done(logs=[call.secrets.require(call.settings.token), str(await call.state.add("n"))])


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Loaded]:
    """Read a hooks.yaml with this one step (line 5)."""
    monkeypatch.chdir(tmp_path)

    def go(step: str, **env: str) -> Loaded:
        Path("hooks.yaml").write_text(HEAD + step)
        registry = load_plugins()
        registry.actions["ask"] = Ask
        provided = {f"HOOKRT_SECRET_{name}": value for name, value in env.items()}
        return load(Path("hooks.yaml"), LoadOptions(registry, provided))

    yield go
    shared_checker().close()


def told(loaded: Loaded) -> list[str]:
    return [f"{one.place.line}:{one.place.column} {one.severity.value} {one.message}" for one in loaded.problems]


@pytest.mark.parametrize(
    ("allow", "said"),
    [
        ('{http: ["https://*.example.com"]}', "error `allow.http.0`: an entry has no `*`: write each origin out"),
        ("{http: [ftp://x]}", "error `allow.http.0`: write it with its scheme"),
        ('{http: ["${{ event.data.url }}"]}', "error `allow` takes no `${{ }}`"),
        ("{secrets: [CRM-TOKEN]}", "error `allow.secrets.0`: write a secret's own name"),
        ("{emit: [hookrt.delivery.dead]}", "error `allow.emit.0`: `hookrt.` events are hookrt's own"),
        ("{emit: ['User*']}", "error `allow.emit.0`: '*' stands for a whole segment"),
        ("{network: true}", "error `python` has no setting 'network'"),
        ("{secrets: [CRM_TOKN]}", "warning the secret CRM_TOKN is not provided: set the variable"),
    ],
)
def test_an_entry_that_cannot_work_is_reported_where_it_stands(read: Any, allow: str, said: str) -> None:
    [problem] = told(read(f'python: {{allow: {allow}, code: "result = 1"}}'))
    assert problem.startswith("5:")
    assert said in problem


def test_a_secret_that_is_not_provided_comes_with_a_suggestion(read: Any) -> None:
    [problem] = read('python: {allow: {secrets: [CRM_TOKN]}, code: "result = 1"}', CRM_TOKEN="x").problems
    assert problem.hint == "did you mean secrets.CRM_TOKEN?"


USES = """python:
          allow: {http: [https://a.example]}
          code: |
            def run(event, ctx):
                ctx.http.get("https://a.example/x")
                ctx.http.get("https://b.example/x")
                return ctx.secrets.CRM_TOKEN
"""


def test_uses_without_a_grant_are_warnings_at_their_place(read: Any) -> None:
    loaded = read(USES)
    assert told(loaded) == [
        '10:17 warning ctx.http is not granted for https://b.example: add "allow: {http: [https://b.example]}"'
        " to this step",
        '11:24 warning ctx.secrets.CRM_TOKEN is not granted: add "allow: {secrets: [CRM_TOKEN]}" to this step',
    ]
    assert loaded.configuration is not None, "a warning keeps nothing from running"
    assert loaded.configuration.hooks[0].steps[0].trusted_origins == ("https://a.example",)


def test_uses_in_a_file_are_warnings_in_that_file(read: Any) -> None:
    Path("shape.py").write_text("def run(event, ctx):\n    return ctx.state.get('n')\n")
    [problem] = read("python: {file: shape.py}").problems
    assert (problem.place.file, problem.place.line, problem.place.column) == ("shape.py", 2, 12)
    assert read("python: {file: shape.py, allow: {state: true}}").problems == ()


def test_an_import_of_another_http_client_names_ours(read: Any) -> None:
    [problem] = read('python: "import requests\\nresult = 1"').problems
    assert "the module 'requests' is not available in snippets" in problem.message
    assert problem.hint.startswith("use ctx.http.get(...), and grant it")


def test_a_secret_name_of_another_action_is_checked_as_well(read: Any) -> None:
    [problem] = read("ask: {token: CRM_TOKN}", CRM_TOKEN="x").problems
    assert problem.message.startswith("the secret CRM_TOKN is not provided")
    assert problem.place.column == 22


def test_a_written_url_in_a_list_is_the_operators_will(read: Any) -> None:
    loaded = read('ask: {token: CRM, mirrors: ["http://localhost:1/x", "http://${{ event.data.h }}/"]}', CRM="x")
    assert loaded.configuration.hooks[0].steps[0].trusted_origins == ("http://localhost:1",)


def test_another_action_gets_its_secret_and_keeps_its_state_and_no_event_names_a_secret(read: Any) -> None:
    async def story(settings: str) -> list[tuple[Any, ...]]:
        loaded = read(f"ask: {settings}", CRM="four-4711", OTHER="other-4711")
        registry = load_plugins()
        registry.actions["ask"] = Ask
        runtime = Runtime.from_configuration(loaded.configuration, registry, store="memory:", env={})
        async with runtime:
            found: list[tuple[Any, ...]] = []
            for _ in range(2):
                receipt = await runtime.emit("A", {"name": "OTHER"})
                [delivery] = await receipt.wait(timeout=30)
                [attempt] = await runtime.store.attempts(delivery.id)
                found.append((delivery.status, attempt.reason, attempt.logs, attempt.message))
            return found

    first, second = asyncio.run(story("{token: CRM}"))
    assert (first[2], second[2]) == (("***", "1"), ("***", "2"))
    refused, _ = asyncio.run(story('{token: "${{ event.data.name }}"}'))
    assert refused[:2] == (Status.DEAD, "template")
    assert "the name of a secret is written out, and not made by an expression" in refused[3]


def test_editors_are_told_that_allow_is_written_out() -> None:
    definitions = build_schema(load_plugins())["$defs"]
    allow = definitions["action.python.Allow"]
    assert set(allow["properties"]) == {"http", "secrets", "state", "emit"}
    assert all(one["description"] for one in allow["properties"].values())
    assert "expression" not in json.dumps(allow)
