"""For which plugin the present task works, and the tasks that it made: a mark in their context."""

from __future__ import annotations

import asyncio
import gc
import sys
from contextvars import Context, ContextVar
from typing import Any

from hookrt.plugin.action import ActionCall
from hookrt.plugin.source import SourceRun

AtWork = ActionCall[Any] | SourceRun[Any]
"""One attempt of an action, or one run of a source."""

AT_WORK: ContextVar[AtWork | None] = ContextVar("hookrt_at_work", default=None)
"""Set while foreign code is awaited; every task that this code makes has a copy."""


def work_of(task: asyncio.Task[Any] | None) -> AtWork | None:
    """For which attempt or source this task was made; None where it is nobody's. From any thread."""
    context = _context_of(task) if task is not None else None
    return context.get(AT_WORK) if context is not None else None


def _context_of(task: asyncio.Task[Any]) -> Context | None:
    if sys.version_info >= (3, 12):
        return task.get_context()
    # Python 3.11 tells nobody, but its garbage collector; a task's own context comes first.
    return next((one for one in gc.get_referents(task) if isinstance(one, Context)), None)
