"""What all tests share: the flag for the long versions."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the acceptance tests in full: many more rounds")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the long version of a test is wanted."""
    return bool(request.config.getoption("--full"))
