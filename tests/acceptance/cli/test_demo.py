"""`hookrt demo`, the tour, as a person sees it."""

from __future__ import annotations

import re
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

Run = Callable[..., Any]
EXAMPLE = Path(__file__).parents[3] / "hooks.yaml"


def test_the_example_is_played_once_and_all_goes_well(hookrt: Run, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    done = hookrt("demo", "--once")
    shown = done.stdout
    assert done.returncode == 0, shown + done.stderr
    assert "▶ PostRegister" in shown
    assert "✓ welcome" in shown
    assert "✗ security-watch" in shown
    assert "PostSignIn, Identifier.Lockout does not match PostRegister" in shown
    assert '{"email": "ada@acme.com", "first": "Ada", "last": "Lovelace"}' in shown
    assert "received  POST /contacts  ✓ signature verified" in shown
    assert "made up for this demo: CRM_SIGNING_SECRET, ALERTS_SIGNING_SECRET" in shown
    assert "no hook wants it" in shown
    assert "whsec_" not in shown + done.stderr
    assert not (tmp_path / ".hookrt").exists()


def test_without_a_hooks_yaml_it_plays_the_one_that_init_writes(hookrt: Run, tmp_path: Path) -> None:
    done = hookrt("demo", "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "there is no hooks.yaml here" in done.stdout
    assert '"email": "grace@example.com"' in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_it_stays_up_shows_what_comes_in_and_ends_cleanly(start: Run, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    demo = start("demo")
    line = demo.wait_for("curl -s")
    body = demo.wait_for("-d '")
    found, data = re.search(r"http://\S+", line), re.search(r"'(.*)'", body)
    assert found
    assert data
    demo.wait_for("Ctrl-C ends the demo")
    headers = {"content-type": "application/json"}
    answer = httpx.post(found[0], content=data[1], headers=headers, trust_env=False)
    assert answer.status_code == 202
    demo.wait_for("203.0.113.42")
    demo.wait_for("✓ signature verified")
    hostile = '{"type": "PostSignIn", "data": {"userIp": "203.0.113.1", "x": "\\u001b[31m\\u202e"}}'
    httpx.post(found[0], content=hostile, headers=headers, trust_env=False)
    demo.wait_for("✓ signature verified")
    demo.send(signal.SIGINT)
    assert demo.end() == 0
    assert demo.out[-1] == "the demo is over, its store is gone"
    assert not set("\x1b\u202e") & set(demo.shown)
    assert demo.err == []


def test_a_receiver_port_in_use_is_told_and_another_one_taken(hookrt: Run, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 4666))
        except OSError:
            pass  # somebody else has it: as good
        else:
            taken.listen()
        done = hookrt("demo", "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "port 4666 is in use" in done.stdout
    assert "✓ signature verified" in done.stdout


def test_nothing_leaves_this_machine(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(
        """\
destinations:
  crm: {url: "https://192.0.2.1/api"}
hooks:
  by-name:
    on: PostRegister
    steps: [{webhook: {to: crm, path: /contacts}}]
  by-url:
    on: PostRegister
    steps: [{webhook: {url: "https://198.51.100.1/x"}, retry: none}]
"""
    )
    done = hookrt("demo", "--once")
    assert done.returncode == 1
    assert "pointed to the receiver: crm" in done.stdout
    assert "received  POST /api/contacts  no signature" in done.stdout
    assert "service.egress.deny" in done.stdout


def test_retries_and_emitted_events_are_told_too(start: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(
        """\
hooks:
  fails:
    on: Invoice.Paid
    steps:
      - python: |
          def run(event, ctx):
              raise ValueError("not yet")
        retry: [1s]
  passes-on:
    on: PostRegister
    steps:
      - emit: {type: User.Welcomed, data: {id: "${{ event.data.userId }}"}}
  hears:
    on: User.Welcomed
    steps:
      - log: "heard of ${{ event.data.id }}"
"""
    )
    demo = start("demo")
    demo.wait_for("▶ User.Welcomed  emitted by a step")
    demo.wait_for("heard of u_ada")
    demo.wait_for("waiting")
    demo.wait_for("▷ later  fails")
    demo.send(signal.SIGTERM)
    assert demo.end() == 0
    assert demo.err == []


def test_a_broken_configuration_is_shown_and_nothing_started(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text("hooks: {a: {ons: A}}")
    done = hookrt("demo", "--once")
    assert done.returncode == 1
    assert "hooks.yaml:1:" in done.stderr
    assert "Traceback" not in done.stderr
