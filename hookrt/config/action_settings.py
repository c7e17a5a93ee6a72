"""The settings of a step: short forms, templates, validation now and at every event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hookrt.config.context import LoadContext
from hookrt.config.cut_text import warn_if_cut
from hookrt.config.expressions import compile_setting, refuse_expression
from hookrt.config.model_secrets import secrets_in
from hookrt.config.nodes import (
    BrokenNode,
    Entry,
    ListNode,
    MapNode,
    Node,
    Path,
    Style,
    TextNode,
    describe,
    is_empty,
    node_at,
    real_path,
)
from hookrt.config.problem_log import ProblemLog
from hookrt.config.rendering import FixedSettings, TemplatedSettings
from hookrt.config.settings_tree import BROKEN, Leaf, SettingsTree, read_scalar, read_tree
from hookrt.config.source_text import Span
from hookrt.config.text_position import locate
from hookrt.config.validation import Target, validate
from hookrt.matching.html_template import escaping_html, opens_markup
from hookrt.matching.names import Mentions, Names
from hookrt.matching.template import Template, unescape
from hookrt.model.hook import FindLine, StepSettings, WrittenLine
from hookrt.model.origin import written_origin
from hookrt.plugin.action import Action, SettingsProblem
from hookrt.plugin.blame import FAULTS, describe_error
from hookrt.plugin.settings import KnownDestinations, Settings

_READS_STEPS = re.compile(r"\bsteps\b")


@dataclass(frozen=True, slots=True)
class ActionSite:
    """Where an action stands: its key in the step, its settings below it, the names its expressions see, the hook."""

    key: TextNode
    node: Node
    names: Names
    hook: str = ""

    @property
    def owner(self) -> str:
        """What messages call it."""
        return f"`{self.key.text}`"


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What came of the settings of a step. `lane` is the action's own answer, None for the hook's lane; `rendered` are
    the settings that hold an expression, `shown` those that are part of the policy, `written` finds lines of the static
    texts.
    """

    settings: StepSettings
    mentions: Mentions
    lane: str | None
    trusted_origins: tuple[str, ...]
    rendered: frozenset[str]
    shown: Mapping[str, Any]
    written: Mapping[str, FindLine]


def read_action_settings(site: ActionSite, context: LoadContext) -> ReadSettings | None:
    """Compile and validate the settings of one step; None when they are unusable, and it is reported."""
    action = context.registry.actions[site.key.text]
    _check_service_settings(site, action, context)
    node = expand_short(site.node, action.short, site.owner, context.log)
    if node is None:
        return None
    node = context.files.take_in(_with_missing(node, site, action, context), action.text_files, site.key, site.hook)
    tree = read_tree(node, lambda path, text: _read_leaf(path, text, site, action, context.log), context.log)
    mentions = _mentions(tree, site, action, context)
    destinations = context.known_destinations()
    target = Target(site.owner, site.key.span, destinations, tuple(action.text_files))
    checked = validate(action.settings, tree, target, context.log)
    if checked.model is not None:
        _ask_action(site, checked.model, tree, context)
        _hide(checked.model, tree, context)
    if checked.failed or tree.broken:
        return None
    named = sorted(destinations.mentioned)
    noted = destinations.urls
    _check_secrets(destinations.secrets, tree, context)
    return ReadSettings(
        settings=_settings(action, tree, checked.model, destinations),
        mentions=mentions,
        lane=_lane(site, tree, context),
        trusted_origins=_origins(tree, action, [*noted, *(context.destination_urls.get(name) for name in named)]),
        rendered=frozenset(str(path[0]) for path in tree.templates),
        shown={name: value for name, value in tree.value.items() if name in action.shown},
        written=_written(tree, action),
    )


