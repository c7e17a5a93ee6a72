"""What tests of real processes share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

DEADLINE_S = 60.0


@pytest.fixture
def until() -> Callable[..., Any]:
    """The first true answer to a question; where none comes in time, it fails with what `tell` says."""

    def wait(question: Callable[[], Any], tell: Callable[[], str] = str) -> Any:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if answer := question():
                return answer
            time.sleep(0.02)
        raise AssertionError("it did not happen in time" + tell())

    return wait
