"""What the reading of hooks needs to know of everything else: plugins, secrets, destinations, sources."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hookrt.config.problem_log import ProblemLog
from hookrt.config.secret_check import SecretCheck
from hookrt.config.suggest import closest
from hookrt.config.text_files import TextFiles
from hookrt.plugin.action import Action
from hookrt.plugin.registry import Registry
from hookrt.plugin.settings import KnownDestinations

_NEAR_MISS = 0.85


@dataclass(slots=True)
class LoadContext:
    """The surroundings of the hooks of one load.

    `destination_urls` has an entry for every declared destination, `source_types` for every declared source with
    the types that it publishes (None: any). `service_actions` are the actions that have service settings,
    `fingerprints` those of the hooks by name, `files` the text files that settings name. With `complete` false a file
    could not be read, so that a name that seems to be unknown may be declared there.
    """

    log: ProblemLog
    registry: Registry
    secrets: SecretCheck
    files: TextFiles
    destination_urls: Mapping[str, str | None] = field(default_factory=dict)
    source_types: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    service_actions: Collection[str] = ()
    fingerprints: dict[str, bytes] = field(default_factory=dict)
    complete: bool = True
    _actions: dict[str, Action[Any] | None] = field(default_factory=dict)
    _near: dict[str, str | None] = field(default_factory=dict)

    def known_destinations(self) -> KnownDestinations | None:
        """The context of validation that checks names of destinations; None when not all of them are known."""
        return KnownDestinations(self.destination_urls.keys()) if self.complete else None

    def sent_instead(self, event_type: str) -> str | None:
        """The published type that this one is nearly, None when it is published itself or is like none."""
        if event_type not in self._near:
            sent = {one for types in self.source_types.values() for one in types or ()}
            self._near[event_type] = None if event_type in sent else closest(event_type, sent, _NEAR_MISS)
        return self._near[event_type]

    def action(self, name: str) -> Action[Any] | None:
        """An instance to ask for checks and lanes; None when the plugin's class cannot be instantiated."""
        if name not in self._actions:
            try:
                self._actions[name] = self.registry.actions[name]()
            except Exception:
                self._actions[name] = None
        return self._actions[name]
