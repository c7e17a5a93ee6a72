"""Reading the service's settings from their three places, the secrets' own settings first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hookrt.config.configuration import LoadOptions
from hookrt.config.environment import check_variables, merge, read_variables, settings_node
from hookrt.config.fields import as_mapping
from hookrt.config.fixed_values import FixedValues
from hookrt.config.nodes import Entry, MapNode
from hookrt.config.plugin_rules import check_plugin_rules
from hookrt.config.problem_log import ProblemLog
from hookrt.config.service import SecretSettings, ServiceSettings
from hookrt.config.service_values import check_service_values
from hookrt.config.settings_tree import SettingsTree, without
from hookrt.config.source_text import Span
from hookrt.config.suggest import did_you_mean, shorten, unqualified
from hookrt.config.validation import Target, validate
from hookrt.plugin.registry import Registry
from hookrt.plugin.settings import Settings

_APART = ("secrets", "actions")


@dataclass(frozen=True, slots=True)
class ServiceSection:
    """The settings of the service, merged but not yet read: variables over the file, given ones over both."""

    node: MapNode
    at: Span
    env: Mapping[str, str]
    registry: Registry
    log: ProblemLog

    def secret_settings(self) -> SecretSettings:
        """Where secrets come from; the defaults when that cannot be read, which is reported."""
        values = FixedValues(self.log, self.env, None)
        settings = self._validated(self.node.entries, "secrets", SecretSettings, values)
        found = settings if isinstance(settings, SecretSettings) else SecretSettings()
        check_variables(self.env, self.registry, found.prefix, self.log)
        return found

    def settings(self, secrets: SecretSettings, values: FixedValues) -> ServiceSettings:
        """All settings; the defaults in place of what cannot be read, which is reported.

        A setting whose secret is missing is left at its default.
        """
        rest = {key: entry for key, entry in self.node.entries.items() if key not in _APART}
        tree = values.read(MapNode(self.node.span, rest))
        target = Target("`service`", self.at)
        made = validate(ServiceSettings, tree, target, self.log)
        settings = made.model
        if settings is None and not made.failed:
            settings = validate(ServiceSettings, _without_broken(tree), target, self.log).model
        settings = settings or ServiceSettings()
        check_service_values(settings, self.node, self.log)
        check_plugin_rules(self.node, self.registry, self.log)
        return settings.model_copy(update={"secrets": secrets, "actions": self._actions(values)})

    def written_actions(self) -> frozenset[str]:
        """The actions for which something is written, whether it can be used or not."""
        node = self.node.get("actions")
        return frozenset(node.entries) if isinstance(node, MapNode) else frozenset()

    def _actions(self, values: FixedValues) -> dict[str, Settings]:
        """The service settings of every action that declares some; one that needs settings and has none is left out."""
        node = self.node.get("actions")
        section = as_mapping(node, "`actions`", self.log) if node is not None else None
        entries = section.entries if section is not None else {}
        models = {
            name: action.service_settings
            for name, action in self.registry.actions.items()
            if action.service_settings is not None
        }
        for name, entry in entries.items():
            if name not in models:
                self._report_action(name, entry, models)
        found: dict[str, Settings] = {}
        for name, model in models.items():
            made = self._validated(entries, name, model, values) if name in entries else _defaults(model)
            if made is not None:
                found[name] = made
        return found

    def _report_action(self, name: str, entry: Entry, models: Mapping[str, Any]) -> None:
        if name in self.registry.actions:
            self.log.error(entry.key, f"the action {shorten(name)} has no service settings")
        else:
            hint = self.registry.why_missing(name) or did_you_mean(name, unqualified(models, name))
            self.log.error(entry.key, f"there is no action {shorten(name)}", hint)

    def _validated(
        self, entries: Mapping[str, Entry], key: str, model: type[Settings], values: FixedValues
    ) -> Settings | None:
        """The settings below a key by their model; absent ones are empty ones."""
        entry = entries.get(key)
        node = as_mapping(entry.value, f"`{key}`", self.log) if entry else MapNode(self.at)
        if node is None:
            return None
        at = entry.key.span if entry else self.at
        return validate(model, values.read(node), Target(f"`{key}`", at), self.log).model


def merge_service(entry: Entry | None, options: LoadOptions, log: ProblemLog) -> ServiceSection:
    """The `service:` section with `HOOKRT_*` variables and then what is given directly laid over it."""
    nowhere = Span.whole("service")
    node = as_mapping(entry.value, "`service`", log) if entry else None
    merged = merge(node or MapNode(nowhere), read_variables(options.env, options.registry, log))
    merged = merge(merged, settings_node(options.service))
    return ServiceSection(merged, entry.key.span if entry else nowhere, options.env, options.registry, log)


def directory_of(settings: SecretSettings, base_dir: Path) -> Path | None:
    """The directory of secrets, a relative one seen from the folder of hooks.yaml."""
    return base_dir / settings.directory if settings.directory else None


def _defaults(model: type[Settings]) -> Settings | None:
    try:
        return model.model_validate_json("{}")
    except ValidationError:
        return None


def _without_broken(tree: SettingsTree) -> SettingsTree:
    unknown = frozenset(path[:1] for path in tree.broken)
    return SettingsTree(tree.node, without(tree.value, unknown), {}, frozenset())
