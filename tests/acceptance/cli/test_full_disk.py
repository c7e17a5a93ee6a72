"""RULES "Disk full": at start, exit 1; while running, ingest answers 503, and results wait in memory for space."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Until = Callable[..., Any]
Endpoint = Any
Service = Any
DEADLINE_S = 60.0
AS_ROOT = os.geteuid() == 0
BIG = {"type": "User.Created", "id": "big", "data": "x" * 100_000}


class Disk:
    """A file system of a few megabytes that only the processes see that are started through it.

    It lives in a mount namespace of its own, which a waiting process keeps open.
    """

    def __init__(self, folder: Path) -> None:
        unshare = ["unshare", "--mount"] if AS_ROOT else ["unshare", "--mount", "--map-root-user"]
        script = 'mount -t tmpfs -o size=4m tmpfs "$0" && echo mounted && exec cat'
        self._holder = subprocess.Popen(
            [*unshare, "sh", "-c", script, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        self.mounted = self._holder.stdout.readline() == "mounted\n"
        self.path = Path(f"/proc/{self._holder.pid}/root{folder}")
        enter = ["nsenter", f"--target={self._holder.pid}", "--mount"]
        enter += [] if AS_ROOT else ["--user", "--preserve-credentials"]
        self.within = [*enter, "sh", "-c", 'cd "$0" && exec "$@"', str(folder)]

    def fill(self) -> None:
        """Leave not one byte."""
        with suppress(OSError), (self.path / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        assert shutil.disk_usage(self.path).free == 0

    def free(self) -> None:
        (self.path / "filler").unlink()

    def close(self) -> None:
        self._holder.communicate()


@pytest.fixture
def disk(tmp_path: Path, endpoint: Endpoint) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        made = Disk(folder)
    except FileNotFoundError:
        pytest.skip("needs unshare")
    try:
        if not made.mounted:
            pytest.skip("needs the right to mount in a namespace of its own")
        hooks = f'hooks: {{send: {{on: User.*, steps: [{{webhook: {{url: "{endpoint.url}"}}, retry: none}}]}}}}'
        (made.path / "hooks.yaml").write_text(hooks)
        yield made
    finally:
        made.close()


@pytest.fixture
def service(serve: Run, disk: Disk) -> Service:
    """`hookrt run` on the disk."""
    return serve("--port", "0", within=disk.within)


@pytest.mark.parametrize("store", [(), ("--store", "sqlite:///hooks.db")])
def test_a_start_on_a_full_disk_ends_with_1_and_one_sentence(start: Run, disk: Disk, store: tuple[str, ...]) -> None:
    disk.fill()
    running = start("run", "--port", "0", *store, within=disk.within)
    assert running.end() == 1
    [said] = running.err
    assert re.match(r"hookrt: .*no space left", said, re.IGNORECASE)
    assert running.out == []


def test_a_start_with_a_store_that_was_closed_ends_with_1_on_a_full_disk(
    start: Run, service: Service, disk: Disk
) -> None:
    service.client.post("/v1/events", json=BIG).raise_for_status()
    service.running.process.terminate()
    assert service.running.end() == 0
    disk.fill()
    running = start("run", "--port", "0", within=disk.within)
    assert running.end() == 1
    [said] = running.err
    assert re.match(r"hookrt: .*no space left", said, re.IGNORECASE)


def test_a_start_after_a_kill_ends_with_1_on_a_full_disk(start: Run, service: Service, disk: Disk) -> None:
    service.running.process.kill()
    service.running.end()
    first = start("run", "--port", "0", within=disk.within)  # empties the log of the one that was killed
    first.wait_for("  hooks  ")
    first.process.kill()
    first.end()
    disk.fill()
    running = start("run", "--port", "0", within=disk.within)
    assert running.end() == 1
    assert any(re.match(r"hookrt: .*no space left", line, re.IGNORECASE) for line in running.err)
    assert "Traceback" not in running.shown


def test_the_folder_made_on_a_full_disk_is_ignored_by_git_later(start: Run, disk: Disk) -> None:
    disk.fill()
    start("run", "--port", "0", within=disk.within).end()
    disk.free()
    start("run", "--port", "0", within=disk.within).wait_for("  hooks  ")
    assert (disk.path / ".hookrt" / ".gitignore").read_text() == "*\n"


def test_ingest_answers_503_on_a_disk_that_fills_up_and_goes_on_when_space_returns(
    service: Service, disk: Disk, until: Until
) -> None:
    first = service.client.post("/v1/events", json={"type": "User.Created", "id": "first"})
    assert first.status_code == 202
    disk.fill()
    for body in (BIG, [BIG]):
        refused = service.client.post("/v1/events", json=body)
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert int(refused.headers["retry-after"]) >= 1
        problem = refused.json()
        assert (problem["type"], problem["status"]) == ("urn:hookrt:problem:store-full", 503)
        assert "no space left" in problem["detail"]
    assert service.client.get("/v1/events/big").status_code == 404  # reading goes on, and nothing is half
    disk.free()
    again = service.client.post("/v1/events", json=BIG)
    assert (again.status_code, again.json()["duplicate"]) == (202, False)
    for answer in (first, again):
        [delivery] = answer.json()["deliveries"]
        until(lambda delivery=delivery: service.delivery(delivery)["status"] == "succeeded")
    assert "Traceback" not in service.running.shown


def test_an_attempt_made_on_a_full_disk_keeps_its_result_and_is_recorded_when_space_returns(
    service: Service, disk: Disk, endpoint: Endpoint, until: Until
) -> None:
    endpoint.gate.clear()
    [delivery] = service.client.post("/v1/events", json={"type": "User.Created"}).json()["deliveries"]
    assert endpoint.arrived.wait(DEADLINE_S)
    disk.fill()
    endpoint.gate.set()
    service.running.wait_for("result-not-stored")
    assert service.delivery(delivery)["status"] == "running"
    disk.free()
    until(lambda: service.delivery(delivery)["status"] == "succeeded")
    [attempt] = service.client.get(f"/v1/deliveries/{delivery}").json()["attempts"]
    assert (attempt["outcome"], len(endpoint.taken)) == ("done", 1)
