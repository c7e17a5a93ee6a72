"""The fuzzers find nothing, for a bounded number of examples, the same ones every time; with --full many new ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_corpus.fuzz.fuzzers import BY_NAME, FUZZERS, fuzz

ROOT = Path(__file__).parents[3]
EXAMPLES = {"service": 150, "checker": 60, "worker": 60, "programs": 80, "offences": 60, "ordinary": 100}
ROUNDS_IN_FULL = 50

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="its workers stand behind the walls of Linux"),
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning"),
]


def test_every_fuzzer_takes_part() -> None:
    assert set(EXAMPLES) == set(BY_NAME) == {fuzzer.name for fuzzer in FUZZERS}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_found(name: str, full: bool) -> None:
    tally = fuzz(BY_NAME[name], EXAMPLES[name])
    for number in range(ROUNDS_IN_FULL if full else 0):
        if tally.finding is None:
            tally = fuzz(BY_NAME[name], BY_NAME[name].at_once, number)
    assert tally.finding is None, f"{tally.finding}\n{tally.example}"
    assert tally.tried >= EXAMPLES[name] // 2


def test_the_command_shows_its_progress_and_what_it_tried() -> None:
    command = [sys.executable, "-m", "sandbox_corpus.fuzz", "--minutes", "0.001", "--only", "offences"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    progress, end = done.stdout.splitlines()
    assert progress.split() == [progress.split()[0], "offences", "50"]
    assert end == "nothing found: offences 50"
