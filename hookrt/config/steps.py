"""The steps of a hook: each one action with its settings, in order, seeing what those before it gave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hookrt.config.action_settings import ActionSite, ReadSettings, read_action_settings
from hookrt.config.context import LoadContext
from hookrt.config.expressions import compile_when
from hookrt.config.fields import Fields
from hookrt.config.nodes import Entry, ListNode, MapNode, Node, TextNode, describe, is_empty
from hookrt.config.policies import POLICY_KEYS, Policy, read_policy
from hookrt.config.suggest import among, closest, shorten, unqualified
from hookrt.matching.condition import CelCondition
from hookrt.matching.names import Names
from hookrt.model.hook import Step
from hookrt.model.policy import DEFAULT_TIMEOUT

STEP_KEYS = ("id", "when", *POLICY_KEYS, "continue_on_error")
"""What a step takes beside its action."""

MAX_STEPS = 100
"""Most steps of one hook."""

_STEP_ID = re.compile(r"[a-z_][a-z0-9_]{0,63}")
_ELSEWHERE = {"name": "id", "if": "when", "condition": "when", "retries": "retry", "ignore_errors": "continue_on_error"}


@dataclass(frozen=True, slots=True)
class _Draft:
    """A step with its id, its own or the default one; without an action (and reported) it only keeps its place."""

    id: str
    action: TextNode | None
    node: MapNode


@dataclass(frozen=True, slots=True)
class _Read:
    """A step that was read, with what it mentions of earlier ones."""

    step: Step
    mentioned: frozenset[str]


def read_steps(hook: str, entry: Entry, policy: Policy, context: LoadContext) -> tuple[Step, ...]:
    """The steps below a hook's `steps`; those with problems are left out, and reported."""
    drafts = _name_steps(list(_draft_steps(entry, context)), context)
    ids = tuple(draft.id for draft in drafts)
    read = [
        _read_step(draft, hook, context.names(steps=ids[:number], all_steps=ids, with_steps=True), policy, context)
        for number, draft in enumerate(drafts)
    ]
    return tuple(_with_kept_outputs([one for one in read if one]))


def _draft_steps(entry: Entry, context: LoadContext) -> Iterable[tuple[MapNode, TextNode | None]]:
    """Each step with the key of its action."""
    if not isinstance(entry.value, ListNode) or not entry.value.items:
        _report_no_list(entry, context)
        return
    if len(entry.value.items) > MAX_STEPS:
        context.log.error(entry.key, f"a hook has at most {MAX_STEPS} steps, this has {len(entry.value.items)}")
        return
    for item in entry.value.items:
        if isinstance(item, MapNode):
            yield item, _find_action(item, context)
        elif isinstance(item, (TextNode, ListNode)):
            hint = "write `- webhook: https://...`" if isinstance(item, TextNode) else None
            context.log.error(item, f"a step is a mapping with one action in it, this is {describe(item)}", hint)


def _report_no_list(entry: Entry, context: LoadContext) -> None:
    if isinstance(entry.value, MapNode):
        hint = "begin each step with `- `"
        context.log.error(entry.value, "`steps` must be a list, this is a mapping", hint)
    elif isinstance(entry.value, ListNode) or (isinstance(entry.value, TextNode) and is_empty(entry.value)):
        context.log.error(entry.key, "a hook needs at least one step")
    elif isinstance(entry.value, TextNode):
        context.log.error(
            entry.value, "`steps` must be a list, this is text", "write `- webhook: https://...` below it"
        )


def _find_action(node: MapNode, context: LoadContext) -> TextNode | None:
    """The key of the step's action; unknown keys, no action and two actions are reported."""
    actions = context.registry.actions
    found = [entry.key for name, entry in node.entries.items() if name in actions and name not in STEP_KEYS]
    unknown = [entry.key for name, entry in node.entries.items() if name not in actions and name not in STEP_KEYS]
    for key in unknown:
        _report_unknown(key, found, context)
    if len(found) > 1:
        hint = "make each a step of its own, beginning with `- `"
        context.log.error(found[1], f"a step has one action, this has `{found[0].text}` and `{found[1].text}`", hint)
        return None
    if not found and not unknown:
        names = ", ".join(sorted(unqualified(actions, "")))
        context.log.error(node, "this step has no action", f"it can be one of: {names}")
    return found[0] if found else None


