"""What the reading of hooks needs to know of everything else: plugins, secrets, destinations, sources."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hookrt.config.expressions import names_for
from hookrt.config.problem_log import ProblemLog
from hookrt.config.secret_check import SecretCheck
from hookrt.config.text_files import TextFiles
from hookrt.matching.names import Names
from hookrt.model.hook_test import HookTest
from hookrt.plugin.action import Action
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.registry import Registry
from hookrt.plugin.settings import KnownDestinations, Settings


@dataclass(slots=True)
class LoadContext:
    """The surroundings of the hooks of one load.

    `destination_urls` has an entry for every declared destination, `source_types` for every declared source with
    the types that it publishes (None: any). `service_actions` are the service settings of actions that declare some,
    `service_written` the actions for which some are written, good or bad,
    `signed` the headers that the signatures of destinations make, in lower case, by the destination's name,
    `fingerprints` those of the hooks by name, `files` the text files that settings name. With `complete` false a file
    could not be read, so that a name that seems to be unknown may be declared there. `tests` are those of
    the hooks read so far.
    """

    log: ProblemLog
    registry: Registry
    secrets: SecretCheck
    files: TextFiles
    destination_urls: Mapping[str, str | None] = field(default_factory=dict)
    source_types: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    service_actions: Mapping[str, Settings] = field(default_factory=dict)
    service_written: Collection[str] = ()
    signed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fingerprints: dict[str, bytes] = field(default_factory=dict)
    complete: bool = True
    tests: list[HookTest] = field(default_factory=list)
    _names: Names | None = None
    _actions: dict[str, Action[Any] | None] = field(default_factory=dict)
    _near: dict[str, str | None] = field(default_factory=dict)
    _sent: dict[str | None, frozenset[str]] = field(default_factory=dict)

    def names(self, **given: Any) -> Names:
        """The names that an expression sees, with the functions that plugins brought."""
        if self._names is None:
            self._names = names_for(self.registry)
        return replace(self._names, **given)

    def known_destinations(self) -> KnownDestinations:
        """The context of validation, which checks names of destinations when all of them are known."""
        names = self.destination_urls.keys() if self.complete else None
        return KnownDestinations(names, schemes=self.registry.schemes, signed=self.signed)

    def near(self, event_type: str, nearest: Callable[[str, Collection[str]], str | None]) -> str | None:
        """The published type that this one is nearly, as `nearest` finds it; looked for once for each type."""
        if event_type not in self._near:
            self._near[event_type] = nearest(event_type, self.sent_by(None))
        return self._near[event_type]

    def sent_by(self, source: str | None) -> frozenset[str]:
        """The types that a declared source publishes, or all of them together."""
        if source not in self._sent:
            several = self.source_types.values() if source is None else (self.source_types.get(source),)
            self._sent[source] = frozenset(one for types in several for one in types or ())
        return self._sent[source]

    def timeout_of(self, name: str) -> timedelta | None:
        """The timeout that an action gives to steps without one; a plugin that fails here has its default."""
        found = self.registry.actions[name]
        try:
            timeout = found.timeout_of_steps(self.service_actions.get(name))
        except FAULTS:
            return found.default_timeout
        return timeout if isinstance(timeout, timedelta) and timeout > timedelta(0) else found.default_timeout

    def action(self, name: str) -> Action[Any] | None:
        """An instance to ask for checks and lanes; None when the plugin's class cannot be instantiated."""
        if name not in self._actions:
            try:
                self._actions[name] = self.registry.actions[name]()
            except FAULTS:
                self._actions[name] = None
        return self._actions[name]
