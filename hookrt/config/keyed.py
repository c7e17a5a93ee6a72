"""What a hook makes of events of one key: `order`, `dedupe`, `debounce`, `throttle`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hookrt.config.context import LoadContext
from hookrt.config.expressions import compile_by
from hookrt.config.fields import Fields, Keys, as_mapping
from hookrt.config.nodes import Entry, Node, TextNode, describe, is_empty
from hookrt.config.suggest import did_you_mean, shorten
from hookrt.model.hook import Debounce, Dedupe, Key, Keyed, Order, Throttle
from hookrt.plugin.settings import MAX_DURATION, format_duration

KEYED_KEYS = ("order", "dedupe", "debounce", "throttle")
"""The keys of a hook that are read here."""

BLOCKED = ("wait", "skip")
"""What `order` makes of the others while the first of a key waits for a retry."""

_ELSEWHERE = {
    "key": "by",
    "on": "by",
    "per": "by",
    "group_by": "by",
    "window": "within",
    "for": "within",
    "ttl": "within",
    "delay": "wait",
    "max_wait": "max",
    "interval": "every",
    "period": "every",
    "on_blocked": "blocked",
}


def read_keyed(hook: Fields, expires: timedelta, context: LoadContext) -> Keyed | None:
    """The rules of a hook that go by a key, None when it has none; problems are in the log."""
    given = [name for name in KEYED_KEYS if name in hook.node.entries]
    if not given:
        return None
    if "debounce" in given and "throttle" in given:
        hint = "the first of a burst is what `throttle` lets pass, the last what `debounce` does"
        hook.log.error(hook.node.entries["throttle"].key, "a hook has `debounce` or `throttle`, not both", hint)
    return Keyed(
        order=_read_order(hook, context),
        dedupe=_read_dedupe(hook, context),
        debounce=_read_debounce(hook, expires, context),
        throttle=_read_throttle(hook, context),
    )


def _read_order(hook: Fields, context: LoadContext) -> Order | None:
    fields = _open(hook, "order", ("by", "blocked"), ("by",))
    if fields is None:
        return None
    key, skip = _read_by(fields, context), _read_blocked(fields)
    return None if key is None else Order(key, skip=skip)


def _read_dedupe(hook: Fields, context: LoadContext) -> Dedupe | None:
    window = _read_window(hook, "dedupe", "within", context)
    return None if window is None else Dedupe(*window)


def _read_throttle(hook: Fields, context: LoadContext) -> Throttle | None:
    window = _read_window(hook, "throttle", "every", context)
    return None if window is None else Throttle(*window)


def _read_window(hook: Fields, rule: str, length: str, context: LoadContext) -> tuple[Key, timedelta] | None:
    """The key of a rule and the duration that it calls `length`."""
    fields = _open(hook, rule, ("by", length), ("by", length))
    if fields is None:
        return None
    key, duration = _read_by(fields, context), fields.positive_duration(length, MAX_DURATION)
    return None if key is None or duration is None else (key, duration)


def _read_debounce(hook: Fields, expires: timedelta, context: LoadContext) -> Debounce | None:
    fields = _open(hook, "debounce", ("by", "wait", "max"), ("by", "wait"))
    if fields is None:
        return None
    key, wait = _read_by(fields, context), fields.positive_duration("wait", MAX_DURATION)
    longest = fields.positive_duration("max", MAX_DURATION)
    if key is None or wait is None:
        return None
    if wait >= expires:
        text = f"`wait` must be shorter than the hook's `expires`, {format_duration(expires)}"
        fields.log.error(fields.node.entries["wait"].value, text, "else nothing would ever be delivered")
    if longest is not None and longest < wait:
        fields.log.error(fields.node.entries["max"].value, f"`max` must be at least `wait`, {format_duration(wait)}")
    return Debounce(key, wait, longest)


def _open(hook: Fields, name: str, known: Sequence[str], needed: Sequence[str]) -> Fields | None:
    """The mapping below one of the keys, its own keys checked; None where it is not there, or none."""
    entry = hook.node.entries.get(name)
    if entry is None:
        return None
    node = _mapping(entry, name, hook)
    if node is None:
        return None
    node.check_keys(Keys(known, _ELSEWHERE))
    for key in needed:
        if key not in node.node.entries:
            hook.log.error(entry.key, f"`{name}` needs `{key}`")
    return node


def _mapping(entry: Entry, name: str, hook: Fields) -> Fields | None:
    node = as_mapping(entry.value, f"`{name}`", hook.log)
    return None if node is None else Fields(node, f"`{name}`", hook.log)


def _read_by(fields: Fields, context: LoadContext) -> Key | None:
    node = fields.get("by")
    if node is None:
        return None
    if isinstance(node, TextNode) and not is_empty(node):
        return compile_by(node, context.names(), context.log)
    _refuse_by(node, context)
    return None


def _refuse_by(node: Node, context: LoadContext) -> None:
    if isinstance(node, TextNode):
        context.log.error(node, "`by` has no value")
    else:
        context.log.error(node, f"`by` must be an expression, this is {describe(node)}")


def _read_blocked(fields: Fields) -> bool:
    """Whether others may pass a delivery that waits for a retry."""
    text = fields.text("blocked")
    if text is not None and text not in BLOCKED:
        node = fields.node.entries["blocked"].value
        fields.log.error(node, f"`blocked` cannot be {shorten(text)}", did_you_mean(text, BLOCKED))
    return text == "skip"
