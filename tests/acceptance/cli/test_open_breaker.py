"""A delivery whose lane has an open breaker: what is said when its next attempt is asked for."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

Run = Callable[..., Any]
DEADLINE_S = 60.0
HOOKS = """\
destinations:
  crm: {url: "http://127.0.0.1:PORT", breaker: {failures: 1, pause: 5m}}
hooks:
  send:
    on: User.*
    steps:
      - {webhook: {to: crm}, retry: [1h]}
"""


def test_a_retry_of_a_delivery_says_that_it_waits_for_its_breaker(start: Run, hookrt: Run, tmp_path: Path) -> None:
    with socket.socket() as closed:  # bound, so that nobody else listens there, and nobody does
        closed.bind(("127.0.0.1", 0))
        (tmp_path / "hooks.yaml").write_text(HOOKS.replace("PORT", str(closed.getsockname()[1])))
        found = re.search(r"listens on (http://\S+)", start("run", "--port", "0").wait_for("listens on"))
        assert found
        [delivery] = httpx.post(f"{found[1]}/v1/events", json={"type": "User.Created"}).json()["deliveries"]
        deadline = time.monotonic() + DEADLINE_S
        while httpx.get(f"{found[1]}/v1/deliveries/{delivery}").json()["breaker"] != "open":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        done = hookrt("deliveries", "retry", delivery, env={"HOOKRT_URL": found[1]})
    assert done.returncode == 0, done.stderr
    assert f"the next attempt of {delivery} waits for the breaker of its lane, " in done.stdout
    assert done.stdout.endswith("which is open\n")
