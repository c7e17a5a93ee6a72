"""Hooks that are disabled and enabled while the real service runs, with a real endpoint."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime

Run = Callable[..., Any]
Until = Callable[..., Any]
Endpoint = Any
Service = Any
DEADLINE_S = 60.0

HOOKS = """\
service: {disabled_hook_hold: 10d}
hooks:
  send:
    on: User.*
    steps:
      - webhook: {url: "URL/hook"}
  watch:
    on: hookrt.**
    steps:
      - webhook: {url: "URL/watch"}
"""


@pytest.fixture
def configured(tmp_path: Path, endpoint: Endpoint) -> Path:
    """The file of the hooks; what hookrt itself tells, the endpoint always takes."""
    endpoint.always["/watch"] = 204
    file = tmp_path / "hooks.yaml"
    file.write_text(HOOKS.replace("URL", endpoint.url))
    return file


def bodies(endpoint: Endpoint, path: str) -> list[Any]:
    """What was taken there."""
    return [json.loads(one.body) for one in endpoint.taken if one.path == path and one.status < 300]


def numbers(endpoint: Endpoint) -> list[int]:
    return sorted(body["data"]["n"] for body in bodies(endpoint, "/hook"))


def emit_one(service: Service, n: int) -> str:
    """The id of its delivery."""
    [identity] = service.post("/v1/events", {"type": "User.Created", "data": {"n": n}}).json()["deliveries"]
    return str(identity)


def status(service: Service, delivery: str) -> tuple[str, str | None]:
    shown = service.delivery(delivery)
    return shown["status"], shown["reason"]


HELD = ("held", "hook-disabled")


def test_410_disables_the_hook_its_events_are_held_and_delivered_when_it_is_enabled(
    configured: Path, serve: Run, hookrt: Run, endpoint: Endpoint, until: Until
) -> None:
    service = serve("--port", "0")
    endpoint.status = 410
    first = emit_one(service, 1)
    until(lambda: status(service, first) == HELD)
    endpoint.status = 204
    second = emit_one(service, 2)
    assert status(service, second) == HELD

    hook = service.get("/v1/hooks/send")
    assert (hook["enabled"], hook["disabled"]["reason"], hook["stats"]["held"]) == (False, "endpoint", 2)
    assert "410" in hook["disabled"]["message"]
    assert hook["disabled"]["since"].endswith("Z")
    listed = hookrt("hooks", "list", env=service.env).stdout
    assert "disabled (endpoint, 2 held)" in listed
    shown = hookrt("hooks", "show", "send", env=service.env).stdout
    assert re.search(r"disabled +endpoint since .*410", shown)
    assert "2 deliveries held" in shown
    explained = hookrt("explain", service.get(f"/v1/deliveries/{first}")["event"], env=service.env).stdout
    assert "its delivery is held" in explained
    metrics = service.client.get("/metrics").text
    assert 'hookrt_hook_disabled{hook="send"} 1.0' in metrics
    assert 'hookrt_hook_switches_total{hook="send",reason="endpoint",state="disabled"} 1.0' in metrics

    enabled = hookrt("hooks", "enable", "send", env=service.env)
    assert enabled.returncode == 0, enabled.stderr
    assert "enabled send" in enabled.stdout
    until(lambda: status(service, first)[0] == status(service, second)[0] == "succeeded")
    assert numbers(endpoint) == [1, 2]
    told = until(lambda: len(found := bodies(endpoint, "/watch")) == 2 and found)
    assert sorted(body["type"] for body in told) == ["hookrt.hook.disabled", "hookrt.hook.enabled"]
    assert service.stop() == 0
    assert "hook-disabled" in service.running.shown


def test_disabled_by_hand_with_a_reason_and_enabled_with_discard(
    configured: Path, serve: Run, hookrt: Run, endpoint: Endpoint, until: Until
) -> None:
    service = serve("--port", "0")
    done = hookrt("hooks", "disable", "send", "--reason", "the CRM moves", env=service.env)
    assert (done.returncode, "disabled send" in done.stdout) == (0, True), done.stderr
    old = emit_one(service, 1)
    assert status(service, old) == HELD
    assert service.get("/v1/hooks/send")["disabled"]["message"] == "the CRM moves"
    again = hookrt("hooks", "disable", "send", "--reason", "second", env=service.env)
    assert again.stdout == "send is already disabled (by-hand, 1 held); its reason stays\n", again.stderr
    assert service.get("/v1/hooks/send")["disabled"]["message"] == "the CRM moves"
    shown = json.loads(hookrt("hooks", "enable", "send", "--discard", "-o", "json", env=service.env).stdout)
    assert (shown["enabled"], shown["disabled"], shown["stats"]["held"]) == (True, None, 0)
    assert status(service, old) == ("cancelled", "discarded")
    enabled = hookrt("hooks", "enable", "send", env=service.env)
    assert enabled.stdout == "send is already enabled\n", enabled.stderr
    new = emit_one(service, 2)
    until(lambda: status(service, new)[0] == "succeeded")
    assert numbers(endpoint) == [2]
    unknown = hookrt("hooks", "disable", "sned", env=service.env)
    assert unknown.returncode == 1
    assert "no hook is named 'sned'" in unknown.stderr
    assert service.post("/v1/hooks/send/enable", {"dicsard": True}).status_code == 400


def test_a_restart_keeps_a_hook_disabled_and_a_changed_definition_delivers_what_is_held(
    configured: Path, serve: Run, hookrt: Run, endpoint: Endpoint, until: Until
) -> None:
    service = serve("--port", "0")
    assert service.post("/v1/hooks/send/disable", {}).status_code == 200
    first = emit_one(service, 1)
    assert service.stop() == 0
    listed = hookrt("hooks", "list", "--store", "sqlite:///.hookrt/hookrt.db").stdout  # without a service
    assert "disabled (by-hand, 1 held)" in listed

    service = serve("--port", "0")
    second = emit_one(service, 2)
    assert [status(service, one) for one in (first, second)] == [HELD, HELD]
    assert service.stop() == 0

    configured.write_text(configured.read_text().replace("    on: User.*\n", "    on: User.*\n    timeout: 7s\n"))
    service = serve("--port", "0")
    until(lambda: status(service, first)[0] == status(service, second)[0] == "succeeded")
    assert numbers(endpoint) == [1, 2]
    assert service.get("/v1/hooks/send")["enabled"]


def test_a_changed_definition_that_is_reloaded_delivers_what_is_held(
    configured: Path, serve: Run, endpoint: Endpoint, until: Until
) -> None:
    service = serve("--port", "0")
    service.post("/v1/hooks/send/disable", {})
    held = emit_one(service, 1)
    configured.write_text(configured.read_text().replace("    on: User.*\n", "    on: User.*\n    timeout: 7s\n"))
    service.running.send(signal.SIGHUP)
    until(lambda: status(service, held)[0] == "succeeded")
    assert service.get("/v1/hooks/send")["disabled"] is None


def test_another_process_on_the_same_file_saves_held_what_comes_for_a_disabled_hook(
    configured: Path, serve: Run, endpoint: Endpoint, until: Until
) -> None:
    async def emit(n: int) -> str:
        runtime = Runtime.from_file(configured, deliver=False)
        async with runtime:
            receipt = await runtime.emit("User.Created", {"n": n})
        return receipt.deliveries[0]

    service = serve("--port", "0")
    service.post("/v1/hooks/send/disable", {})
    beside = asyncio.run(emit(1))
    assert status(service, beside) == HELD
    assert service.stop() == 0
    alone = asyncio.run(emit(2))  # nobody delivers: it is written straight to the file
    service = serve("--port", "0")
    assert [status(service, one) for one in (beside, alone)] == [HELD, HELD]
    service.post("/v1/hooks/send/enable", {})
    until(lambda: status(service, beside)[0] == status(service, alone)[0] == "succeeded")
    assert numbers(endpoint) == [1, 2]
