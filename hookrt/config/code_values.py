"""What a program gives as Python values, as the document that a file with the same words would be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from hookrt.config.document import parse_document
from hookrt.config.nodes import Node
from hookrt.config.problem_log import ProblemLog
from hookrt.errors import UsageError
from hookrt.plugin.settings import format_duration


def node_of(given: Mapping[str, Any], name: str, log: ProblemLog) -> Node | None:
    """The document, which problems call `name`; None, and it is reported, for texts that no file can hold.

    Raises UsageError for what is no text, number, flag, timedelta, path, list or mapping.
    """
    try:
        text = json.dumps(given, ensure_ascii=False, default=_written, allow_nan=False, indent=1)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{name}: {error}") from None
    return parse_document(text.encode("utf-8", "surrogatepass"), name, log)  # JSON is YAML


def _written(value: Any) -> Any:
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} values are not taken: use text, numbers, durations, lists and mappings")
