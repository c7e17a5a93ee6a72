"""`hookrt run` takes up changed files: edited, renamed over, behind a swapped link, on SIGHUP; and under load."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

Serve = Callable[..., Any]
Until = Callable[..., Any]
Service = Any
DEADLINE_S = 60.0

LOG = "hooks: {NAME: {on: Order.*, steps: [{log: hello}]}}\n"


def hooks_of(service: Service) -> set[str]:
    return {hook["name"] for hook in service.get("/v1/hooks")["items"]}


def ready(service: Service) -> dict[str, Any]:
    answer = service.client.get("/readyz")
    assert answer.status_code == 200
    return dict(answer.json())


def config(service: Service) -> dict[str, Any]:
    return dict(service.get("/v1/config"))


def metric(service: Service, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", service.client.get("/metrics").text, re.MULTILINE)
    assert found
    return float(found[1])


def log(name: str) -> str:
    return LOG.replace("NAME", name)


def test_a_file_is_edited_in_place_and_renamed_over(serve: Serve, tmp_path: Path) -> None:
    file, other = tmp_path / "hooks.yaml", tmp_path / "other"
    file.write_text(log("one"))
    service = serve("--port", "0")
    assert hooks_of(service) == {"one"}
    file.write_text(log("two"))
    told = service.running.wait_for("config-reloaded")
    assert "1 hook added (two), 1 hook removed (one)" in json.loads(told)["changes"]
    assert hooks_of(service) == {"two"}
    other.write_text(log("three"))
    other.rename(file)
    service.running.wait_for("config-reloaded")
    assert hooks_of(service) == {"three"}
    assert metric(service, 'hookrt_config_reloads_total{result="accepted"}') == 2
    assert service.stop() == 0


def test_a_link_is_swapped_as_kubernetes_does(serve: Serve, tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    for name in ("one", "two"):
        (mounted / f"..{name}").mkdir(parents=True)
        (mounted / f"..{name}" / "hooks.yaml").write_text(log(name))
    (mounted / "..data").symlink_to("..one")
    (mounted / "hooks.yaml").symlink_to("..data/hooks.yaml")
    service = serve(str(mounted), "--port", "0")
    assert hooks_of(service) == {"one"}
    (mounted / "..data_tmp").symlink_to("..two")
    (mounted / "..data_tmp").rename(mounted / "..data")
    service.running.wait_for("config-reloaded")
    assert hooks_of(service) == {"two"}
    assert service.stop() == 0


def test_files_of_a_directory_come_and_go(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "hooks"
    folder.mkdir()
    (folder / "one.yaml").write_text(log("one"))
    service = serve("hooks", "--port", "0")
    (folder / "two.yaml").write_text(log("two"))
    service.running.wait_for("config-reloaded")
    assert hooks_of(service) == {"one", "two"}
    (folder / "one.yaml").unlink()
    service.running.wait_for("config-reloaded")
    assert hooks_of(service) == {"two"}
    assert service.stop() == 0


def test_a_broken_file_changes_nothing_is_shown_with_its_problems_and_can_be_mended(
    serve: Serve, tmp_path: Path
) -> None:
    file = tmp_path / "hooks.yaml"
    file.write_text(log("one"))
    service = serve("--port", "0")
    assert ready(service) == {"ready": True, "delivering": True, "configuration": "current"}
    assert config(service)["last_reload"] is None
    file.write_text("hooks:\n  two: {on: Order.*, stepz: []}\n")
    told = json.loads(service.running.wait_for("config-rejected"))
    assert told["problems"].startswith("hooks.yaml:2:")
    assert "stepz" in told["problems"]
    assert hooks_of(service) == {"one"}
    assert ready(service)["configuration"] == "rejected"
    shown = config(service)
    assert shown["current"] is False
    assert shown["last_reload"]["problems"][0]["line"] == 2
    assert "stepz" in shown["last_reload"]["problems"][0]["line_text"]
    answer = service.client.post("/v1/events", json={"type": "Order.Paid"})
    assert len(answer.json()["deliveries"]) == 1
    events = service.client.get("/v1/events", params={"type": "hookrt.config.rejected"}).json()["items"]
    assert len(events) == 1
    file.write_text(log("two"))
    service.running.wait_for("config-reloaded")
    assert ready(service)["configuration"] == "current"
    assert config(service)["last_reload"]["hooks"]["added"] == ["two"]
    assert metric(service, 'hookrt_config_reloads_total{result="rejected"}') == 1
    assert service.stop() == 0


def test_a_file_written_in_two_steps_is_not_reported_as_broken(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "hooks.yaml"
    file.write_text(log("one"))
    service = serve("--port", "0")
    whole = "hooks:\n" + "".join(f"  h{number}: {{on: A, steps: [{{log: hello}}]}}\n" for number in range(40))
    with file.open("w") as opened:  # slow, but always in motion
        for at in range(0, len(whole), 60):
            opened.write(whole[at : at + 60])
            opened.flush()
            time.sleep(0.1)
    told = json.loads(service.running.wait_for("config-re"))
    assert told["event"] == "config-reloaded"
    assert "40 hooks added, 1 hook removed (one)" in told["changes"]
    assert service.stop() == 0


@pytest.mark.parametrize("how", ["flag", "setting"])
def test_without_watching_only_sighup_reloads(serve: Serve, tmp_path: Path, how: str) -> None:
    file, setting = tmp_path / "hooks.yaml", "service: {watch: false}\n" if how == "setting" else ""
    file.write_text(log("one") + setting)
    service = serve("--port", "0", *(["--no-watch"] if how == "flag" else []))
    file.write_text(log("two") + setting)
    time.sleep(2.5)  # more than watching would take
    assert hooks_of(service) == {"one"}
    service.running.send(signal.SIGHUP)
    service.running.wait_for("config-reloaded")
    assert hooks_of(service) == {"two"}
    assert service.stop() == 0


def test_settings_of_the_service_are_named_as_needing_a_restart(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "hooks.yaml"
    file.write_text(log("one"))
    service = serve("--port", "0")
    file.write_text(log("two") + "service: {port: 7, drain: 3s}\n")  # the port is given by the flag
    told = json.loads(service.running.wait_for("config-needs-restart"))
    assert told["settings"] == "service.drain"
    service.running.wait_for("config-reloaded")
    assert hooks_of(service) == {"two"}
    assert config(service)["last_reload"]["needs_restart"] == ["service.drain"]
    assert service.stop() == 0


def test_a_secret_in_the_env_file_is_taken_up(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(log("one"))
    (tmp_path / ".env").write_text("")
    service = serve("--port", "0", "--env-file", ".env")
    (tmp_path / "hooks.yaml").write_text("hooks: {a: {on: A.B, steps: [{log: 'it is ${{ secrets.KEY }}'}]}}\n")
    assert "KEY is not provided" in service.running.wait_for("config-rejected")
    (tmp_path / ".env").write_text("HOOKRT_SECRET_KEY=hunter2-hunter2\n")
    service.running.wait_for("config-reloaded")
    service.client.post("/v1/events", json={"type": "A.B"})
    service.running.wait_for("it is ***")
    assert "hunter2" not in service.running.shown
    assert service.stop() == 0


def test_no_event_is_lost_while_the_hooks_change_and_break_under_load(
    serve: Serve, tmp_path: Path, until: Until
) -> None:
    file = tmp_path / "hooks.yaml"

    def write(extra: str = "") -> None:
        other = tmp_path / "new"
        other.write_text(f"hooks:\n  all:\n    on: Order.*\n    steps: [{{log: '${{{{ event.id }}}}'}}]\n{extra}")
        other.rename(file)

    write()
    service = serve("--port", "0", "--log-level", "error")
    accepted: list[str] = []
    stop = threading.Event()

    def emit() -> None:
        with httpx.Client(base_url=service.client.base_url, trust_env=False, timeout=DEADLINE_S) as client:
            while not stop.is_set():
                answer = client.post("/v1/events", json={"type": "Order.Paid"})
                assert answer.status_code == 202
                assert len(answer.json()["deliveries"]) >= 1
                accepted.append(answer.json()["id"])

    threads = [threading.Thread(target=emit) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(12):
            before = metric(service, 'hookrt_config_reloads_total{result="accepted"}')
            rejected = metric(service, 'hookrt_config_reloads_total{result="rejected"}')
            broken = turn % 3 == 2
            write("  broken: {on: [\n" if broken else f"  more{turn}: {{on: Order.*, steps: [{{log: again}}]}}\n")
            service.running.send(signal.SIGHUP)
            count = len(accepted)
            if broken:
                until(lambda: metric(service, 'hookrt_config_reloads_total{result="rejected"}') > rejected)  # noqa: B023
            else:
                until(lambda: metric(service, 'hookrt_config_reloads_total{result="accepted"}') > before)  # noqa: B023
            until(lambda: len(accepted) > count)  # noqa: B023
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(accepted) > 12

    def settled() -> bool:
        listed = service.client.get("/v1/deliveries", params={"hook": "all", "status": "succeeded", "limit": 1}).json()
        stats = service.client.get("/v1/hooks/all").json()["stats"]
        return bool(listed["items"]) and stats["succeeded"] == len(accepted)

    until(settled)
    assert service.stop() == 0


def test_sighup_when_the_terminal_is_gone_ends_the_service(tmp_path: Path) -> None:
    import pty

    (tmp_path / "hooks.yaml").write_text(log("one"))
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execv(os.sys.executable, [os.sys.executable, "-m", "hookrt", "run", "--port", "0"])  # type: ignore[attr-defined]
    shown = b""
    while b"  hooks  " not in shown:
        shown += os.read(terminal, 4096)
    (tmp_path / "hooks.yaml").write_text(log("two"))
    while b"1 hook added (two), 1 hook removed (one)" not in shown:
        shown += os.read(terminal, 4096)
    (tmp_path / "hooks.yaml").write_text("hooks: {two: {on: A, stepz: []}}\n")
    while b"goes on unchanged" not in shown:
        shown += os.read(terminal, 4096)
    assert b"^" in shown
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in {0, 1, 120}  # its last words have nowhere to go
