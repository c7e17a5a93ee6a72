"""`hookrt run` and the commands that ask it, as subprocesses with a real endpoint."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

Run = Callable[..., Any]
Until = Callable[..., Any]
Endpoint = Any
Service = Any
DEADLINE_S = 60.0


HOOKS = """\
hooks:
  send:
    description: Sends it on
    on: User.*
    steps:
      - webhook: {url: "URL/hook"}
        retry: none
  later:
    on: Slow.Thing
    steps:
      - webhook: {url: "URL/hook"}
        retry: [1h]
"""


@pytest.fixture
def service(serve: Run, tmp_path: Path, endpoint: Endpoint) -> Service:
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("URL", endpoint.url))
    return serve("--port", "0")


def test_run_says_where_it_listens_where_the_store_is_and_what_waits(service: Service, tmp_path: Path) -> None:
    assert service.stop() == 0
    shown = service.running.shown
    assert str(tmp_path / ".hookrt" / "hookrt.db") in shown
    assert "(0 deliveries pending)" in shown
    assert f"2 hooks from {tmp_path / 'hooks.yaml'}" in shown
    assert service.running.err[-1] == "stopped"


def test_emit_with_wait_shows_the_delivery_and_ends_with_0(service: Service, hookrt: Run, endpoint: Endpoint) -> None:
    done = hookrt("emit", "User.Created", "--data", '{"n": 1.10}', "--id", "e1", "--wait", env=service.env)
    assert done.returncode == 0, done.stderr
    assert "User.Created is stored as e1: 1 delivery" in done.stdout
    assert re.search(r"send  dlv_\w+  succeeded", done.stdout)
    assert f"POST {endpoint.url}/hook → 204" in done.stdout
    assert b'"data":{"n": 1.10}' in endpoint.taken[0].body
    again = hookrt("emit", "User.Created", "--data", '{"n": 1.10}', "--id", "e1", env=service.env)
    assert "sent before" in again.stdout
    other = hookrt("emit", "User.Created", "--data", "2", "--id", "e1", env=service.env)
    assert other.returncode == 1
    assert "other content" in other.stderr


def test_emit_with_wait_ends_with_1_when_a_delivery_died(service: Service, hookrt: Run, endpoint: Endpoint) -> None:
    endpoint.status = 500
    done = hookrt("emit", "User.Created", "--wait", "-o", "github", env=service.env)
    assert done.returncode == 1
    assert "the endpoint answered 500" in done.stdout
    assert "::error::send: dead" in done.stdout


def test_emit_with_wait_ends_with_1_when_the_time_is_up(service: Service, hookrt: Run, endpoint: Endpoint) -> None:
    endpoint.status = 500
    done = hookrt("emit", "Slow.Thing", "--wait", "--timeout", "300ms", "-o", "json", env=service.env)
    assert done.returncode == 1
    assert json.loads(done.stdout)["awaited"][0]["status"] in {"waiting", "running"}


def test_what_no_hook_wants_is_kept_and_explained(service: Service, hookrt: Run) -> None:
    sent = json.loads(hookrt("emit", "Order.Paid", "-o", "json", env=service.env).stdout)
    assert sent["deliveries"] == []
    shown = hookrt("events", "show", sent["id"], env=service.env).stdout
    assert "no hook wanted it" in shown
    explained = hookrt("explain", sent["id"], env=service.env)
    assert explained.returncode == 0, explained.stderr
    assert "User.* does not match Order.Paid" in explained.stdout
    assert "Order.Paid" in hookrt("events", "list", env=service.env).stdout
    assert hookrt("events", "list", "--type", "None", env=service.env).stdout == "no events\n"


def test_hooks_are_listed_and_shown_with_their_retry_times(service: Service, hookrt: Run) -> None:
    listed = hookrt("hooks", "list", env=service.env).stdout
    assert {"send", "later", "User.*", "enabled"} <= set(listed.split())
    shown = hookrt("hooks", "show", "later", env=service.env).stdout
    assert "list: 2 attempts at most" in shown
    assert "2    1h  1h" in shown
    unknown = hookrt("hooks", "show", "nope", env=service.env)
    assert (unknown.returncode, unknown.stderr) == (1, "hookrt: no hook is named 'nope'\n")


def test_a_delivery_is_retried_replayed_and_cancelled(
    service: Service, hookrt: Run, endpoint: Endpoint, until: Until
) -> None:
    endpoint.status = 503

    def ask(*arguments: str) -> Any:
        return hookrt("deliveries", *arguments, env=service.env)

    def status(delivery: str) -> str:
        return str(json.loads(ask("show", delivery, "-o", "json").stdout)["status"])

    sent = [json.loads(hookrt("emit", "Slow.Thing", "-o", "json", env=service.env).stdout) for _ in range(2)]
    first, second = (one["deliveries"][0] for one in sent)
    until(lambda: status(first) == status(second) == "waiting")
    listed = ask("list", "--hook", "later", "--status", "waiting").stdout
    assert first in listed
    assert second in listed

    endpoint.status = 204
    assert ask("retry", first).stdout == f"the next attempt of {first} is due now\n"
    until(lambda: status(first) == "succeeded")
    assert ask("cancel", second).stdout == f"cancelled {second}\n"
    refused = ask("cancel", second)
    assert refused.returncode == 1
    assert "cancelled already" in refused.stderr
    replayed = json.loads(ask("replay", first, "--from-start", "-o", "json").stdout)
    assert replayed["replay_of"] == first
    until(lambda: status(replayed["id"]) == "succeeded")
    assert f"replay of {first}" in ask("show", replayed["id"]).stdout
    assert "no delivery has the id 'dlv_none'" in ask("retry", "dlv_none").stderr


def test_sigterm_lets_the_attempt_under_way_finish(service: Service, hookrt: Run, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    hookrt("emit", "User.Created", env=service.env)
    assert endpoint.arrived.wait(DEADLINE_S)
    service.running.send(signal.SIGTERM)
    service.running.wait_for("stopping")
    endpoint.gate.set()
    assert service.running.end() == 0
    assert service.running.err[-1] == "stopped"


def test_what_was_accepted_is_delivered_by_the_next_run(
    service: Service, serve: Run, hookrt: Run, endpoint: Endpoint, until: Until
) -> None:
    endpoint.gate.clear()
    hookrt("emit", "User.Created", "--id", "kept", env=service.env)
    assert endpoint.arrived.wait(DEADLINE_S)
    service.running.process.kill()
    service.running.end()
    endpoint.gate.set()
    following = serve("--port", "0")
    assert any("(1 delivery pending)" in line for line in following.running.err)

    def finished() -> bool:
        event = json.loads(hookrt("events", "show", "kept", "-o", "json", env=following.env).stdout)
        return bool(event["deliveries"][0]["status"] == "succeeded")

    until(finished)
    assert following.stop(signal.SIGINT) == 0


def test_a_second_ctrl_c_ends_at_once(service: Service, hookrt: Run, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    hookrt("emit", "User.Created", env=service.env)
    assert endpoint.arrived.wait(DEADLINE_S)
    service.running.send(signal.SIGINT)
    service.running.wait_for("stopping")
    service.running.send(signal.SIGINT)
    assert service.running.end() == -signal.SIGINT


def test_a_second_run_on_the_same_store_names_the_first(service: Service, hookrt: Run) -> None:
    done = hookrt("run", "--port", "0")
    assert done.returncode == 1
    assert str(service.running.process.pid) in done.stderr
    assert "hookrt.db" in done.stderr
    assert "Traceback" not in done.stderr
    assert service.stop() == 0


def test_a_port_in_use_is_one_sentence_and_leaves_no_store(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("URL", "http://127.0.0.1:1"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = hookrt("run", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / ".hookrt").exists()


@pytest.mark.parametrize("store", ["sqlite:////proc/nope/hookrt.db", "postgres://x", "nonsense", "sqlite:///."])
def test_a_store_that_cannot_be_had_is_one_sentence(hookrt: Run, tmp_path: Path, store: str) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("URL", "http://127.0.0.1:1"))
    done = hookrt("run", "--port", "0", "--store", store)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "this is a bug" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("hookrt: ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--log-level", "loud"], 2, "'warning'"),
        (["--log-format", "xml"], 2, "'console'"),
        (["--host", "no.such.host.invalid"], 1, "is not known here"),
        (["--env-file", "missing.env"], 1, "missing.env"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    hookrt: Run, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("URL", "http://127.0.0.1:1"))
    done = hookrt("run", "--port", "0", *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_run_refuses_a_configuration_with_problems_or_without_its_secrets(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text("hooks: {a: {ons: A}}")
    done = hookrt("run", "--port", "0")
    assert done.returncode == 1
    assert "hooks.yaml:1:" in done.stderr
    (tmp_path / "hooks.yaml").write_text(
        'hooks: {a: {on: A, steps: [{webhook: {url: "https://example.com", headers: {x: "${{ secrets.KEY }}"}}}]}}'
    )
    done = hookrt("run", "--port", "0")
    assert done.returncode == 1
    assert "KEY" in done.stderr


def test_settings_come_from_flags_then_variables_then_the_file(serve: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(
        HOOKS.replace("URL", "http://127.0.0.1:1") + "service: {port: 1, log: {level: error}}\n"
    )
    by_variable = serve(env={"HOOKRT_PORT": "0"})
    assert by_variable.stop() == 0
    by_flag = serve("--port", "0", env={"HOOKRT_PORT": "1"})
    assert by_flag.stop() == 0


def test_a_token_opens_a_service_that_has_one(serve: Run, hookrt: Run, tmp_path: Path) -> None:
    text = HOOKS.replace("URL", "http://127.0.0.1:1")
    (tmp_path / "hooks.yaml").write_text(
        text + 'service: {tokens: [{token: "${{ secrets.TOKEN }}", scopes: [emit, read]}]}\n'
    )
    service = serve("--port", "0", env={"HOOKRT_SECRET_TOKEN": "tok_17"})
    closed = hookrt("hooks", "list", env=service.env)
    assert closed.returncode == 1
    assert "set HOOKRT_TOKEN" in closed.stderr
    opened = hookrt("hooks", "list", env={**service.env, "HOOKRT_TOKEN": "tok_17"})
    assert opened.returncode == 0, opened.stderr
    assert "tok_17" not in service.running.shown
    assert httpx.get(f"{service.url}/healthz", trust_env=False).status_code == 200
