"""The composition root: a runtime for the service and for programs that embed it. It knows no action by name."""

from __future__ import annotations

from hookrt.runtime.blocking import BlockingRuntime
from hookrt.runtime.core import Runtime
from hookrt.runtime.receipt import Receipt

__all__ = ["BlockingRuntime", "Receipt", "Runtime"]
