"""Everything that `hookrt.testing` offers, imported at once; `hookrt.testing` comes here on first use."""

from __future__ import annotations

from hookrt.testing.action_contract import ActionContract
from hookrt.testing.build_event import event
from hookrt.testing.exchange import Answer, ReceivedRequest
from hookrt.testing.fake_clock import FakeClock
from hookrt.testing.receiver import Receiver
from hookrt.testing.recorded import RecordedHttp, RecordedLog
from hookrt.testing.run_attempts import attempt, call_for, open_action, real_http, run_action

__all__ = [
    "ActionContract",
    "Answer",
    "FakeClock",
    "ReceivedRequest",
    "Receiver",
    "RecordedHttp",
    "RecordedLog",
    "attempt",
    "call_for",
    "event",
    "open_action",
    "real_http",
    "run_action",
]