def _check_service_settings(site: ActionSite, action: type[Action[Any]], context: LoadContext) -> None:
    name = site.key.text
    given = name in context.service_actions or name in context.service_written  # what is written and bad is reported
    if action.service_settings is not None and context.complete and not given:
        hint = f"write them below `service:`, `actions:`, `{name}:`"
        context.log.error(site.key, f"the action {site.owner} needs settings of the service", hint)


def expand_short(node: Node, short: str | None, owner: str, log: ProblemLog) -> MapNode | None:
    """The settings as a mapping: `webhook: https://...` means `{url: https://...}`; None, reported, for no settings."""
    if isinstance(node, MapNode):
        return node
    if isinstance(node, TextNode):
        if is_empty(node):
            return MapNode(node.span)
        if short is not None:
            key = TextNode(node.span, short)
            return MapNode(node.span, {short: Entry(key, node)})
        log.error(node, f"{owner} takes a mapping of settings, this is {describe(node)}")
    elif isinstance(node, ListNode):
        log.error(node, f"{owner} takes a mapping of settings, this is a list")
    return None


def _with_missing(node: MapNode, site: ActionSite, action: type[Action[Any]], context: LoadContext) -> MapNode:
    """With something broken, reported, for a text that is needed, and neither there nor in a file."""
    entries = dict(node.entries)
    for file, target in action.text_files.items():
        field = action.settings.model_fields.get(target)
        if field is not None and field.is_required() and not entries.keys() & {file, target}:
            context.log.error(site.key, f"{site.owner} needs `{target}` or `{file}`", f"`{file}` is the path of a file")
            entries[target] = Entry(site.key, BrokenNode(site.key.span))
    return MapNode(node.span, entries)


def _read_leaf(path: Path, node: TextNode, site: ActionSite, action: type[Action[Any]], log: ProblemLog) -> Leaf:
    if node.style is Style.FILE:
        return Leaf(node.text)
    if path[0] in action.static:
        hint = "read it from `event`" if len(path) == 1 else "write it out, a secret by its name alone"
        if refuse_expression(node, f"`{path[0]}`", log, hint):
            return BROKEN
        return _unescaped(read_scalar(node, log))
    if "${{" not in node.text:
        warn_if_cut(node, log)
        return read_scalar(node, log)
    template = compile_setting(node, site.names, log)
    if template is None:
        return BROKEN
    return _html_leaf(node, template, log) if path[0] in action.html else Leaf(template=template)


def _html_leaf(node: TextNode, template: Template, log: ProblemLog) -> Leaf:
    if not opens_markup(template):
        return Leaf(template=escaping_html(template))
    hint = "write out how it begins: `<https://shop.example.com/${{ ... }}`, `<p>${{ ... }}`"
    log.error(node, "a `${{ }}` right after a `<` could be any tag or call: its value is to be text", hint)
    return BROKEN


def _unescaped(leaf: Leaf) -> Leaf:
    return replace(leaf, value=unescape(leaf.value)) if isinstance(leaf.value, str) else leaf


def _mentions(tree: SettingsTree, site: ActionSite, action: type[Action[Any]], context: LoadContext) -> Mentions:
    """What the settings mention; a static text with the word `steps` in it (code, say) may read any of them."""
    found = Mentions()
    for path, template in tree.templates.items():
        found = found.joined(template.mentions)
        for name in sorted(template.mentions.secrets):
            context.secrets.check(name, node_at(tree.node, path).span)
    static = [text for name in action.static for text in texts_in(tree.value.get(name))]
    if any(_READS_STEPS.search(text) for text in static):
        found = found.joined(Mentions(steps=frozenset(site.names.steps)))
    return found


def _check_secrets(names: Iterable[str], tree: SettingsTree, context: LoadContext) -> None:
    """Report the secrets that settings name, and that are not provided, where the name stands."""
    for name in sorted(names):
        context.secrets.check(name, _find_text(tree.node, name) or tree.node.span)


