"""Fixtures for tests of plugins. pytest loads this module always, so it loads nothing of hookrt before it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hookrt.testing.fake_clock import FakeClock
    from hookrt.testing.receiver import Receiver
    from hookrt.testing.recorded import RecordedHttp
    from hookrt.testing.runtime_in_memory import RuntimeInMemory

pytest.register_assert_rewrite(
    "hookrt.testing.action_contract",
    "hookrt.testing.source_contract",
    "hookrt.testing.source_rules",
    "hookrt.testing.fetching_contract",
)


@pytest.fixture
def hookrt_runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RuntimeInMemory]]:
    """Starts runtimes with a store in memory: `runtime = hookrt_runtime("hooks: ...", actions=[Sms])`."""
    from hookrt.testing.runtime_in_memory import RuntimeInMemory  # noqa: PLC0415 - loaded only for tests that use it

    with ExitStack() as running:

        def start(hooks: str = "hooks: {}", **options: Any) -> RuntimeInMemory:
            folder = tmp_path_factory.mktemp("hookrt")
            return running.enter_context(RuntimeInMemory(folder, hooks, **options))

        yield start


@pytest.fixture
def hookrt_receiver() -> Iterator[Receiver]:
    """A real HTTP server on loopback that keeps what it gets and answers as told."""
    from hookrt.testing.receiver import Receiver  # noqa: PLC0415 - loaded only for tests that use it

    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def hookrt_clock() -> FakeClock:
    """A clock that stands at noon of 2025-01-01 until it is told to go on."""
    from hookrt.testing.fake_clock import FakeClock  # noqa: PLC0415 - loaded only for tests that use it

    return FakeClock()


@pytest.fixture
def hookrt_http() -> RecordedHttp:
    """The way out without a network: it keeps requests and answers as told."""
    from hookrt.testing.recorded import RecordedHttp  # noqa: PLC0415 - loaded only for tests that use it

    return RecordedHttp()
