"""A seed says everything: the same one gives the same run, in any process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.world import run_seed

ROOT = Path(__file__).parent.parent.parent
ALL = "crash,restart,freeze,slow-store,store-error,lost-answer,bad-endpoints,duplicate,client-cancel,operator"


def traced(seed: int, **options: object) -> list[str]:
    lines: list[str] = []
    run_seed(seed, lines.append, **options)
    return lines


@pytest.mark.parametrize("seed", [3, 11, 24])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    first = traced(seed)
    assert len(first) > 20
    assert traced(seed) == first


def test_another_seed_gives_another_trace() -> None:
    assert traced(3) != traced(4)


def test_the_trace_is_the_same_in_another_process_byte_for_byte() -> None:
    """Whatever the hash of a text, or the address of an object, is there."""
    command = [sys.executable, "-m", "simulation", "--seed", "5", "--faults", ALL]
    runs = [
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": chosen}, capture_output=True, check=False
        )
        for chosen in ("1", "2")
    ]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr.decode()
    assert len(runs[0].stdout) > 1000
    assert runs[0].stdout == runs[1].stdout


def test_a_trace_changes_nothing_in_the_run() -> None:
    plain, shown = run_seed(17), run_seed(17, [].append)
    assert (plain.steps, plain.seconds, plain.attempts) == (shown.steps, shown.seconds, shown.attempts)


def test_many_seeds_are_run_with_their_speed_and_exit_0() -> None:
    done = run_command("--seeds", "20")
    assert done.returncode == 0, done.stderr
    assert "20 seeds, " in done.stdout
    assert "seeds/s" in done.stdout


def test_a_broken_promise_is_named_with_the_seed_that_replays_it_and_exit_1() -> None:
    plant = "one more than the concurrency may run"
    done = run_command("--seeds", "20", "--plant", plant, "--jobs", "1")
    assert done.returncode == 1, done.stdout
    assert "seed 1: no more attempts at once than the lane's limit" in done.stdout
    again = run_command("--seed", "1", "--plant", plant)
    assert again.returncode == 1
    assert "BROKEN: no more attempts at once than the lane's limit" in again.stdout
    assert " attempt " in again.stdout


def run_command(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulation", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
