"""Nothing that a program started lives on, however it made itself independent."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hookrt_command import Command, run

from hookrt.plugin import OutcomeKind
from hookrt.testing import attempt, call_for, open_action, run_action

DEADLINE_S = 30.0
LIMITS_S = (0.3, 2, 10, 40)  # the first one that is enough for a program to begin
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        os.rename(sys.argv[1], sys.argv[1] + ".pid")
        time.sleep(1000)
    os._exit(0)
os.wait()
while not os.path.exists(sys.argv[1] + ".pid"):
    time.sleep(0.005)
print("left one behind", flush=True)
"""
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who a daemon's grandparent was")


def is_there(pid):
    try:
        return (
            b"\nState:\tZ" not in Path(f"/proc/{pid}/status").read_bytes()
            if sys.platform == "linux"
            else not os.kill(pid, 0)
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(holds):
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def read_pid(path):
    wait_until(path.exists)
    return int(path.read_text())


@pytest.fixture
def daemon(tmp_path):
    """A program that leaves a daemon in a session of its own."""
    path = tmp_path / "daemon.py"
    path.write_text(DAEMON)
    return [sys.executable, "-S", str(path), str(tmp_path / "daemon")]


@LINUX
def test_a_daemon_ends_with_its_program(daemon, tmp_path):
    outcome = run_action(Command, {"argv": daemon}, base_dir=tmp_path)
    assert outcome.output["stdout"] == "left one behind\n"
    assert not is_there(read_pid(tmp_path / "daemon.pid"))


def cancel_when(path, tmp_path, argv, **more):
    """Runs a program until a file with a process's id is there, then cancels the attempt; returns the id."""

    async def run():
        async with open_action(Command, base_dir=tmp_path) as opened:
            task = asyncio.create_task(attempt(opened, call_for(opened, {"argv": argv, **more})))
            pid = await asyncio.to_thread(read_pid, path)
            assert is_there(pid)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return pid

    return asyncio.run(run())


@LINUX
def test_a_daemon_ends_with_a_cancelled_attempt(daemon, tmp_path):
    argv = ["/bin/sh", "-c", '"$@"; exec sleep 1000', "sh", *daemon]
    assert not is_there(cancel_when(tmp_path / "daemon.pid", tmp_path, argv, grace="50ms"))


def test_what_does_not_end_by_itself_is_killed_with_its_children(tmp_path):
    child = """sh -c 'trap "" TERM; echo $$ > child.tmp; mv child.tmp child; sleep 1000; :'"""
    script = f"trap '' TERM; {child} & wait; sleep 1000; :"
    assert not is_there(cancel_when(tmp_path / "child", tmp_path, ["/bin/sh", "-c", script], grace="50ms"))


class Patience:
    """Counts how often it is asked for."""

    held = 0

    def hold(self):
        self.held += 1

    def begin(self):
        pass


@pytest.mark.parametrize(
    ("does", "says"), [("echo tidied; exit 0", "stdout: tidied"), ("", "stdout: begun")], ids=["tidies", "stays"]
)
def test_when_the_time_is_up_it_may_tidy_up_and_is_killed_if_it_stays(does, says, tmp_path):
    async def run(limit_s):  # as the engine does, which cuts off later than the action itself
        async with open_action(Command, base_dir=tmp_path) as opened:
            script = f"trap '{does}' TERM; echo begun; while :; do sleep 1000 & wait; done"
            settings = {"argv": ["/bin/sh", "-c", script], "grace": "30s" if does else "50ms"}
            call = call_for(opened, settings, timeout=timedelta(seconds=limit_s))
            call.patience = patience = Patience()
            return await opened.run(call), patience.held

    for limit_s in LIMITS_S:
        outcome, held = asyncio.run(run(limit_s))
        assert (outcome.kind, outcome.reason, held) == (OutcomeKind.RETRY, "timeout", 1)
        assert outcome.message == f"no end after {limit_s:g} s: it was stopped"
        if outcome.logs:  # else the machine was too busy for it to begin
            break
    assert outcome.logs[-1] == says


def test_children_in_the_background_do_not_keep_a_step_from_ending(tmp_path):
    outcome = run_action(Command, {"argv": ["/bin/sh", "-c", "sleep 1000 & echo $!"]}, base_dir=tmp_path)
    assert outcome.kind is OutcomeKind.DONE
    assert not is_there(outcome.output["json"])


SERVICE = """
import sys
sys.path[:0] = sys.argv[1:2]
from hookrt_command import Command, run
from hookrt.testing import run_action
run_action(Command, {"argv": ["/bin/sh", "-c", "trap '' TERM; echo $$ > pid.tmp; mv pid.tmp pid; sleep 1000; :"]})
"""


def test_a_program_dies_with_a_service_that_is_killed(tmp_path):
    source = str(Path(__file__).parent.parent / "src")
    with subprocess.Popen([sys.executable, "-c", SERVICE, source], cwd=tmp_path) as service:
        pid = read_pid(tmp_path / "pid")
        service.kill()
    wait_until(lambda: not is_there(pid))


def test_a_killed_supervisor_is_noticed_and_its_program_ended(tmp_path):
    outcome = run_action(
        Command, {"argv": ["/bin/sh", "-c", "echo $$ > pid; kill -9 $PPID; sleep 1000; :"]}, base_dir=tmp_path
    )
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "lost")
    wait_until(lambda: not is_there(read_pid(tmp_path / "pid")))


