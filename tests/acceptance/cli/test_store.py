"""`hookrt store`: the real command, beside a running service and without one."""

import json
import stat

import pytest

HOOKS = """\
service: {port: 0}
hooks:
  audit: {on: User.*, steps: [{log: "${{ event.id }}"}]}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    return tmp_path


@pytest.fixture
def service(folder, serve, hookrt):
    """A running service with one event."""
    made = serve()
    assert hookrt("emit", "User.Created", "--id", "e1", "--wait", env=made.env).returncode == 0
    return made


def test_the_store_of_a_running_service_is_explained(service, hookrt, folder):
    done = hookrt("store", "info", "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert shown["path"] == str(folder / ".hookrt" / "hookrt.db")
    assert shown["delivering"] == f"process {service.running.process.pid}"
    assert (shown["rows"]["events"], shown["deliveries"]["succeeded"]) == (1, 1)
    parts = shown["bytes"]
    assert parts["file"] == parts["free"] + parts["payloads"] + parts["exchanges"] + parts["other"]
    text = hookrt("store", "info").stdout
    assert "1 events, 1 deliveries" in text
    assert "data of events" in text


def test_a_backup_of_a_running_service_is_a_store_that_a_service_goes_on_with(service, hookrt, serve, folder):
    done = hookrt("store", "backup", "copy.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert "checked" in done.stdout
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    again = hookrt("store", "backup", "copy.db")
    assert (again.returncode, again.stdout) == (1, "")
    assert "--force" in again.stderr
    nowhere = hookrt("store", "backup", "missing/x.db")
    assert (nowhere.returncode, f"there is no folder {folder}/missing: make it first" in nowhere.stderr) == (1, True)
    assert hookrt("emit", "User.Created", "--id", "e2", env=service.env).returncode == 0
    forced = hookrt("store", "backup", "copy.db", "--force", "-o", "json")
    assert json.loads(forced.stdout)["bytes"] == (folder / "copy.db").stat().st_size
    assert service.stop() == 0
    other = serve("--store", "sqlite:///copy.db")
    page = json.loads(hookrt("events", "list", "-o", "json", env=other.env).stdout)
    assert [event["id"] for event in page["items"]] == ["e2", "e1"]


def test_vacuum_runs_beside_a_service_and_full_only_without_one(service, hookrt):
    done = hookrt("store", "vacuum")
    assert (done.returncode, done.stderr) == (0, "")
    full = hookrt("store", "vacuum", "--full")
    assert (full.returncode, full.stdout) == (1, "")
    assert f"process {service.running.process.pid} delivers from" in full.stderr
    assert service.stop() == 0
    done = hookrt("store", "vacuum", "--full", "-o", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["bytes_given_back"] >= 0


@pytest.mark.parametrize("verb", [("info",), ("vacuum",), ("backup", "copy.db")])
def test_without_a_store_it_is_one_sentence(folder, hookrt, verb):
    done = hookrt("store", *verb)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("hookrt: there is no store at ")
    assert len(done.stderr.splitlines()) == 1
    done = hookrt("store", *verb, "--store", "memory:")
    assert "is no file" in done.stderr
    (folder / "text").write_text("not a database")
    done = hookrt("store", *verb, "--store", "sqlite:///text")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert (folder / "text").read_text() == "not a database"
