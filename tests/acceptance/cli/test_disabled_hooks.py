"""Hooks that are disabled and enabled while the real service runs, with a real endpoint."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookrt import Runtime

Run = Callable[..., Any]
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


class Endpoint:
    """Takes webhooks by path; `status` is what it answers at /hook."""

    def __init__(self) -> None:
        self.status = 204
        self.got: dict[str, list[Any]] = {"/hook": [], "/watch": []}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status = outer.status if self.path == "/hook" else 204
                if status < 300:
                    outer.got[self.path].append(body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def numbers(self) -> list[int]:
        return sorted(body["data"]["n"] for body in self.got["/hook"])


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


class Service:
    """A running `hookrt run`, asked over HTTP."""

    def __init__(self, running: Any) -> None:
        self.running = running
        found = re.search(r"listens on (http://\S+)", running.wait_for("listens on"))
        assert found
        self.url = found[1]
        self.env = {"HOOKRT_URL": self.url}

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", timeout=30).json()

    def post(self, path: str, body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", json=body, timeout=30)

    def emit(self, n: int) -> str:
        answer = self.post("/v1/events", {"type": "User.Created", "data": {"n": n}})
        [identity] = answer.json()["deliveries"]
        return str(identity)

    def status(self, delivery: str) -> tuple[str, str | None]:
        shown = self.get(f"/v1/deliveries/{delivery}")
        return shown["status"], shown["reason"]

    def stop(self) -> None:
        self.running.send(signal.SIGTERM)
        assert self.running.end() == 0


@pytest.fixture
def serve(start: Run, tmp_path: Path, endpoint: Endpoint) -> Callable[[], Service]:
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("URL", endpoint.url))
    return lambda: Service(start("run", "--port", "0"))


def _until(question: Callable[[], Any]) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


HELD = ("held", "hook-disabled")


def test_410_disables_the_hook_its_events_are_held_and_delivered_when_it_is_enabled(
    serve: Callable[[], Service], hookrt: Run, endpoint: Endpoint
) -> None:
    service = serve()
    endpoint.status = 410
    first = service.emit(1)
    _until(lambda: service.status(first) == HELD)
    endpoint.status = 204
    second = service.emit(2)
    assert service.status(second) == HELD

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
    metrics = httpx.get(f"{service.url}/metrics").text
    assert 'hookrt_hook_disabled{hook="send"} 1.0' in metrics
    assert 'hookrt_hook_switches_total{hook="send",reason="endpoint",state="disabled"} 1.0' in metrics

    enabled = hookrt("hooks", "enable", "send", env=service.env)
    assert enabled.returncode == 0, enabled.stderr
    assert "enabled send" in enabled.stdout
    _until(lambda: service.status(first)[0] == service.status(second)[0] == "succeeded")
    assert endpoint.numbers() == [1, 2]
    told = _until(lambda: len(endpoint.got["/watch"]) == 2 and endpoint.got["/watch"])
    assert sorted(body["type"] for body in told) == ["hookrt.hook.disabled", "hookrt.hook.enabled"]
    service.stop()
    assert "hook-disabled" in service.running.shown


def test_disabled_by_hand_with_a_reason_and_enabled_with_discard(
    serve: Callable[[], Service], hookrt: Run, endpoint: Endpoint
) -> None:
    service = serve()
    done = hookrt("hooks", "disable", "send", "--reason", "the CRM moves", env=service.env)
    assert (done.returncode, "disabled send" in done.stdout) == (0, True), done.stderr
    old = service.emit(1)
    assert service.status(old) == HELD
    assert service.get("/v1/hooks/send")["disabled"]["message"] == "the CRM moves"
    again = hookrt("hooks", "disable", "send", "--reason", "second", env=service.env)
    assert again.stdout == "send is already disabled (by-hand, 1 held); its reason stays\n", again.stderr
    assert service.get("/v1/hooks/send")["disabled"]["message"] == "the CRM moves"
    shown = json.loads(hookrt("hooks", "enable", "send", "--discard", "-o", "json", env=service.env).stdout)
    assert (shown["enabled"], shown["disabled"], shown["stats"]["held"]) == (True, None, 0)
    assert service.status(old) == ("cancelled", "discarded")
    enabled = hookrt("hooks", "enable", "send", env=service.env)
    assert enabled.stdout == "send is already enabled\n", enabled.stderr
    new = service.emit(2)
    _until(lambda: service.status(new)[0] == "succeeded")
    assert endpoint.numbers() == [2]
    unknown = hookrt("hooks", "disable", "sned", env=service.env)
    assert unknown.returncode == 1
    assert "no hook is named 'sned'" in unknown.stderr
    assert service.post("/v1/hooks/send/enable", {"dicsard": True}).status_code == 400


def test_a_restart_keeps_a_hook_disabled_and_a_changed_definition_delivers_what_is_held(
    serve: Callable[[], Service], hookrt: Run, endpoint: Endpoint, tmp_path: Path
) -> None:
    service = serve()
    assert service.post("/v1/hooks/send/disable", {}).status_code == 200
    first = service.emit(1)
    service.stop()
    listed = hookrt("hooks", "list", "--store", "sqlite:///.hookrt/hookrt.db").stdout  # without a service
    assert "disabled (by-hand, 1 held)" in listed

    service = serve()
    second = service.emit(2)
    assert [service.status(one) for one in (first, second)] == [HELD, HELD]
    service.stop()

    file = tmp_path / "hooks.yaml"
    file.write_text(file.read_text().replace("    on: User.*\n", "    on: User.*\n    timeout: 7s\n"))
    service = serve()
    _until(lambda: service.status(first)[0] == service.status(second)[0] == "succeeded")
    assert endpoint.numbers() == [1, 2]
    assert service.get("/v1/hooks/send")["enabled"]


def test_a_changed_definition_that_is_reloaded_delivers_what_is_held(
    serve: Callable[[], Service], endpoint: Endpoint, tmp_path: Path
) -> None:
    service = serve()
    service.post("/v1/hooks/send/disable", {})
    held = service.emit(1)
    file = tmp_path / "hooks.yaml"
    file.write_text(file.read_text().replace("    on: User.*\n", "    on: User.*\n    timeout: 7s\n"))
    service.running.send(signal.SIGHUP)
    _until(lambda: service.status(held)[0] == "succeeded")
    assert service.get("/v1/hooks/send")["disabled"] is None


def test_another_process_on_the_same_file_saves_held_what_comes_for_a_disabled_hook(
    serve: Callable[[], Service], endpoint: Endpoint, tmp_path: Path
) -> None:
    async def emit(n: int) -> str:
        runtime = Runtime.from_file(tmp_path / "hooks.yaml", deliver=False)
        async with runtime:
            receipt = await runtime.emit("User.Created", {"n": n})
        return receipt.deliveries[0]

    service = serve()
    service.post("/v1/hooks/send/disable", {})
    beside = asyncio.run(emit(1))
    assert service.status(beside) == HELD
    service.stop()
    alone = asyncio.run(emit(2))  # nobody delivers: it is written straight to the file
    service = serve()
    assert [service.status(one) for one in (beside, alone)] == [HELD, HELD]
    service.post("/v1/hooks/send/enable", {})
    _until(lambda: service.status(beside)[0] == service.status(alone)[0] == "succeeded")
    assert endpoint.numbers() == [1, 2]
