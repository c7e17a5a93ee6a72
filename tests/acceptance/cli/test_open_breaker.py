"""A delivery whose lane has an open breaker: what is said when its next attempt is asked for."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]
HOOKS = """\
destinations:
  crm: {url: "http://127.0.0.1:PORT", breaker: {failures: 1, pause: 5m}}
hooks:
  send:
    on: User.*
    steps:
      - {webhook: {to: crm}, retry: [1h]}
"""


def test_a_retry_of_a_delivery_says_that_it_waits_for_its_breaker(
    serve: Run, hookrt: Run, until: Run, tmp_path: Path
) -> None:
    with socket.socket() as closed:  # bound, so that nobody else listens there, and nobody does
        closed.bind(("127.0.0.1", 0))
        (tmp_path / "hooks.yaml").write_text(HOOKS.replace("PORT", str(closed.getsockname()[1])))
        service = serve("--port", "0")
        [delivery] = service.post("/v1/events", {"type": "User.Created"}).json()["deliveries"]
        until(lambda: service.delivery(delivery)["breaker"] == "open")
        done = hookrt("deliveries", "retry", delivery, env=service.env)
    assert done.returncode == 0, done.stderr
    assert f"the next attempt of {delivery} waits for the breaker of its lane, " in done.stdout
    assert done.stdout.endswith("which is open\n")
