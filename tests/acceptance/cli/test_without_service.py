"""The read commands while no service runs: from the file of its store, and the same as the service showed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Until = Callable[..., Any]
DEADLINE_S = 60.0
STORE = "sqlite:///.hookrt/hookrt.db"
DEAD_ADDRESS = {"HOOKRT_URL": "http://127.0.0.1:9"}

HOOKS = """\
destinations:
  crm: {url: "http://127.0.0.1:9", signing_secret: "${{ secrets.CRM_KEY }}"}
hooks:
  audit:
    on: User.*
    steps: [{log: "${{ event.id }}"}]
  send:
    description: Waits for its retry
    on: User.*
    when: event.data.n > 0
    steps:
      - {webhook: {url: "http://127.0.0.1:9/hook"}, retry: [1h]}
      - webhook: {to: crm}
"""


class Past:
    """A service that ran and has ended: what it showed, and the ids of its deliveries by hook."""

    def __init__(self, shown: dict[tuple[str, ...], Any], deliveries: dict[str, str]) -> None:
        self.shown = shown
        self.deliveries = deliveries


@pytest.fixture
def past(serve: Run, hookrt: Run, tmp_path: Path, until: Until) -> Past:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    service = serve("--port", "0", env={"HOOKRT_SECRET_CRM_KEY": key})

    def read(*arguments: str) -> Any:
        return json.loads(hookrt(*arguments, "-o", "json", env=service.env).stdout)

    for number in (1, 2):
        hookrt("emit", "User.Created", "--id", f"e{number}", "--data", f'{{"n": {number}}}', env=service.env)
    hookrt("emit", "Order.Paid", "--id", "unwanted", env=service.env)
    settled = {"succeeded", "waiting"}
    until(lambda: {one["status"] for one in read("deliveries", "list")["items"]} == settled)
    deliveries = {one["hook"]: one["id"] for one in read("deliveries", "list")["items"]}
    commands = [
        ("events", "list"),
        ("events", "list", "--type", "User.Created", "-n", "1"),
        ("events", "show", "e1"),
        ("deliveries", "list"),
        ("deliveries", "list", "--hook", "send", "--status", "waiting"),
        ("deliveries", "show", deliveries["send"]),
        ("hooks", "list"),
        ("hooks", "show", "send"),
        ("explain", "e2"),
    ]
    shown = {command: read(*command) for command in commands}
    assert service.stop() == 0
    return Past(shown, deliveries)


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where nobody listens, and nobody else can meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def alone(silent: str, tmp_path: Path) -> Run:
    """Run the command as where no service runs: its default address is a silent one, whatever runs on this machine."""
    program = f"from hookrt.cli import client, main; client.DEFAULT_URL = {silent!r}; main.main()"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOOKRT_")}

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            env={**clean, "NO_COLOR": "1", **(env or {})},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    return run


def _lasting(shown: Any) -> Any:
    """The same without the start of the 24 hours, which depends on when it is asked, and without the breaker, which
    lives in the service's memory.
    """
    for item in shown.get("items", [shown]):
        item.get("stats", {}).pop("since", None)
        item.pop("breaker", None)
    return shown


def test_without_a_service_the_read_commands_show_what_it_would_show(
    past: Past, alone: Run, silent: str, tmp_path: Path
) -> None:
    note = f"read from sqlite:///{tmp_path}/.hookrt/hookrt.db, since no hookrt service answers at {silent}\n"
    before = sorted(path.name for path in (tmp_path / ".hookrt").iterdir())
    for command, online in past.shown.items():
        done = alone(*command, "-o", "json")
        assert done.returncode == 0, done.stderr
        assert _lasting(json.loads(done.stdout)) == _lasting(online), command
        assert done.stderr == note
    assert sorted(path.name for path in (tmp_path / ".hookrt").iterdir()) == before


def test_after_a_kill_it_is_said_that_nobody_runs_what_is_running(
    serve: Run, hookrt: Run, alone: Run, silent: str, tmp_path: Path
) -> None:
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        hanging.listen()
        step = f'{{webhook: "http://127.0.0.1:{hanging.getsockname()[1]}/"}}'
        entries = (f"  {name}: {{on: A.B, steps: [{step}]}}\n" for name in ("one", "two"))
        (tmp_path / "hooks.yaml").write_text("hooks:\n" + "".join(entries))
        service = serve("--port", "0")
        hookrt("emit", "A.B", "--id", "e1", env=service.env)
        listed = json.loads(alone("deliveries", "list", "--store", STORE, "-o", "json").stdout)
        assert {one["status"] for one in listed["items"]} == {"running"}
        assert alone("deliveries", "list", "--store", STORE).stderr == ""  # a process delivers, wherever it listens
        service.stop(signal.SIGKILL)
    note = "2 deliveries are shown as running, but no process delivers from this store now: they go on when one does"
    for arguments in (["deliveries", "list"], ["deliveries", "list", "-o", "json"], ["events", "show", "e1"]):
        first, last = alone(*arguments).stderr.splitlines()
        assert first.startswith("read from ")
        assert last.startswith(note)
    shown = alone("deliveries", "show", listed["items"][0]["id"])
    assert "1 delivery is shown as running, but no process delivers" in shown.stderr


def test_pages_and_errors_are_those_of_the_service(past: Past, alone: Run) -> None:
    first = json.loads(alone("events", "list", "-n", "2", "-o", "json").stdout)
    rest = json.loads(alone("events", "list", "--cursor", first["next"], "-o", "json").stdout)
    assert [event["id"] for event in first["items"] + rest["items"]] == ["unwanted", "e2", "e1"]
    for arguments, said in (
        (["events", "show", "nope"], "no event has the id 'nope'"),
        (["deliveries", "show", "dlv_none"], "no delivery has the id 'dlv_none'"),
        (["hooks", "show", "nope"], "no hook is named 'nope'"),
        (["events", "list", "--cursor", "x"], "'x' is no cursor"),
    ):
        done = alone(*arguments)
        assert done.returncode == 1
        assert said in done.stderr.splitlines()[-1]
        assert len(done.stderr.splitlines()) == 2


def test_what_changes_a_delivery_goes_to_the_service_only(past: Past, alone: Run, silent: str) -> None:
    for command in ("retry", "replay", "cancel"):
        done = alone("deliveries", command, past.deliveries["send"])
        assert done.returncode == 1
        assert done.stderr.startswith(f"hookrt: no hookrt service answers at {silent}: start it with")
        assert len(done.stderr.splitlines()) == 1


def test_without_service_and_store_one_sentence_says_what_to_do(alone: Run, silent: str, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    for arguments in (["events", "list"], ["deliveries", "show", "x"], ["hooks", "list"]):
        done = alone(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"hookrt: no hookrt service answers at {silent}, and there is no store at "
            f"{tmp_path}/.hookrt/hookrt.db: start it with `hookrt run`, set HOOKRT_URL to where it runs, "
            "or name its store with --store\n"
        )
    assert not (tmp_path / ".hookrt").exists()
    (tmp_path / "hooks.yaml").unlink()
    said = alone("hooks", "list").stderr
    assert "start it with `hookrt run`" in said
    assert "and there is no hooks.yaml here to read with a store" in said


def test_a_named_service_is_never_replaced_by_the_file(past: Past, alone: Run) -> None:
    done = alone("events", "list", env=DEAD_ADDRESS)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hookrt: no hookrt service answers at http://127.0.0.1:9: start it with")


def test_a_named_store_is_always_read_itself(past: Past, alone: Run, tmp_path: Path) -> None:
    for command, online in past.shown.items():
        if command[0] != "explain":
            done = alone(*command, "--store", STORE, "-o", "json", env=DEAD_ADDRESS)
            assert (done.returncode, done.stderr) == (0, "")
            assert _lasting(json.loads(done.stdout)) == _lasting(online), command
    for url, said in (
        ("sqlite:///nope.db", f"there is no store at {tmp_path}/nope.db: name another one with --store"),
        ("memory:", "the store memory: is no file: name another one with --store"),
        ("nonsense", "'nonsense' is no store URL"),
        ("sqlite:///hooks.yaml", "is no database"),
        ("sqlite:///.hookrt", "is a folder"),
    ):
        done = alone("events", "list", "--store", url)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_the_store_is_the_one_that_run_would_use(past: Past, alone: Run, tmp_path: Path) -> None:
    (tmp_path / ".hookrt" / "hookrt.db").rename(tmp_path / "moved.db")
    assert alone("events", "list").returncode == 1
    by_variable = alone("events", "list", env={"HOOKRT_STORE": "sqlite:///moved.db"})
    assert "unwanted" in by_variable.stdout
    (tmp_path / "hooks.yaml").write_text(HOOKS + 'service: {store: "sqlite:///moved.db"}\n')
    assert alone("events", "list").stdout == by_variable.stdout


def test_a_broken_hooks_yaml_keeps_nobody_from_reading_a_named_store(past: Past, alone: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text("hooks: {send: {ons: A}}\n")
    for arguments in (["events", "list"], ["hooks", "list", "--store", STORE]):
        done = alone(*arguments)
        assert done.returncode == 1
        assert "hooks.yaml:1:" in done.stderr
    shown = alone("deliveries", "show", past.deliveries["send"], "--store", STORE)
    assert shown.returncode == 0
    assert "the steps to come of open deliveries are not shown" in shown.stderr
    (tmp_path / "hooks.yaml").unlink()
    assert alone("deliveries", "list").returncode == 0
