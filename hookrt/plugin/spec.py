"""Every plugin point of hookrt, in one file.

Each is a plain function that returns objects; it is called once, at start. An implementation is marked with `impl`
and stands at the top of the module that an entry point of the group `hookrt` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pluggy

from hookrt.model.cel_function import CelFunction
from hookrt.plugin.action import Action
from hookrt.plugin.observer import Observer
from hookrt.plugin.protocols import Secrets
from hookrt.plugin.signature import SignatureScheme
from hookrt.plugin.source import Source

ENTRY_POINT_GROUP = "hookrt"
"""The entry point group of plugins."""

spec: pluggy.HookspecMarker = pluggy.HookspecMarker("hookrt")
impl: pluggy.HookimplMarker = pluggy.HookimplMarker("hookrt")
"""Marks a function as the implementation of the plugin point of the same name."""


@spec
def hookrt_actions() -> Sequence[type[Action[Any]]]:  # type: ignore[empty-body]
    """The actions that this plugin brings."""


@spec
def hookrt_sources() -> Sequence[type[Source[Any]]]:  # type: ignore[empty-body]
    """The sources that this plugin brings."""


@spec
def hookrt_secret_providers() -> Sequence[Secrets]:  # type: ignore[empty-body]
    """Providers that are asked for `secrets.NAME` when the environment and the secrets directory have none."""


@spec
def hookrt_observers() -> Sequence[Observer]:  # type: ignore[empty-body]
    """Observers that are told of every recorded attempt."""


@spec
def hookrt_signature_schemes() -> Sequence[type[SignatureScheme[Any]]]:  # type: ignore[empty-body]
    """The signature schemes that this plugin brings: what `scheme:` below `signing:` can name."""


@spec
def hookrt_functions() -> Sequence[CelFunction]:  # type: ignore[empty-body]
    """Functions of expressions that this plugin brings: `when` and `${{ }}` can call them."""