@LINUX
def test_a_stopped_supervisor_is_killed_and_its_program_too(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "KILLING_S", 0.2)
    script = "kill -STOP $PPID; echo $$ > program; echo $PPID > above; mv above supervisor; exec sleep 1000"
    supervisor = cancel_when(tmp_path / "supervisor", tmp_path, ["/bin/sh", "-c", script], grace="0s")
    assert not is_there(supervisor)
    wait_until(lambda: not is_there(read_pid(tmp_path / "program")))


@LINUX
def test_a_stream_that_was_handed_on_to_others_does_not_keep_a_step_from_ending(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "KILLING_S", 0.5)
    script = "echo $$ > own; mv own program; while [ ! -e go ]; do sleep 0.01; done; echo end"

    async def hand_on():
        async with open_action(Command, base_dir=tmp_path) as opened:
            task = asyncio.create_task(attempt(opened, call_for(opened, {"argv": ["/bin/sh", "-c", script]})))
            program = await asyncio.to_thread(read_pid, tmp_path / "program")
            descriptor = os.open(f"/proc/{program}/fd/1", os.O_WRONLY)
            try:
                (tmp_path / "go").touch()
                return await task
            finally:
                os.close(descriptor)

    assert asyncio.run(hand_on()).output["stdout"] == "end\n"


def test_it_works_in_a_service_that_has_more_than_a_thousand_connections(tmp_path):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= hard < 2048:
        pytest.skip("needs 2048 descriptors: ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        outcome = run_action(Command, {"argv": ["/bin/sh", "-c", "cat"], "stdin": "hi"}, base_dir=tmp_path)
    finally:
        for one in taken:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert outcome.output["stdout"] == "hi", outcome


@LINUX
def test_no_descriptor_of_the_service_is_open_in_a_program(tmp_path):
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), bool(file))
        argv = ["/bin/sh", "-c", "ls -l /proc/$$/fd"]
        outcome = run_action(Command, {"argv": argv}, base_dir=tmp_path)
    assert "pipe:" in outcome.output["stdout"]
    assert "secret" not in outcome.output["stdout"]
    assert "socket:" not in outcome.output["stdout"]


def test_it_works_on_uvloop_and_in_other_threads(tmp_path):
    uvloop = pytest.importorskip("uvloop")
    found = []

    async def run():
        async with open_action(Command, base_dir=tmp_path) as opened:
            settings = {"argv": ["/bin/sh", "-c", "wc -c"], "stdin": "x" * 200_000}
            outcomes = [await attempt(opened, call_for(opened, settings)) for _ in range(2)]
            found.extend(outcome.output["json"] for outcome in outcomes)

    def serve():
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()
    assert found == [200_000] * 2


def test_a_program_has_ordinary_signals(tmp_path):
    outcome = run_action(Command, {"argv": ["/bin/sh", "-c", "yes | head -n 1"]}, base_dir=tmp_path)
    assert (outcome.output["stdout"], outcome.output["stderr"]) == ("y\n", "")
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
