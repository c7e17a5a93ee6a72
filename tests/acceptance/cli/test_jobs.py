"""Replays and cancellations of many with the real command: followed, interrupted, killed in the middle."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Until = Callable[..., Any]
Endpoint = Any
Service = Any
DEADLINE_S = 60.0
HOOKS = """\
destinations:
  URL: {breaker: "off"}
hooks:
  send:
    on: User.*
    steps:
      - webhook: {url: "URL/send", body: {n: "${{ event.data.n }}", key: "${{ secrets.KEY }}"}}
        retry: none
  later:
    on: Slow.*
    steps:
      - webhook: {url: "URL/later"}
        retry: [1h]
"""


@pytest.fixture
def service(serve: Run, tmp_path: Path, endpoint: Endpoint) -> Service:
    """It listens on the same port whenever it is begun."""
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("URL", endpoint.url))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return serve("--port", str(port), env={"HOOKRT_SECRET_KEY": "open-sesame-99"})


def emit(service: Service, number: int, event_type: str = "User.Created") -> None:
    events = [{"type": event_type, "id": f"{event_type}-{n}", "data": {"n": n}} for n in range(number)]
    answer = service.post("/v1/events", events)
    assert answer.status_code == 202, answer.text


def count(service: Service, status: str) -> int:
    return len(service.get(f"/v1/deliveries?status={status}&limit=500")["items"])


@pytest.fixture
def all_dead(service: Service, endpoint: Endpoint, until: Until) -> Callable[[int], None]:
    """Makes so many deliveries, all dead, to an endpoint that takes webhooks again."""

    def make(number: int) -> None:
        endpoint.status = 500
        emit(service, number)
        until(lambda: count(service, "dead") == number)
        endpoint.status = 204
        endpoint.taken.clear()

    return make


def test_a_kill_in_the_middle_of_a_replay_loses_none_and_makes_none_twice(
    service: Service, start: Run, endpoint: Endpoint, until: Until, all_dead: Run
) -> None:
    all_dead(60)
    following = start("deliveries", "replay", "--hook", "send", "--rate", "30/s", "-o", "json", env=service.env)
    until(lambda: len(endpoint.taken) >= 10)
    service.stop(signal.SIGKILL)
    assert len(endpoint.taken) < 60
    service.begin()
    assert following.end() == 0, following.shown
    job = json.loads("\n".join(following.out))
    assert (job["status"], job["total"], job["done"], job["failed"]) == ("done", 60, 60, 0)
    until(lambda: count(service, "succeeded") == 60)
    replays = [item["replay_of"] for item in service.get("/v1/deliveries?status=succeeded&limit=500")["items"]]
    dead = [item["id"] for item in service.get("/v1/deliveries?status=dead&limit=500")["items"]]
    assert sorted(replays) == sorted(dead)
    assert len({one.message_id for one in endpoint.taken}) == 60, "the message ids are the old ones"


def test_ctrl_c_leaves_the_job_running_and_says_how_to_go_on(
    service: Service, start: Run, hookrt: Run, endpoint: Endpoint, all_dead: Run
) -> None:
    all_dead(20)
    following = start("deliveries", "replay", "--status", "dead", "--rate", "6/m", env=service.env)
    line = following.wait_for(" running: ")
    following.send(signal.SIGINT)
    assert following.end() == 130
    identity = re.search(r"job_\w+", line)[0]
    assert f"hookrt jobs follow {identity}" in following.shown
    assert f"hookrt jobs cancel {identity}" in following.shown
    assert "running" in hookrt("jobs", "list", env=service.env).stdout
    shown = hookrt("jobs", "show", identity, env=service.env).stdout
    assert "deliveries.replay" in shown
    assert "0.1/s" in shown
    cancelled = hookrt("jobs", "cancel", identity, env=service.env)
    assert (cancelled.returncode, f"{identity} is cancelled" in cancelled.stdout) == (0, True)
    ended = hookrt("jobs", "follow", identity, env=service.env)
    assert (ended.returncode, "is cancelled" in ended.stdout) == (1, True)
    again = hookrt("jobs", "cancel", identity, env=service.env)
    assert (again.returncode, again.stderr) == (1, f"hookrt: the job {identity} is cancelled already\n")


def test_many_are_cancelled_by_filter_and_a_dry_run_changes_nothing(
    service: Service, hookrt: Run, endpoint: Endpoint, until: Until
) -> None:
    endpoint.status = 500
    emit(service, 5, "Slow.Thing")
    until(lambda: count(service, "waiting") == 5)
    dry = hookrt("deliveries", "cancel", "--hook", "later", "--since", "1h", "--dry-run", env=service.env)
    assert "5 deliveries would be cancelled; nothing was done" in dry.stdout
    assert count(service, "waiting") == 5
    done = hookrt("deliveries", "cancel", "--hook", "later", "--status", "waiting", env=service.env)
    assert (done.returncode, "5 of 5 cancelled" in done.stdout) == (0, True), done.stderr
    assert count(service, "cancelled") == 5


def test_a_hook_that_was_missing_gets_yesterdays_events(
    service: Service, hookrt: Run, tmp_path: Path, endpoint: Endpoint, until: Until
) -> None:
    emit(service, 3, "Order.Paid")
    emit(service, 2, "User.Created")
    until(lambda: count(service, "succeeded") == 2)
    endpoint.taken.clear()
    service.stop(signal.SIGKILL)
    orders = HOOKS.replace("URL", endpoint.url).replace("send:", "orders:").replace("User.*", "Order.*")
    (tmp_path / "hooks.yaml").write_text(orders)
    service.begin()
    command = ("events", "replay", "--since", "24h", "--hook", "orders")
    dry = hookrt(*command, "--dry-run", env=service.env)
    assert dry.returncode == 0, dry.stderr
    assert f"POST {endpoint.url}/send" in dry.stdout
    assert '{"n":0,"key":"***"}' in dry.stdout
    assert "open-sesame-99" not in dry.stdout
    assert "orders would get 3 new deliveries from 5 events; nothing was done" in dry.stdout
    assert "2 would not: another type" in dry.stdout
    assert endpoint.taken == []
    done = hookrt(*command, "--rate", "100/s", env=service.env)
    assert (done.returncode, "3 deliveries made from 5 events, 2 passed over" in done.stdout) == (0, True), done.stderr
    until(lambda: count(service, "succeeded") == 5)
    assert len(endpoint.taken) == 3
    again = hookrt(*command, "-o", "json", env=service.env)
    assert json.loads(again.stdout)["done"] == 0


def test_what_is_neither_one_nor_many_is_a_usage_error(hookrt: Run) -> None:
    for command in ("replay", "cancel"):
        neither = hookrt("deliveries", command)
        assert (neither.returncode, "--hook" in neither.stderr) == (2, True)
        both = hookrt("deliveries", command, "dlv_1", "--hook", "send")
        assert (both.returncode, "leave it out" in both.stderr) == (2, True)
    wrong = hookrt("deliveries", "replay", "--since", "yesterday")
    assert (wrong.returncode, "24h" in wrong.stderr) == (2, True)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_tail_shows_failures_as_they_happen_one_json_a_line_and_goes_on_after_a_restart(
    service: Service, start: Run, endpoint: Endpoint, stop: signal.Signals, until: Until
) -> None:
    following = start("deliveries", "tail", "--failed", "-o", "json", env=service.env)
    following.wait_for("following http")
    emit(service, 1)
    until(lambda: count(service, "succeeded") == 1)
    endpoint.status = 500
    emit(service, 1, "User.Updated")
    item = json.loads(following.wait_for("{"))
    assert (item["hook"], item["status"], item["reason"]) == ("send", "dead", "status")
    service.running.send(stop)
    service.running.end()
    following.wait_for("does not answer any more")
    service.begin()
    following.wait_for("answers again")
    following.wait_for("was started again: what happened meanwhile may be missing here")
    emit(service, 1, "User.Deleted")
    again = json.loads(following.wait_for("{"))
    assert again["delivery"] != item["delivery"]
    following.send(signal.SIGINT)
    assert following.end() == 130


def on_terminal(folder: Path, env: dict[str, str], answer: bytes, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal, type an answer as soon as it asks, and return its exit code and what it drew."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hookrt", *arguments],
        cwd=folder,
        env={**{name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")}, **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown, answered = b"", False
    try:
        while piece := _read(ours):
            shown += piece
            if b"Go on?" in shown and not answered:
                answered = True
                os.write(ours, answer)
        return process.wait(DEADLINE_S), shown.decode()
    finally:
        os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_is_asked_before_many_are_touched_and_shows_a_bar(
    service: Service, tmp_path: Path, endpoint: Endpoint, all_dead: Run
) -> None:
    all_dead(12)
    command = ("deliveries", "replay", "--hook", "send", "--rate", "20/s")
    code, shown = on_terminal(tmp_path, service.env, b"n\n", *command)
    assert (code, "12 deliveries would be replayed. Go on?" in shown) == (1, True), shown
    assert endpoint.taken == []
    code, shown = on_terminal(tmp_path, service.env, b"y\n", *command)
    assert (code, "12 of 12 replayed" in shown) == (0, True), shown
    assert "12/12" in shown, "the bar"
    assert "replaying deliveries" in shown
    assert "deliveries.replay" not in shown
    assert service.get("/v1/jobs")["items"][0]["done"] == 12
