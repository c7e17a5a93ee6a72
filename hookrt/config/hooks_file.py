"""The `hooks:` section: names, event types, conditions, policies; the steps are read in `steps`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hookrt.config.context import LoadContext
from hookrt.config.deciding import DECIDING_KEYS, read_deciding
from hookrt.config.fields import Fields, Keys, as_mapping, as_text, check_name
from hookrt.config.fingerprint import with_texts
from hookrt.config.heard import warn_of_missed, warn_of_unsent
from hookrt.config.hook_tests import read_tests
from hookrt.config.keyed import KEYED_KEYS, read_keyed
from hookrt.config.nodes import Entry, ListNode, MapNode, Node, TextNode, describe
from hookrt.config.policies import HOOK_POLICY_KEYS, Policy, read_policy
from hookrt.config.steps import read_condition, read_steps
from hookrt.config.suggest import did_you_mean, shorten
from hookrt.config.text_position import locate
from hookrt.errors import ExpressionError
from hookrt.matching.patterns import check_pattern
from hookrt.model.hook import Hook
from hookrt.model.own_events import OWN_SOURCE
from hookrt.model.policy import DEFAULT_EXPIRES, NO_RETRY

HOOK_KEYS = (
    *("on", "from", "when", "steps", "enabled", "description", "tests"),
    *HOOK_POLICY_KEYS,
    *KEYED_KEYS,
    *DECIDING_KEYS,
)
"""The keys of a hook."""

BUILT_IN_SOURCES = ("http", "app", OWN_SOURCE)
"""Sources of events that need no declaration: the HTTP interface, the embedding program, and hookrt itself."""

MAX_PATTERNS = 1_000
"""Most event types and patterns of one hook."""

_ELSEWHERE = {
    "event": "on",
    "events": "on",
    "type": "on",
    "types": "on",
    "trigger": "on",
    "triggers": "on",
    "source": "from",
    "if": "when",
    "condition": "when",
    "actions": "steps",
    "do": "steps",
    "jobs": "steps",
    "retries": "retry",
    "ttl": "expires",
}


def read_hooks(entries: Mapping[str, Entry], defaults: Policy, context: LoadContext) -> Iterator[Hook]:
    """Every hook that could be read whole, in order; problems of the others are in the log."""
    for name, entry in entries.items():
        fit = check_name(entry.key, "hook", context.log)
        node = as_mapping(entry.value, f"hook {shorten(name)}", context.log)
        if node is None:
            continue
        hook = _read_hook(entry.key, node, defaults, context)
        if hook is not None:
            context.tests.extend(read_tests(hook, node, entries, context))
        if hook is not None and fit:
            yield hook


def _read_hook(key: TextNode, node: MapNode, defaults: Policy, context: LoadContext) -> Hook | None:
    fields = Fields(node, f"hook {key.text!r}", context.log)
    _check_keys(key, fields, context)
    source = _read_source(fields, context)
    on_error = read_deciding(fields)
    types = _read_patterns(node.get("on"), context)
    if on_error is None:  # what is decided about, no source sends
        _warn_of_unheard(types, source, context)
    when = node.get("when")
    condition = None if when is None else read_condition(when, context.names(), context)
    policy = read_policy(fields).over(defaults)
    description = fields.text("description") or ""
    enabled = fields.flag("enabled", default=True)
    keyed = read_keyed(fields, policy.expires or DEFAULT_EXPIRES, context)
    if on_error is not None:
        policy = replace(policy, retry=NO_RETRY)
    steps = read_steps(key.text, node.entries["steps"], policy, context) if "steps" in node.entries else ()
    definition = _definition(key.text, context)
    if not types or not steps:
        return None
    return Hook(
        name=key.text,
        patterns=tuple(dict.fromkeys(pattern.text for pattern in types)),
        steps=steps,
        source=source,
        when=condition,
        enabled=enabled,
        description=description.strip(),
        expires=policy.expires or DEFAULT_EXPIRES,
        place=key.span.place,
        keyed=keyed,
        on_error=on_error,
        definition=definition,
    )


def _check_keys(key: TextNode, fields: Fields, context: LoadContext) -> None:
    actions = fields.node.entries.keys() & context.registry.actions.keys()
    steps = {name: f"`{name}` is an action: write `- {name}: ...` below `steps`" for name in actions}
    meant = fields.check_keys(Keys(HOOK_KEYS, _ELSEWHERE, steps))
    meant |= {"steps"} if actions else frozenset()
    for needed in ("on", "steps"):
        if needed not in fields.node.entries and needed not in meant:
            context.log.error(key, f"hook {shorten(key.text)} needs `{needed}`")


def _definition(hook: str, context: LoadContext) -> str:
    """The hook's fingerprint, with the texts of the files that it names."""
    if texts := context.files.texts.get(hook):
        context.fingerprints[hook] = with_texts(context.fingerprints.get(hook, b""), texts)
    return context.fingerprints.get(hook, b"").hex()


def _read_source(fields: Fields, context: LoadContext) -> str | None:
    name = fields.text("from")
    known = (*context.source_types, *BUILT_IN_SOURCES)
    if name is None or name in known or not context.complete:
        return name
    hint = did_you_mean(name, known)
    context.log.error(fields.node.entries["from"].value, f"there is no source {shorten(name)}", hint)
    return name


def _read_patterns(node: Node | None, context: LoadContext) -> list[TextNode]:
    """The event types and patterns of an `on`."""
    items: tuple[Node, ...] = ()
    if isinstance(node, TextNode):
        items = (node,)
    elif isinstance(node, ListNode):
        items = node.items
        if not items or len(items) > MAX_PATTERNS:
            context.log.error(node, f"`on` takes 1 to {MAX_PATTERNS} event types, this list has {len(items)}")
            return []
    elif isinstance(node, MapNode):
        context.log.error(node, f"`on` must be an event type or a list of them, this is {describe(node)}")
    return [pattern for item in items if (pattern := _read_pattern(item, context))]


def _warn_of_unheard(types: list[TextNode], source: str | None, context: LoadContext) -> None:
    for node in types:
        warn_of_unsent(node, source, context)
    warn_of_missed(types, source, context)


def _read_pattern(node: Node, context: LoadContext) -> TextNode | None:
    text = as_text(node, "an event type", context.log)
    if text is None or not isinstance(node, TextNode):
        return None
    try:
        check_pattern(text)
    except ExpressionError as error:
        span = locate(node, error.line, error.column or 1) if error.line is not None else node.span
        context.log.error(span, error.message)
        return None
    return node
