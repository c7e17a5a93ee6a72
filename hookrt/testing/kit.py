"""Everything that `hookrt.testing` offers, imported at once; `hookrt.testing` comes here on first use."""

from __future__ import annotations

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