def _hide(model: Settings, tree: SettingsTree, context: LoadContext) -> None:
    """Have the secrets never shown that are written out; the model holds samples in place of expressions."""
    written = set(texts_in(tree.value))
    for secret in secrets_in(model):
        if secret in written:
            context.secrets.lookup.masker.add(secret)


def _find_text(node: Node, text: str) -> Span | None:
    """Where exactly this text stands first."""
    if isinstance(node, TextNode):
        return node.span if node.text == text else None
    values: Iterable[Node] = ()
    if isinstance(node, MapNode):
        values = (entry.value for entry in node.entries.values())
    elif isinstance(node, ListNode):
        values = node.items
    return next((found for value in values if (found := _find_text(value, text)) is not None), None)


def _settings(
    action: type[Action[Any]], tree: SettingsTree, model: Settings | None, known: KnownDestinations | None
) -> StepSettings:
    if not tree.templates and model is not None:
        return FixedSettings(model)
    return TemplatedSettings(action.settings, tree, replace(known, closed=True) if known else None)


def _ask_action(site: ActionSite, model: Any, tree: SettingsTree, context: LoadContext) -> None:
    """Let the action look at its settings; what it says of a value that an expression gives is left out."""
    action = context.action(site.key.text)
    if action is None:
        context.log.error(site.key, f"the action {site.owner} cannot be made: its class fails when it is called")
        return
    try:
        problems = list(action.check_in(model, context.files.folder))
    except FAULTS as error:
        context.log.error(site.key, f"the check of the action {site.owner} failed with {describe_error(error)}")
        return
    for problem in problems:
        if not tree.is_open(real_path(tree.node, problem.path)):
            _report(problem, site, tree, context.log)


def _report(problem: SettingsProblem, site: ActionSite, tree: SettingsTree, log: ProblemLog) -> None:
    path = real_path(tree.node, problem.path)
    node = node_at(tree.node, path)
    message = problem.message
    if isinstance(node, TextNode) and node.style is Style.FILE and site.hook:
        message += f" (in the hook {site.hook!r}, {site.key.span.place})"
    tell = log.warn if problem.warning else log.error
    if problem.line is not None and isinstance(node, TextNode):
        tell(locate(node, problem.line, problem.column or 1), message, problem.hint)
    else:
        tell(node.span if path else site.key.span, message, problem.hint)


def _written(tree: SettingsTree, action: type[Action[Any]]) -> Mapping[str, FindLine]:
    """What finds the lines of the static texts in their files."""
    texts = {name: tree.node.get(name) for name in action.static}
    return {name: partial(_find_line, node) for name, node in texts.items() if isinstance(node, TextNode)}


def _find_line(node: TextNode, line: int) -> WrittenLine:
    lines = node.text.split("\n", line)
    text = lines[line - 1] if line <= len(lines) else ""
    span = locate(node, line, len(text) - len(text.lstrip()) + 1)  # the indentation belongs to YAML as well
    return WrittenLine(span.place, span.line_text)


def _lane(site: ActionSite, tree: SettingsTree, context: LoadContext) -> str | None:
    action = context.action(site.key.text)
    try:
        return action.lane(tree.value) if action is not None else None
    except FAULTS as error:
        context.log.error(site.key, f"the lane of the action {site.owner} failed with {describe_error(error)}")
        return None


def _origins(tree: SettingsTree, action: type[Action[Any]], urls: list[str | None]) -> tuple[str, ...]:
    """The origins that are written out as settings, and those of the destinations that they name.

    Only a setting that is a URL itself counts: one inside a header, a query or a body is sent, not called, and must not
    open its origin to a URL that comes from an event.
    """
    written = [value for name, value in tree.value.items() if name not in action.static and isinstance(value, str)]
    found = [written_origin(text) for text in (*written, *(url for url in urls if url))]
    return tuple(dict.fromkeys(origin for origin in found if origin))


def texts_in(value: Any) -> Iterator[str]:
    """Every text among JSON values; keys are not values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