def _report_unknown(key: TextNode, found: Sequence[TextNode], context: LoadContext) -> None:
    registry, name = context.registry, key.text
    if not found:
        why = registry.why_missing(name)
        actions = unqualified(registry.actions, name)
        near = _ELSEWHERE.get(name) or closest(name, [*actions, *STEP_KEYS])
        hint = why or (f"did you mean {near!r}?" if near else among(name, actions, registry.absentees()))
        context.log.error(key, f"there is no action {shorten(name)}", hint)
        return
    settings = registry.actions[found[0].text].settings.model_fields
    near = _ELSEWHERE.get(name) or closest(name, STEP_KEYS)
    if name in settings:
        hint = f"it is a setting of `{found[0].text}`: indent it below that key"
    elif near:
        hint = f"did you mean {near!r}?"
    else:
        hint = f"beside its action a step takes {', '.join(STEP_KEYS)}"
    context.log.error(key, f"a step has no key {shorten(name)}", hint)


def _name_steps(found: list[tuple[MapNode, TextNode | None]], context: LoadContext) -> list[_Draft]:
    """Give each step its id: its own, or the action's name with the first number that is free."""
    own = [_own_id(node, context) for node, _ in found]
    taken: dict[str, TextNode] = {}
    for key in own:
        if key is not None and key.text in taken:
            where = f"line {taken[key.text].span.line}"
            context.log.error(key, f"the step id {key.text!r} stands here twice, the first time in {where}")
        elif key is not None:
            taken[key.text] = key
    used, drafts = set(taken), []
    for (node, action), key in zip(found, own, strict=True):
        name = key.text if key is not None else _free_id(action.text if action is not None else "step", used)
        used.add(name)
        drafts.append(_Draft(name, action, node))
    return drafts


def _own_id(node: MapNode, context: LoadContext) -> TextNode | None:
    value = node.get("id")
    if value is None or Fields(node, "the step", context.log).text("id") is None or not isinstance(value, TextNode):
        return None
    if _STEP_ID.fullmatch(value.text):
        return value
    hint = "up to 64 lower case letters, digits and `_`, beginning with a letter or `_`"
    context.log.error(value, f"{shorten(value.text)} is no step id", hint)
    return None


def _free_id(action: str, used: Iterable[str]) -> str:
    name = re.sub(r"[^a-z0-9_]", "_", action.rpartition(":")[2].lower())[:60]
    name = name if _STEP_ID.fullmatch(name) else f"_{name}"
    number, candidate = 1, name
    while candidate in used:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _read_step(draft: _Draft, hook: str, names: Names, policy: Policy, context: LoadContext) -> _Read | None:
    fields = Fields(draft.node, f"step {draft.id!r}", context.log)
    when_node = draft.node.get("when")
    when = read_condition(when_node, names, context) if when_node is not None else None
    decided = read_policy(fields).over(policy)
    continues = fields.flag("continue_on_error", default=False)
    if draft.action is None:
        return None
    site = ActionSite(draft.action, draft.node.entries[draft.action.text].value, replace(names, secrets=True), hook)
    settings = read_action_settings(site, context)
    if settings is None:
        return None
    action = context.registry.actions[draft.action.text]
    step = Step(
        id=draft.id,
        action=draft.action.text,
        settings=settings.settings,
        lane=settings.lane or f"hook:{hook}",
        when=when,
        timeout=decided.timeout or context.timeout_of(draft.action.text) or DEFAULT_TIMEOUT,
        retry=decided.retry_over(action.retry),
        continue_on_error=continues,
        place=draft.action.span.place,
        trusted_origins=settings.trusted_origins,
        rendered=settings.rendered,
        shown=settings.shown,
        written=settings.written,
    )
    return _Read(step, _mentioned(settings, when))


def read_condition(node: Node, names: Names, context: LoadContext) -> CelCondition | None:
    """A compiled `when`; None, and it is reported, when it is none."""
    if isinstance(node, TextNode) and not (node.plain and node.text == ""):
        return compile_when(node, names, context.log)
    if isinstance(node, (ListNode, MapNode)):
        context.log.error(node, f"`when` must be an expression, this is {describe(node)}")
    elif isinstance(node, TextNode):
        context.log.error(node, "`when` has no value")
    return None


def _mentioned(settings: ReadSettings, when: CelCondition | None) -> frozenset[str]:
    return settings.mentions.steps | (when.mentions.steps if when is not None else frozenset())


def _with_kept_outputs(read: Sequence[_Read]) -> Iterable[Step]:
    """Each step, told whether a later one mentions its output."""
    kept: list[Step] = []
    mentioned: set[str] = set()
    for one in reversed(read):
        kept.append(replace(one.step, keeps_output=one.step.id in mentioned))
        mentioned |= one.mentioned
    return reversed(kept)
