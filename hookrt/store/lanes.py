"""Which lane an open delivery stands in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def first_lane(step_lanes: Mapping[str, str], results: Mapping[str, Any]) -> str | None:
    """The lane of the first step that has no result; None when all have one."""
    return next((lane for step, lane in step_lanes.items() if step not in results), None)
