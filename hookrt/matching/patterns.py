"""Patterns of event types, under the name by which this room's users know them; see `hookrt.model.patterns`."""

from __future__ import annotations

from hookrt.model.patterns import check_pattern as check_pattern
from hookrt.model.patterns import is_literal as is_literal
from hookrt.model.patterns import matches as matches
