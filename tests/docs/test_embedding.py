"""The programs that docs/embedding.md shows run, and say what they should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "embedding.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PROGRAMS = [block for block in BLOCKS if "def test_" not in block]
TESTS = [block for block in BLOCKS if "def test_" in block]
PRINTED = ["order 7 is Order.Placed\nsucceeded\n", "placed 8\n", "", ""]


@pytest.mark.parametrize(
    ("program", "printed"), list(zip(PROGRAMS, PRINTED, strict=True)), ids=["async", "blocking", "values", "web"]
)
def test_a_program_runs(program: str, printed: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


def test_the_tests_of_an_application_pass(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(PROGRAMS[-1])
    [tests] = TESTS
    (tmp_path / "test_shop.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]  # which client it takes is Starlette's
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout


def test_the_examples_that_it_names_exist() -> None:
    for name in ("script", "fastapi_app", "django_app"):
        assert (Path(__file__).parents[2] / "examples" / name / "README.md").exists()
