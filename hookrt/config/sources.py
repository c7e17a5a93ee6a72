"""The `sources:` section: where events come from, each entry offered to the plugin that its key names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hookrt.config.action_settings import expand_short
from hookrt.config.expressions import compile_of_request
from hookrt.config.fields import as_mapping, check_name
from hookrt.config.fixed_values import FixedValues
from hookrt.config.hooks_file import BUILT_IN_SOURCES
from hookrt.config.model_secrets import secrets_in
from hookrt.config.nodes import Entry, MapNode, Node, TextNode, is_empty
from hookrt.config.suggest import among, did_you_mean, shorten, unqualified
from hookrt.config.validation import Target, validate
from hookrt.matching.attribute import CelAttribute
from hookrt.model.hook import Place
from hookrt.plugin.blame import FAULTS, describe_error
from hookrt.plugin.inbound import InboundSource
from hookrt.plugin.registry import Registry
from hookrt.plugin.settings import Settings
from hookrt.plugin.source import Source

RESERVED_NAMES = (*BUILT_IN_SOURCES, "hookrt")
"""Names that no declared source can have, since events from elsewhere carry them."""

OF_REQUEST = ("type", "subject", "id")
"""The settings of every source of webhooks that are expressions over the request."""


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One declared source. `types` are the event types that it publishes, None when it may send any. `expressions` are
    those over a request that came in, by what they give: `type`, `subject`, `id`.
    """

    name: str
    plugin: type[Source[Any]]
    settings: Settings = field(repr=False)
    types: tuple[str, ...] | None = None
    place: Place | None = None
    expressions: Mapping[str, CelAttribute] = field(default_factory=dict)

    @property
    def inbound(self) -> bool:
        """Whether senders reach it by HTTP."""
        return issubclass(self.plugin, InboundSource)

    @property
    def path(self) -> str | None:
        """Where senders reach it, None where it brings events by itself."""
        return f"/in/{self.name}" if self.inbound else None

    def secrets(self) -> Iterator[str]:
        """The secrets among its settings, which are masked wherever they would show."""
        return secrets_in(self.settings)


def read_sources(entries: Mapping[str, Entry], registry: Registry, values: FixedValues) -> Iterator[SourceEntry]:
    """Every source that could be read; problems of the others are in the log."""
    for name, entry in entries.items():
        fit = check_name(entry.key, "source", values.log)
        if name in RESERVED_NAMES:
            values.log.error(entry.key, f"a source cannot be called {name!r}: events from elsewhere carry that name")
        node = as_mapping(entry.value, f"source {shorten(name)}", values.log)
        made = _read_source(entry, node, registry, values) if node is not None else None
        if made is not None and fit:
            yield made


def _read_source(entry: Entry, node: MapNode, registry: Registry, values: FixedValues) -> SourceEntry | None:
    inner = _plugin_entry(entry, node, registry, values)
    if inner is None:
        return None
    plugin, owner = registry.sources[inner.key.text], f"`{inner.key.text}`"
    settings_node = expand_short(inner.value, plugin.short, owner, values.log)
    if settings_node is None:
        return None
    kept = OF_REQUEST if issubclass(plugin, InboundSource) else ()
    tree = values.read(settings_node, kept)
    expressions = {name: _expression(settings_node.get(name), values) for name in kept if name in settings_node.entries}
    settings = validate(plugin.settings, tree, Target(owner, inner.key.span), values.log).model
    if settings is None:
        return None
    found = {name: one for name, one in expressions.items() if one is not None}
    published = _types(plugin, settings, inner, values)
    types = None if "type" in found else published
    return SourceEntry(entry.key.text, plugin, settings, types, entry.key.span.place, found)


def _expression(node: Node | None, values: FixedValues) -> CelAttribute | None:
    if not isinstance(node, TextNode) or is_empty(node):
        return None
    return compile_of_request(node, values.names, values.log)


def _plugin_entry(entry: Entry, node: MapNode, registry: Registry, values: FixedValues) -> Entry | None:
    """The key that names the plugin, with its settings."""
    known = [one for name, one in node.entries.items() if name in registry.sources]
    for name, one in node.entries.items():
        if name not in registry.sources:
            known_names = unqualified(registry.sources, name)
            hint = registry.why_missing(name) or among(name, known_names, registry.absentees())
            values.log.error(one.key, f"there is no source plugin {shorten(name)}", hint)
    if len(known) > 1:
        values.log.error(known[1].key, "a source has one plugin", "make each a source of its own")
    elif not node.entries:
        hint = did_you_mean("", unqualified(registry.sources, ""))
        values.log.error(entry.key, f"source {shorten(entry.key.text)} needs a plugin with its settings", hint)
    return known[0] if len(known) == 1 else None


def _types(plugin: type[Source[Any]], settings: Settings, inner: Entry, values: FixedValues) -> tuple[str, ...] | None:
    try:
        types: Sequence[str] | None = plugin().types(settings)
        return None if types is None else tuple(types)
    except FAULTS as error:
        message = f"the source plugin `{inner.key.text}` failed with {describe_error(error)}"
        values.log.error(inner.key, message)
        return None
