"""Twenty hooks whose snippets loop, leak, crash and flood, beside an honest one at 100 events a second.

With `--full` the honest one's p99 is compared with that of its run alone, over minutes; else some seconds show, without
a look at the clock, that it succeeds every time while each of the others fails with its own name.
"""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.worker.seccomp import is_supported

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_supported(), reason="this system has no filter of system calls, nor limits to speak of"),
]

RATE = 100
FULL_S, SOAK_S, SHORT_S = 120.0, 1500.0, 5.0
MOST_GROWTH = 256 * 1024
"""Bytes a minute."""

OF_EACH = 5

FILLING = 400
"""Offending events that fill every lane of theirs."""

FILLERS = 200_000

OFFENDERS = {
    "loop": ("timeout", "def run(event, ctx):\n    while True:\n        pass"),
    "leak": ("memory", "def run(event, ctx):\n    kept = []\n    while True:\n        kept.append('x' * 10**6)"),
    "crash": (
        "crashed",
        "def run(event, ctx):\n    x = ()\n    for i in range(300000):\n        x = (x,)\n    return hash(x)",
    ),
    "flood": ("output_limited", "def run(event, ctx):\n    while True:\n        print('x' * 1000)"),
}
HONEST = "def run(event, ctx):\n    return {'double': event['data']['n'] * 2, 'hook': ctx.hook}"
NAMES = {f"{kind}-{number}": reason for kind, (reason, _) in OFFENDERS.items() for number in range(OF_EACH)}


def hooks(loop_s: float) -> dict[str, Any]:
    bad = {name: offender(name.partition("-")[0], loop_s) for name in NAMES}
    honest = {"honest": {"on": "Honest", "retry": "none", "steps": [{"python": HONEST}]}}
    return {"service": {"actions": {"python": {"memory": "128MiB"}}}, "hooks": {**bad, **honest}}


def offender(kind: str, loop_s: float) -> dict[str, Any]:
    """One that loops may do so for a while; the others have all the time that a busy machine needs."""
    timeout = f"{loop_s:g}s" if kind == "loop" else "30s"
    return {"on": "Bad", "retry": "none", "timeout": timeout, "steps": [{"python": OFFENDERS[kind][1]}]}


class Stream:
    """Honest events at a steady rate, and offending ones beside them; looks at the service's memory each second."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.memory: list[tuple[float, int]] = []
        self.honest = 0
        self._statm = Path(f"/proc/{service.process.pid}/statm")

    def run(self, seconds: float, offences: float = 0.0) -> list[str]:
        """The honest deliveries of so many seconds, with so many offending events a second."""
        begun, sent, bad = time.monotonic(), 0, 0
        honest: list[str] = []
        while (elapsed := time.monotonic() - begun) < seconds:
            if bad < elapsed * offences:
                self.service.emit("Bad")
                bad += 1
            if sent < elapsed * RATE:
                answer = self.service.client.post("/v1/events", json={"type": "Honest", "data": {"n": sent}})
                assert answer.status_code == 202, answer.text
                honest += answer.json()["deliveries"]
                sent += 1
                self.honest += 1
            else:
                time.sleep(0.001)
            if len(self.memory) <= elapsed:
                self.memory.append((time.monotonic(), int(self._statm.read_text().split()[1]) * 4096))
        return honest

    def settled(self) -> bool:
        """Whether every honest event has had its attempt."""
        return sum(count for (hook, _, _), count in attempts(self.service).items() if hook == "honest") == self.honest

    def latencies(self, wanted: list[str]) -> list[float]:
        """Seconds from each delivery's coming into being until it had succeeded, sorted."""
        times: dict[str, float] = {}
        cursor = None
        while cursor is not None or not times:
            asked = {"hook": "honest", "status": "succeeded", "limit": "500", **({"cursor": cursor} if cursor else {})}
            page = self.service.client.get("/v1/deliveries", params=asked).json()
            times.update({one["id"]: _moment(one["updated"]) - _moment(one["created"]) for one in page["items"]})
            cursor = page["next"]
            if cursor is None:
                break
        return sorted(times[one] for one in wanted)

    def growth(self) -> float:
        """Bytes a minute in the second half; in the first one caches fill."""
        behind = self.memory[len(self.memory) // 2 :]
        return statistics.linear_regression([at for at, _ in behind], [size for _, size in behind]).slope * 60


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def attempts(service: Any) -> Counter[tuple[str, str, str]]:
    """How many attempts the metrics count, by hook, outcome and reason."""
    pattern = r'hookrt_attempts_total\{hook="(.*?)",outcome="(.*?)",reason="(.*?)"\} (\S+)'
    found = re.findall(pattern, service.client.get("/metrics").text)
    return Counter({(hook, outcome, reason): int(float(count)) for hook, outcome, reason, count in found})


def p99(sorted_times: list[float]) -> float:
    return sorted_times[int(len(sorted_times) * 0.99)]


def test_an_honest_hook_succeeds_every_time_beside_twenty_that_do_not_and_each_of_them_is_named(
    serve: Any, until: Any
) -> None:
    service = serve(hooks(loop_s=0.5))
    stream = Stream(service)
    honest = stream.run(SHORT_S, offences=0.5)
    until(stream.settled)
    until(lambda: {hook for hook, _, _ in attempts(service)} == {"honest", *NAMES})
    counted = attempts(service)
    for name, reason in NAMES.items():
        assert {(outcome, why) for hook, outcome, why in counted if hook == name} == {("retry", reason)}, name
    assert {(outcome, why) for hook, outcome, why in counted if hook == "honest"} == {("done", "")}
    assert service.count(hook="honest", status="succeeded") == len(honest)


@pytest.mark.full
def test_the_honest_ones_p99_is_within_two_times_of_its_run_alone(serve: Any, until: Any, capsys: Any) -> None:
    service = serve(hooks(loop_s=5))
    stream = Stream(service)
    stream.run(5)
    honest = stream.run(FULL_S)
    until(stream.settled)
    alone = stream.latencies(honest)
    fill_lanes(service)
    honest = stream.run(FULL_S, offences=1.0)
    until(stream.settled)
    beside = stream.latencies(honest)
    with capsys.disabled():
        print(f"\nhonest: {describe(alone)} alone; {describe(beside)} beside twenty offenders")
    assert p99(beside) <= 2 * p99(alone)
    assert {hook for hook, _, _ in attempts(service)} == {"honest", *NAMES}


@pytest.mark.full
def test_the_services_memory_is_flat_beside_twenty_offenders(serve: Any, capsys: Any) -> None:
    stream = Stream(serve(hooks(loop_s=5)))
    fill_caches(stream.service)
    fill_lanes(stream.service)
    stream.run(SOAK_S, offences=1.0)
    with capsys.disabled():
        course = ", ".join(f"{size / 2**20:.0f}" for _, size in stream.memory[::60])
        print(f"\nmemory, MiB, each minute: {course}; {stream.growth() / 2**10:+.0f} KiB/min in the second half")
    assert stream.growth() < MOST_GROWTH


def fill_caches(service: Any) -> None:
    """The store's cache of 64 MiB fills with the first events, whosever they are."""
    for _ in range(FILLERS // 500):
        service.emit(*["Filler"] * 500)


def fill_lanes(service: Any) -> None:
    """What a lane holds in memory is bounded; from then on the store has the rest."""
    for _ in range(FILLING // 100):
        service.emit(*["Bad"] * 100)


def describe(times: list[float]) -> str:
    return f"p50 {times[len(times) // 2] * 1000:.1f} ms, p99 {p99(times) * 1000:.1f} ms"
