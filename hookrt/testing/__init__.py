"""The kit for plugin authors: test an action without a server.

`event` and `call_for` build what an action is handed; `run_action` runs one as the engine does; `RecordedHttp` answers
requests without a network, `Receiver` over a real one; `MemoryState` remembers; `FakeClock` keeps time,
`SystemClock` is the real one; `read_settings` reads settings as hooks.yaml's are;
`ActionContract` is a class of tests to inherit, and `RuntimeInMemory` a whole runtime. `inbound` builds a request that
comes in; `SourceContract` is the class of tests for sources of webhooks, `FetchingSourceContract` for those that fetch
their events. pytest finds the fixtures
`hookrt_runtime`, `hookrt_receiver`, `hookrt_clock` and `hookrt_http` by itself. All of it is loaded when first used, so
that pytest pays nothing for a plugin that it does not need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hookrt.clock import SystemClock
    from hookrt.testing.action_contract import ActionContract
    from hookrt.testing.build_event import event
    from hookrt.testing.build_inbound import inbound
    from hookrt.testing.exchange import Answer, ReceivedRequest
    from hookrt.testing.fake_clock import FakeClock
    from hookrt.testing.fetching_contract import FetchingSourceContract
    from hookrt.testing.provided import MemoryState
    from hookrt.testing.receiver import Receiver
    from hookrt.testing.recorded import RecordedHttp, RecordedLog
    from hookrt.testing.run_attempts import attempt, call_for, open_action, read_settings, real_http, run_action
    from hookrt.testing.runtime_in_memory import Delivered, RuntimeInMemory
    from hookrt.testing.source_contract import SourceContract

__all__ = [
    "ActionContract",
    "Answer",
    "Delivered",
    "FakeClock",
    "FetchingSourceContract",
    "MemoryState",
    "ReceivedRequest",
    "Receiver",
    "RecordedHttp",
    "RecordedLog",
    "RuntimeInMemory",
    "SourceContract",
    "SystemClock",
    "attempt",
    "call_for",
    "event",
    "inbound",
    "open_action",
    "read_settings",
    "real_http",
    "run_action",
]


def __getattr__(name: str) -> Any:
    """Load a name of the kit on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'hookrt.testing' has no attribute {name!r}")
    from hookrt.testing import kit  # noqa: PLC0415

    return getattr(kit, name)
