"""Values on their way into a statement and out of its result."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from psycopg.types.json import Jsonb

_MOST = 2**63


def bound(value: Any) -> Any:
    """A JSON value as a parameter: mappings and lists are `jsonb`, all else is what it is."""
    return Jsonb(value) if isinstance(value, dict | list) else value


def plain(value: Any) -> Any:
    """A value of a result as a JSON value; what JSON cannot say exactly is text."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -_MOST <= value < _MOST else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
