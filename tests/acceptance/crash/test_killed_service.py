"""Nothing accepted is lost, and nothing succeeds unreceived, when the service is killed while it works."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

RATE = 200
"""Events per second that are sent all the while."""


class Load:
    """Sends events at a steady rate, and remembers which were answered 202."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.accepted: list[str] = []
        self.sent = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _send(self) -> None:
        pause = len(self._threads) / RATE if hasattr(self, "_threads") else 4 / RATE
        while not self._stop.wait(pause):
            with self._lock:
                self.sent += 1
                number = f"n-{self.sent}"
            if self.service.post({"type": "Number.Counted", "id": number, "data": {"n": self.sent}}):
                with self._lock:
                    self.accepted.append(number)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.slow
def test_every_event_answered_202_is_delivered_across_kills(
    service: Any, endpoint: Any, tools: Any, full: bool
) -> None:
    kills = 20 if full else 4
    chance = random.Random(20261123)
    service.start()
    load = Load(service)
    try:
        for _ in range(kills):
            wanted = len(load.accepted) + chance.randint(20, 200)
            tools.until(lambda wanted=wanted: len(load.accepted) >= wanted, "the service accepts nothing")
            service.kill()
            service.start()
        wanted = len(load.accepted) + 50
        tools.until(lambda: len(load.accepted) >= wanted, "the service accepts nothing after the last kill")
    finally:
        load.stop()

    missing = lambda: [number for number in load.accepted if number not in endpoint.received]  # noqa: E731
    tools.until(lambda: not missing(), f"accepted, and never delivered: {missing()[:5]} of {len(load.accepted)}")
    tools.until(lambda: not open_deliveries(service), "deliveries do not end")
    assert endpoint.faults == []
    assert all(len(ids) == 1 for ids in endpoint.message_ids.values()), "a repetition has the message id of the first"
    for delivery in succeeded(service):
        assert endpoint.received[delivery["event"]] >= 1, "marked succeeded without having been received"
    repeated = sum(count - 1 for count in endpoint.received.values())
    print(f"{kills} kills, {load.sent} sent, {len(load.accepted)} accepted, {repeated} delivered more than once")


def open_deliveries(service: Any) -> int:
    return sum(
        len(service.get(f"/v1/deliveries?status={status}&limit=1")["items"])
        for status in ("pending", "running", "waiting")
    )


def succeeded(service: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = service.get(f"/v1/deliveries?status=succeeded&limit=100{cursor}")
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


@pytest.mark.slow
def test_a_kill_between_two_steps_resumes_at_the_second(service: Any, endpoint: Any, tools: Any) -> None:
    """The endpoint is not there at first, so that every delivery stands between its steps when the kill comes."""
    service.folder.joinpath("hooks.yaml").write_text(
        tools.hooks_for("http://127.0.0.1:9").replace("retry: [", "retry: [500ms, 500ms, 500ms, 500ms, 500ms, ")
    )
    service.start()
    for number in range(20):
        assert service.post({"type": "Number.Counted", "id": f"n-{number}", "data": {"n": number}})
    tools.until(lambda: waiting(service) == 20, "the first steps do not end")
    service.kill()
    service.folder.joinpath("hooks.yaml").write_text(tools.hooks_for(endpoint.url))
    service.start()
    tools.until(lambda: len(endpoint.received) == 20, "the second steps are not taken up")
    tools.until(lambda: not open_deliveries(service), "deliveries do not end")
    for delivery in succeeded(service):
        attempts = service.get(f"/v1/deliveries/{delivery['id']}")["attempts"]
        assert [attempt["step"] for attempt in attempts].count("double") == 1


def waiting(service: Any) -> int:
    return len(service.get("/v1/deliveries?status=waiting&limit=100")["items"])
