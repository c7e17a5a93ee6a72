"""The hooks of the simulated world, read from YAML as anybody's are, and which of them an event should fire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hookrt.config.load import Configuration, LoadOptions, load_or_raise
from hookrt.plugin.action import Action
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry

FILE = Path(__file__).with_name("hooks.yaml")

TYPES = ("A.Made", "A.Brief", "A.Other", "C.Else")
"""Types of the events that clients emit."""


@cache
def registry() -> Registry:
    """The installed plugins."""
    return load_plugins()


@cache
def configuration() -> Configuration:
    """Everything in hooks.yaml."""
    return load_or_raise(FILE, LoadOptions(registry=registry()))


@cache
def actions() -> Mapping[str, Action[Any]]:
    """One instance of each action that the hooks use."""
    used = {step.action for hook in configuration().hooks for step in hook.steps}
    return {name: registry().actions[name]() for name in sorted(used)}


def expected_hooks(event_type: str, number: int) -> set[str]:
    """The hooks that such an event fires: said once more, independently of patterns and conditions."""
    expected = {
        "A.Made": {"single", "series", "derive"},
        "A.Brief": {"series", "short-lived", "last-only"},
        "A.Other": {"series", "ordered", "now-and-then"},
        "C.Else": {"passing", "first-only"},
        "B.Derived": {"derived"},
    }.get(event_type, set())
    return expected | {"even"} if number % 2 == 0 else expected
