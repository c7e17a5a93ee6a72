"""The command line itself: help, usage errors, completion, and outputs that go away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookrt.cli.lazy_group import COMMANDS

Run = Callable[..., Any]


def test_without_arguments_it_shows_what_there_is_and_ends_with_2(hookrt: Run) -> None:
    done = hookrt()
    assert done.returncode == 2
    shown = done.stdout + done.stderr
    assert all(name in shown for name in COMMANDS)


def test_help_lists_every_command_and_ends_with_0(hookrt: Run) -> None:
    done = hookrt("--help")
    assert done.returncode == 0
    assert all(f" {name} " in done.stdout for name in COMMANDS)
    assert "hookrt init" in done.stdout


def test_help_imports_no_command(hookrt: Run, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from hookrt.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'httpx', 'fastapi', 'uvicorn', 'hookrt.runtime', 'hookrt.plugin.manager', 'cel_expr_python'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_check_imports_nothing_of_what_serves(tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text("hooks: {a: {on: A, when: event.id != '', steps: [{python: result = 1}]}}")
    program = (
        "import sys\n"
        "from hookrt.cli.main import main\n"
        "try:\n    main(['check'])\n"
        "except SystemExit:\n    pass\n"
        "serving = {'asyncio', 'httpx', 'pyreqwest', 'fastapi', 'uvicorn', 'structlog', 'sqlite3', 'rich', 'ssl'}\n"
        "print(sorted(serving & set(sys.modules)), file=sys.stderr)\n"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HOOKRT_", "FORCE_COLOR"))}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("hooks.yaml: 1 hook, 0 destinations, no problems\n", "[]\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "Did you mean 'check'"),
        (["check", "--nonsense"], "--nonsense"),
        (["version", "-o", "xml"], "'xml' is not one of 'text', 'json'."),
        (["emit"], "TYPE"),
        (["deliveries", "list", "--status", "sleeping"], "succeeded"),
        (["events", "list", "-n", "0"], "1"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(hookrt: Run, arguments: list[str], said: str) -> None:
    done = hookrt(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_is_shown_for_people_and_programs(hookrt: Run) -> None:
    found = json.loads(hookrt("version", "-o", "json").stdout)
    assert hookrt("--version").stdout == f"hookrt {found['hookrt']}\n"
    assert f"{found['python']}" in hookrt("version").stdout


def test_shells_complete_commands_and_options(hookrt: Run) -> None:
    env = {"_HOOKRT_COMPLETE": "complete_bash", "COMP_WORDS": "hookrt de", "COMP_CWORD": "1"}
    assert hookrt(env=env).stdout.split() == ["demo", "decide", "deliveries"]
    env = {"_HOOKRT_COMPLETE": "complete_bash", "COMP_WORDS": "hookrt deliveries re", "COMP_CWORD": "2"}
    assert hookrt(env=env).stdout.split() == ["retry", "replay"]


def test_an_output_that_is_closed_early_ends_in_silence(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hookrt", "version"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) in {0, 1}
    assert said == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_on_a_full_disk_is_one_sentence(tmp_path: Path, unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hookrt", "version"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "no space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_errors_on_a_full_disk_keep_the_exit_code(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "hookrt", "check", "nowhere.yaml"]
        env = {**os.environ, "PYTHONUNBUFFERED": ""}
        done = subprocess.run(command, cwd=tmp_path, env=env, stdout=full, stderr=full, check=False)
    assert done.returncode == 1


def test_a_terminal_that_knows_ascii_only_gets_escapes(hookrt: Run) -> None:
    done = hookrt("receiver", "--secret", "x", "--scheme", "ключ", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2
    assert "UnicodeEncodeError" not in done.stderr


def test_a_service_that_does_not_run_is_one_sentence_that_says_how_to_start_it(hookrt: Run) -> None:
    env = {"HOOKRT_URL": "http://127.0.0.1:9"}
    for arguments in (
        ["hooks", "list"],
        ["hooks", "show", "x"],
        ["events", "list"],
        ["events", "show", "x"],
        ["deliveries", "list"],
        ["deliveries", "show", "x"],
        ["deliveries", "retry", "x"],
        ["deliveries", "replay", "x"],
        ["deliveries", "cancel", "x"],
        ["emit", "User.Created"],
    ):
        done = hookrt(*arguments, env=env)
        assert done.returncode == 1
        assert done.stderr.startswith("hookrt: no hookrt service answers at http://127.0.0.1:9: start it with")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["emit", "User.*"], "'type' is 'User.*'"),
        (["emit", "T", "--data", "{a: 1}"], "--data: the JSON is malformed"),
        (["emit", "T", "--data", "@missing.json"], "missing.json: there is no such file"),
        (["emit", "T", "--data", "@."], ".: it is a folder"),
    ],
)
def test_bad_input_names_what_is_wrong(hookrt: Run, arguments: list[str], said: str) -> None:
    done = hookrt(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


STRAY = """
import asyncio, sys, threading
from hookrt.cli import main as door
from hookrt.cli.event_loop import run_in_loop

class Breaks:
    def __del__(self):
        raise RuntimeError("in a finaliser")

def fail():
    raise RuntimeError("in a thread")

async def fail_in_task():
    asyncio.create_task(raise_later())
    await asyncio.sleep(0.01)

async def raise_later():
    raise RuntimeError("in a task")

def call(arguments):
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    Breaks()
    run_in_loop(fail_in_task())
    raise RuntimeError("at last")

door._call = call
door.main([])
"""


def test_no_traceback_comes_from_threads_tasks_and_finalisers() -> None:
    done = subprocess.run([sys.executable, "-c", STRAY], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 4, done.stderr
    assert all("(RuntimeError): this is a bug" in line for line in lines)


def test_closed_streams_are_no_error(tmp_path: Path) -> None:
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        command = f"{sys.executable} -m hookrt version {closed}"
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert done.stderr == ""
    command = f"{sys.executable} -m hookrt emit T --data - <&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "hookrt: standard input is closed\n")


def test_odd_bytes_and_empty_names_are_no_bug(hookrt: Run) -> None:
    env = {"HOOKRT_URL": "http://127.0.0.1:9"}
    for arguments in (["hooks", "show", "\udcff"], ["events", "list", "--type", "\udcff"], ["hooks", "show", ""]):
        done = hookrt(*arguments, env=env)
        assert done.returncode == 1
        assert "this is a bug" not in done.stderr
    done = hookrt("hooks", "list", env={"HOOKRT_TOKEN": "a\nb"})
    assert "HOOKRT_TOKEN is no token" in done.stderr
