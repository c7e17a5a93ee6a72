"""Every example is run as its README says, and does what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def test_the_script_confirms_every_order(tmp_path: Path) -> None:
    environment = {**os.environ, "ORDERS_STORE": f"sqlite:///{tmp_path / 'orders.db'}"}
    command = [sys.executable, "-W", "error", "examples/script/orders.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == sorted(
        line
        for number, name in enumerate(["ada", "grace", "edsger"], start=1)
        for line in (f"confirmed order {number} for {name}", f"order {number}: succeeded")
    )


def test_fastapi_runs_the_hooks_and_serves_the_api(serve: Any) -> None:
    app = serve("uvicorn", "--app-dir", "examples/fastapi_app", "app:app", "--port", "{port}")
    status, placed = app.ask("POST", "/orders/7")
    assert (status, len(placed["deliveries"])) == (202, 1)
    app.until(lambda: "confirmed order 7\n" in app.output, "the order is not confirmed")
    path = f"/hooks/v1/deliveries/{placed['deliveries'][0]}"
    app.until(lambda: app.ask("GET", path)[1]["status"] == "succeeded", "the delivery does not end")
    assert app.ask("GET", "/hooks/readyz")[1]["ready"] is True
    refused, _ = app.ask("GET", "/hooks/v1/deliveries", {"X-Forwarded-For": "203.0.113.9"})
    assert refused == 403, "without a token only this machine is let in"
    app.end()
    assert "Traceback" not in app.output


def test_django_under_asgi_runs_the_hooks_and_serves_the_api(serve: Any) -> None:
    app = serve("uvicorn", "--app-dir", "examples/django_app", "shop.asgi:application", "--port", "{port}")
    status, placed = app.ask("POST", "/orders/8")
    assert status == 202
    app.until(lambda: "confirmed order 8 " in app.output, "the order is not confirmed")
    shown = app.ask("GET", f"/hooks/v1/events/{placed['event']}")[1]
    assert (shown["type"], shown["data"]) == ("Order.Placed", {"order": 8})
    app.end()
    assert "Traceback" not in app.output


def test_django_under_wsgi_with_four_workers_confirms_every_order_also_when_the_delivering_one_is_killed(
    serve: Any,
) -> None:
    pytest.importorskip("gunicorn", reason="needs gunicorn: pip install gunicorn")
    app = serve(
        "gunicorn", "--chdir", "examples/django_app", "--workers", "4", "--bind", "127.0.0.1:{port}", "shop.wsgi"
    )
    workers: set[int] = set()

    def place(order: int) -> None:
        status, placed = app.ask("POST", f"/wsgi/orders/{order}")
        assert status == 202
        workers.add(placed["worker"])

    for order in range(1, 21):
        place(order)
    confirmed_in = re.compile(r"confirmed order (\d+) in (\d+)")  # two threads may print on one line
    found = app.until(lambda: len(set(confirmed_in.findall(app.output))) >= 20 and confirmed_in.findall(app.output), "")
    assert sorted(int(order) for order, _ in found) == list(range(1, 21)), "each one once"
    [leader] = {int(process) for _, process in found}
    os.kill(leader, signal.SIGKILL)
    for order in range(21, 31):
        app.until(lambda order=order: placed_after_all(place, order), "no worker takes the order")
    app.until(
        lambda: {int(order) for order, _ in confirmed_in.findall(app.output)} == set(range(1, 31)),
        "what the killed worker left is not taken over",
    )
    assert {int(process) for _, process in confirmed_in.findall(app.output)} > {leader}
    app.end()
    assert "Traceback" not in app.output


def placed_after_all(place: Any, order: int) -> bool:
    """Place an order, unless the connection went to the worker that was killed."""
    try:
        place(order)
    except OSError:
        return False
    return True
