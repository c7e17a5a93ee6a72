"""What `hookrt run` does where the kernel refuses some of a worker's walls: real refusals, as root and as nobody."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookrt.actions.python_snippet.worker.seccomp import is_supported
from sandbox_corpus.users import NOBODY, find_interpreter

pytestmark = pytest.mark.skipif(not is_supported(), reason="this system has no filter of system calls")

LAUNCHER = Path(__file__).parent / "without_walls.py"
ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 60.0
SNIPPET = {"on": "Order.Created", "steps": [{"python": "def run(event, ctx):\n    return 1"}]}
PLAIN = {"on": "Order.Created", "steps": [{"log": "seen"}]}


class Stage:
    """A folder and a user in which `hookrt run` is started without some walls."""

    def __init__(self, folder: Path, interpreter: str, user: int | None) -> None:
        self.folder = folder
        self.hooks = folder / "hooks.yaml"
        self._interpreter = interpreter
        self._user = user
        self._started: list[subprocess.Popen[bytes]] = []
        if user is not None:
            os.chown(folder, user, user)

    def write(self, hooks: dict[str, Any], **python: Any) -> None:
        service = {"service": {"actions": {"python": python}}} if python else {}
        new = self.folder / "new"
        new.write_text(json.dumps({**service, "hooks": hooks}))
        new.replace(self.hooks)

    def run(self, walls: str) -> subprocess.Popen[bytes]:
        with (self.folder / "shown").open("wb") as shown:
            self._started.append(self._start(walls, shown))
        return self._started[-1]

    def _start(self, walls: str, shown: Any) -> subprocess.Popen[bytes]:
        user = {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}
        paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
        return subprocess.Popen(
            [self._interpreter, str(LAUNCHER), walls, self._interpreter, "-m", "hookrt", "run", "--port", "0"],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.folder), "PYTHONPATH": os.pathsep.join(paths), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=shown,
            stderr=subprocess.STDOUT,
            **user,
        )

    @property
    def shown(self) -> str:
        return (self.folder / "shown").read_text()

    def refused(self, walls: str) -> str:
        """What it says when it does not start."""
        assert self.run(walls).wait(DEADLINE_S) == 1, self.shown
        return self.shown

    def serve(self, walls: str) -> httpx.Client:
        self.run(walls)
        found = self.until(lambda: re.search(r"listens on (\S+)\n", self.shown) if "  hooks  " in self.shown else None)
        return httpx.Client(base_url=found[1], timeout=DEADLINE_S)

    def until(self, question: Callable[[], Any]) -> Any:
        end = time.monotonic() + DEADLINE_S
        while not (answer := question()):
            assert time.monotonic() < end, self.shown
            assert self._started[-1].poll() is None, self.shown
            time.sleep(0.05)
        return answer

    def hang_up(self) -> None:
        self._started[-1].send_signal(signal.SIGHUP)

    def children(self) -> list[str]:
        pid = self._started[-1].pid
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return [child for task in tasks for child in task.read_text().split()]

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.wait(DEADLINE_S)
        shutil.rmtree(self.folder)


@pytest.fixture(params=["this user", "nobody"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    interpreter: str | None = sys.executable
    user = None
    if request.param == "nobody":
        if os.geteuid() != 0:
            pytest.skip("this user is none with privileges already")
        interpreter, user = find_interpreter(), NOBODY
    if interpreter is None:
        pytest.skip("nobody can start no Python of this version here")
    made = Stage(Path(tempfile.mkdtemp()), interpreter, user)
    yield made
    made.close()


def events_of(shown: str, name: str) -> list[dict[str, Any]]:
    """The lines of the log that tell of this."""
    lines = [json.loads(line) for line in shown.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def attempts_of(client: httpx.Client, delivery: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/deliveries/{delivery}").json()["attempts"]
    return found


def emit(client: httpx.Client) -> str:
    return str(client.post("/v1/events", json={"type": "Order.Created", "data": {}}).json()["deliveries"][0])


def test_below_what_is_required_the_action_refuses_to_start(stage: Stage) -> None:
    stage.write({"shape": SNIPPET})
    said = stage.refused("seccomp")
    assert "require the isolation level `core` here, and a worker reaches `degraded` only: it lacks seccomp" in said
    assert "`SystemCallFilter=` of systemd" in said
    assert "`require: degraded` under `service: actions: python:`" in said
    assert "Traceback" not in said
    assert "cannot start" not in said


def test_full_isolation_can_be_required(stage: Stage) -> None:
    stage.write({"shape": SNIPPET}, require="full")
    said = stage.refused("namespaces")
    assert "require the isolation level `full` here, and a worker reaches `core` only: it lacks " in said
    assert "user.max_user_namespaces" in said
    assert "`require: core`" in said


def test_without_namespaces_the_level_is_core_and_nobody_is_warned(stage: Stage) -> None:
    stage.write({"shape": SNIPPET})
    with stage.serve("namespaces") as client:
        ready = client.get("/readyz").json()
        figures = client.get("/metrics").text
        stage.until(lambda: "python: isolation core, missing empty-root namespaces" in stage.shown)
    assert ready["actions"]["python"] == {"isolation": "core", "missing": "empty-root namespaces"}
    assert 'hookrt_action_info{action="python",fact="isolation",value="core"} 1.0' in figures
    assert 'hookrt_action_warnings{action="python"} 0.0' in figures
    assert not events_of(stage.shown, "action-warning")


def test_while_degraded_it_warns_at_the_start_in_readyz_and_in_the_metrics(stage: Stage) -> None:
    stage.write({"shape": SNIPPET}, require="degraded")
    with stage.serve("seccomp") as client:
        answer, figures = client.get("/readyz"), client.get("/metrics").text
        stage.until(lambda: "warning the isolation of python snippets is degraded" in stage.shown)
    ready = answer.json()
    assert (answer.status_code, ready["ready"]) == (200, True)
    assert ready["actions"]["python"]["isolation"] == "degraded"
    assert ready["actions"]["python"]["missing"] == "seccomp"
    assert "whom you trust" in ready["actions"]["python"]["warnings"][0]
    assert 'hookrt_action_info{action="python",fact="isolation",value="degraded"} 1.0' in figures
    assert 'hookrt_action_warnings{action="python"} 1.0' in figures
    [told] = events_of(stage.shown, "action-warning")
    assert (told["level"], told["action"]) == ("warning", "python")


def test_while_degraded_it_warns_on_every_attempt(stage: Stage) -> None:
    stage.write({"shape": SNIPPET}, require="degraded")
    with stage.serve("seccomp") as client:
        for delivery in [emit(client), emit(client)]:
            stage.until(lambda one=delivery: attempts_of(client, one))
            [attempt] = attempts_of(client, delivery)
            assert attempt["outcome"] == "done"
            assert attempt["logs"] == ["warning: isolation-degraded missing=seccomp"]
        stage.until(lambda: len(events_of(stage.shown, "isolation-degraded")) == 2)


def test_while_degraded_it_warns_at_each_reload(stage: Stage) -> None:
    stage.write({"shape": SNIPPET}, require="degraded")
    with stage.serve("seccomp") as client:
        stage.hang_up()
        stage.until(lambda: len(events_of(stage.shown, "action-warning")) == 2)
        problems = client.get("/v1/config").json()["last_reload"]["problems"]
    assert [problem["severity"] for problem in problems] == ["warning"]
    assert "the isolation of python snippets is degraded" in problems[0]["message"]


def test_a_reload_that_brings_the_first_snippet_is_rejected_below_what_is_required(stage: Stage) -> None:
    stage.write({"plain": PLAIN})
    with stage.serve("seccomp") as client:
        assert stage.children() == []
        assert "actions" not in client.get("/readyz").json()
        stage.write({"plain": PLAIN, "shape": SNIPPET})
        stage.hang_up()
        stage.until(lambda: client.get("/readyz").json()["configuration"] == "rejected")
        [problem] = client.get("/v1/config").json()["last_reload"]["problems"]
        assert "require the isolation level `core` here, and a worker reaches `degraded` only" in problem["message"]
        assert [hook["name"] for hook in client.get("/v1/hooks").json()["items"]] == ["plain"]
        delivery = emit(client)
        stage.until(lambda: [one["outcome"] for one in attempts_of(client, delivery)] == ["done"])
