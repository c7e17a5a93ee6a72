"""The action `python`: run a snippet on an event in a sandboxed worker process, and take its result as the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.plugin import Action, impl


@impl
def hookrt_actions() -> Sequence[type[Action[Any]]]:
    """The action `python`."""
    return [PythonSnippet]
