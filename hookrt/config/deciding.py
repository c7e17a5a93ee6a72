"""`mode: decide`: a hook that is asked before an application goes on, and what such a hook cannot have."""

from __future__ import annotations

from collections.abc import Iterable

from hookrt.config.fields import Fields
from hookrt.config.nodes import ListNode, MapNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.suggest import did_you_mean, shorten
from hookrt.model.decision import Choice

DECIDING_KEYS = ("mode", "on_error")
"""The keys of a hook that are read here."""

MODES = ("deliver", "decide")
"""What a hook can be: fired by events, or asked for decisions."""

CHOICES: tuple[Choice, ...] = ("deny", "allow")
"""What `on_error` can be; the first is the default, since an answer that is missing is no permission."""

_ONE_ATTEMPT = "a decision makes one attempt, since its caller waits"
_EACH_ASKED = "a decision is answered at once and by itself"
_MEANINGLESS = {
    "retry": _ONE_ATTEMPT,
    "max_retry_after": _ONE_ATTEMPT,
    "expires": "a decision has the deadline of whoever asks, and is never kept for later",
    "order": _EACH_ASKED,
    "dedupe": _EACH_ASKED,
    "debounce": _EACH_ASKED,
    "throttle": _EACH_ASKED,
}
_OF_STEP = ("retry", "max_retry_after")


def read_deciding(hook: Fields) -> Choice | None:
    """What a hook of `mode: decide` says when it cannot answer; None for one that events fire. Problems are logged."""
    mode = _read_word(hook, "mode", MODES)
    answer = _read_word(hook, "on_error", CHOICES)
    if mode != "decide":
        if "on_error" in hook.node.entries and (mode is not None or "mode" not in hook.node.entries):
            key = hook.node.entries["on_error"].key
            hook.log.error(key, "`on_error` is for a hook with `mode: decide` only", "a delivery has `retry`")
        return None
    _refuse_meaningless(hook.node, _MEANINGLESS, hook.log)
    steps = hook.node.get("steps")
    for step in steps.items if isinstance(steps, ListNode) else ():
        if isinstance(step, MapNode):
            _refuse_meaningless(step, _OF_STEP, hook.log)
    return "allow" if answer == "allow" else "deny"


def _refuse_meaningless(node: MapNode, keys: Iterable[str], log: ProblemLog) -> None:
    for name in keys:
        if name in node.entries:
            text = f"`{name}` means nothing with `mode: decide`: {_MEANINGLESS[name]}"
            log.error(node.entries[name].key, text, "remove it")


def _read_word(hook: Fields, key: str, known: Iterable[str]) -> str | None:
    """One of a few words; None where it is absent or another one, which is reported."""
    text = hook.text(key)
    if text is None or text in known:
        return text
    hook.log.error(hook.node.entries[key].value, f"`{key}` cannot be {shorten(text)}", did_you_mean(text, list(known)))
    return None
