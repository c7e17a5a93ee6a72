"""docs/guarantees.md: each test that it names as the proof of a promise exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TEXT = (TESTS.parent / "docs" / "guarantees.md").read_text()
PROOFS = re.findall(r"^- \*\*.*\*\*: `(\S+\.py)`, `(test_\w+)`$", TEXT, re.MULTILINE)


def test_there_are_proofs() -> None:
    assert len(PROOFS) == TEXT.count(".py`") > 0


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_the_test_of_a_promise_exists(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (TESTS / file).read_text(), re.MULTILINE)
