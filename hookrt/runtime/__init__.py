"""The composition root: a runtime for the service and for programs that embed it. It knows no action by name."""

from __future__ import annotations

from hookrt.model.decision import Decision
from hookrt.runtime.blocking import BlockingRuntime
from hookrt.runtime.core import Runtime
from hookrt.runtime.functions import HookKeys
from hookrt.runtime.receipt import Receipt
from hookrt.runtime.reload_report import ReloadReport

__all__ = ["BlockingRuntime", "Decision", "HookKeys", "Receipt", "ReloadReport", "Runtime"]
