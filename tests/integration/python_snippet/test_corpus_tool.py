"""`python -m sandbox_corpus`: what it prints, and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sandbox_corpus.users import find_interpreter, run_as_nobody

ROOT = Path(__file__).parents[3]

ESCAPE = """\
- id: {name}
  category: test
  expect: [{expect}]
  snippet: |
    {snippet}
"""
DENIED = ESCAPE.format(name="denied", expect="denied", snippet="import os; result = 1")
BENIGN = """\
- id: benign
  event: {data: 2}
  snippet: |
    def run(event, ctx):
        print("seen")
        return event["data"] * 2
  result: 4
  printed: seen
"""


def run_tool(folder: Path, text: str, *options: str) -> tuple[int, list[str]]:
    corpus = folder / "corpus with a space.yaml"
    corpus.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sandbox_corpus", str(corpus), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def closing(lines: list[str]) -> list[str]:
    return [line.partition(": ")[2] for line in lines if line.startswith("as ")]


def test_a_corpus_as_it_should_be_prints_its_count_and_exits_with_0(tmp_path: Path) -> None:
    status, lines = run_tool(tmp_path, DENIED + BENIGN, "--self-only")
    assert closing(lines) == ["1 escapes, 0 unexpected; 1 benign, 1 work"]
    assert status == 0


def test_each_unexpected_item_is_one_line_and_exits_with_1(tmp_path: Path) -> None:
    wrong = ESCAPE.format(name="harmless", expect="denied", snippet="result = 'BREACH' + chr(10)")
    status, lines = run_tool(tmp_path, DENIED + wrong + BENIGN, "--self-only")
    assert [line.split(":")[0] for line in lines if not line.startswith(("as ", "run as"))] == ["harmless"]
    assert closing(lines) == ["2 escapes, 1 unexpected; 1 benign, 1 work"]
    assert status == 1


def test_benign_items_that_do_not_work_exit_with_1_below_95_percent(tmp_path: Path) -> None:
    wrong = BENIGN.replace("result: 4", "result: 5").replace("id: benign", "id: wrong")
    assert run_tool(tmp_path, BENIGN + wrong, "--self-only")[0] == 1
    many = "".join(BENIGN.replace("id: benign", f"id: benign-{n}") for n in range(19))
    status, lines = run_tool(tmp_path, many + wrong, "--self-only")
    assert (status, closing(lines)) == (0, ["0 escapes, 0 unexpected; 20 benign, 19 work"])
    assert lines[0].startswith("wrong: ")


def test_raw_items_run_without_the_language_policy_behind_all_walls(tmp_path: Path) -> None:
    snippet = "import os; result = os.getpid() > 0"
    raw = ESCAPE.format(name="raw", expect="ok", snippet=snippet).replace("category", "mode: raw\n  category")
    assert run_tool(tmp_path, raw, "--self-only")[0] == 0
    assert run_tool(tmp_path, raw.replace("  mode: raw\n", ""), "--self-only")[0] == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_runs_it_once_more_as_an_unprivileged_user(tmp_path: Path) -> None:
    if find_interpreter() is None:
        pytest.skip("nobody can start no Python with these packages here")
    tmp_path.chmod(0o700)  # the corpus is read by root, and handed over
    status, lines = run_tool(tmp_path, DENIED + BENIGN)
    assert status == 0
    assert [line.split(",")[0] for line in lines] == ["as root", "as nobody"]


def run_tool_as_a_user(text: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The same by somebody without privileges: as whom the tests run, or else nobody."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0:
            return run_tool(Path(folder), text)
        interpreter = find_interpreter()
        if interpreter is None:
            pytest.skip("nobody can start no Python with these packages here")
        corpus = Path(folder) / "corpus.yaml"
        corpus.write_text(text, encoding="utf-8")
        corpus.chmod(0o644)
        Path(folder).chmod(0o755)
        status = run_as_nobody(interpreter, [str(corpus)], "")
        return status, capfd.readouterr().out.splitlines()


def test_a_user_runs_it_only_as_itself_and_is_told_so(capfd: pytest.CaptureFixture[str]) -> None:
    status, lines = run_tool_as_a_user(DENIED, capfd)
    assert status == 0
    assert closing(lines) == ["1 escapes, 0 unexpected; 0 benign, 0 work"]
    assert lines[-1].startswith("run as this user only")


@pytest.mark.parametrize(
    "text", ["", "{}", "- [", "- id: x\n", "- snippet: x\n", "- {snippet_py: 1/0, expect: [ok]}\n"]
)
def test_a_corpus_that_cannot_be_read_exits_with_2_and_says_why(tmp_path: Path, text: str) -> None:
    status, lines = run_tool(tmp_path, text)
    assert status == 2
    assert lines[0].startswith("cannot read the corpus: ")
