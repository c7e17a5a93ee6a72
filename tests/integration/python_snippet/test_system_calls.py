"""The system calls that benign runs really make, traced: all are in the filter, and all are told in the docs."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hookrt.actions.python_snippet.spawn import BOOT
from hookrt.actions.python_snippet.worker import seccomp
from sandbox_corpus.items import read_items
from sandbox_corpus.judge import judge_all

ROOT = Path(__file__).parents[3]

TRACED_BOOT = """\
import os, sys
command = [{strace!r}, "-DD", "-o", {log!r} + str(os.getpid()), sys.executable, "-I", "-S", {boot!r}, *sys.argv[1:]]
os.execv(command[0], command)
"""
"""With `-DD` the tracer is not in between, nor in the group that is killed: the worker stays a child of the service."""

MORE = """\
- {snippet: "import time; time.sleep(0.01); result = 1", result: 1}
- {snippet: "import uuid; result = len(str(uuid.uuid4()))", result: 36}
- {snippet: "x = [str(n) for n in range(300000)]; x += x; result = len(x)", result: 600000}
- {snippet: "import datetime; result = datetime.datetime.now().year > 2000", result: true}
- {snippet: "import json; result = len(json.dumps([0] * 100000))", result: 300000}
"""
"""What the corpus hardly does: sleep, chance, memory, time."""

CALL = re.compile(r"^(\w+)\(|^<\.\.\. (\w+) resumed>")
REFUSED = re.compile(r"= -1 EPERM")


def find_strace() -> str:
    """The tracer's path; skips the test where there is none or where it may not trace."""
    path = shutil.which("strace")
    if path is None or subprocess.run([path, "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
        pytest.skip("strace is not installed, or may not trace here")
    return path


def whole_log(path: Path) -> list[str]:
    """What was traced, once the tracer has seen the worker's end."""
    end = time.monotonic() + 10
    while "+++ " not in (text := path.read_text(errors="replace")):
        assert time.monotonic() < end, "the tracer does not end"
        time.sleep(0.01)
    return text.splitlines()


def after_the_filter(lines: list[str]) -> list[str]:
    """The lines from the moment on at which the filter stands; none when the worker was ended while it started."""
    starts = [n for n, line in enumerate(lines) if "PR_SET_SECCOMP" in line and line.endswith("= 0")]
    return lines[starts[0] + 1 :] if starts else []


def names_of(lines: list[str]) -> set[str]:
    found = (CALL.match(line) for line in lines)
    return {match[1] or match[2] for match in found if match}


def documented() -> set[str]:
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    [block] = re.findall(r"<!-- calls of benign runs -->(.*?)<!-- end -->", text, re.DOTALL)
    return set(re.findall(r"`(\w+)`", block))


def served_after_ready(lines: list[str]) -> list[str]:
    """The lines from the frame on that says that the worker is ready; before it is the self-test."""
    starts = [n for n, line in enumerate(lines) if line.startswith("write(")]  # the first that is sent
    return lines[starts[0] :] if starts else []


@pytest.mark.skipif(sys.platform != "linux", reason="traces system calls of Linux")
@pytest.mark.slow
def test_benign_runs_make_no_call_that_the_filter_does_not_allow(tmp_path: Path) -> None:
    script = tmp_path / "traced_boot.py"
    script.write_text(TRACED_BOOT.format(strace=find_strace(), log=str(tmp_path / "calls-"), boot=str(BOOT)))
    corpus = ROOT / "tests" / "corpora" / "benign.yaml"
    items = read_items(corpus.read_text(encoding="utf-8"), corpus.name) + read_items(MORE, "more")
    verdict = asyncio.run(judge_all(items, script))
    if verdict.isolation == "degraded":
        pytest.skip("this system has no filter of system calls")
    assert verdict.unexpected == []
    logs = [after_the_filter(whole_log(path)) for path in tmp_path.glob("calls-*")]
    served = [served_after_ready(lines) for lines in logs]
    assert not [line for lines in served for line in lines if REFUSED.search(line)]
    calls = set().union(*map(names_of, served))
    machine = seccomp.machine()
    assert calls <= {*seccomp.ALLOWED[machine], *seccomp.WITHOUT_EXECUTION[machine]}
    assert calls >= {"read", "write", "setitimer", "getrandom"}  # the trace is one of real runs
    assert calls <= documented()


def test_the_docs_name_every_call_of_the_filter_and_no_other() -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    section = text.partition("### The system calls")[2].partition("## ")[0]
    allowed = {**seccomp.ALLOWED["x86_64"], **seccomp.WITHOUT_EXECUTION["x86_64"]}
    named = set(re.findall(r"`([a-z_0-9]+)`", section))
    assert named == set(allowed)
    assert documented() <= named
