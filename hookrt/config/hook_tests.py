"""The `tests:` of a hook: examples of events, with what answers the steps and what is expected of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hookrt.config.context import LoadContext
from hookrt.config.example_events import read_event
from hookrt.config.example_values import read_choice, read_list, read_text, written_at
from hookrt.config.fields import Fields, Keys, as_mapping
from hookrt.config.nodes import Entry, ListNode, MapNode, Node, TextNode, describe
from hookrt.config.step_examples import read_step_example
from hookrt.config.suggest import closest, did_you_mean, shorten
from hookrt.model.hook import Hook
from hookrt.model.hook_test import Expected, HookTest, StepExample

TEST_KEYS = ("name", "event", "sample", "env", "fires", "hooks", "status", "reason", "steps")
"""The keys of a test."""

STATUSES = ("succeeded", "dead")
"""How a delivery can end in a test."""

MAX_TESTS = 1_000
"""Most tests of one hook."""

_ELSEWHERE = {
    "title": "name",
    "description": "name",
    "given": "event",
    "type": "event",
    "data": "event",
    "when": "event",
    "expect": "steps",
    "then": "steps",
    "should_fire": "fires",
    "environment": "env",
}
_OF_FIRING = ("status", "reason", "steps")


@dataclass(frozen=True, slots=True)
class _Bench:
    """What the tests of one hook are read with."""

    hook: Hook
    names: Collection[str]
    whole: bool
    context: LoadContext


def read_tests(hook: Hook, node: MapNode, names: Collection[str], context: LoadContext) -> Iterator[HookTest]:
    """The tests below a hook's `tests`; problems are reported. `names` are those of all hooks."""
    entry = node.entries.get("tests")
    if entry is None:
        return
    steps = node.get("steps")
    whole = isinstance(steps, ListNode) and len(steps.items) == len(hook.steps)
    bench = _Bench(hook, names, whole, context)
    seen: set[str] = set()
    for number, item in enumerate(_items(entry, context), 1):
        test = _read_test(item, number, bench)
        if test is None:
            continue
        if test.name in seen:
            context.log.error(_name_node(item), f"two tests of the hook {hook.name!r} are named {shorten(test.name)}")
        seen.add(test.name)
        yield test


def _items(entry: Entry, context: LoadContext) -> tuple[Node, ...]:
    if not isinstance(entry.value, ListNode):
        if isinstance(entry.value, (TextNode, MapNode)):
            hint = "begin each test with `- `"
            context.log.error(entry.key, f"`tests` must be a list, this is {describe(entry.value)}", hint)
        return ()
    if len(entry.value.items) > MAX_TESTS:
        context.log.error(entry.key, f"a hook has at most {MAX_TESTS} tests, this has {len(entry.value.items)}")
        return ()
    return entry.value.items


def _read_test(item: Node, number: int, bench: _Bench) -> HookTest | None:
    log = bench.context.log
    node = as_mapping(item, "a test", log)
    if node is None:
        return None
    fields = Fields(node, "a test", log)
    meant = fields.check_keys(Keys(TEST_KEYS, _ELSEWHERE))
    told = "event" in meant or "sample" in meant
    event = read_event(fields, bench.hook, bench.context, told=told)
    hooks = _read_hooks(fields, bench)
    fires = _read_fires(fields, hooks, bench)
    if fires.value is False:
        _refuse_beside(fields)
    steps = _read_steps(fields, bench)
    env = _read_env(fields)
    status, reason = read_choice(fields, "status", STATUSES), read_text(fields, "reason")
    name = fields.text("name") or f"#{number}"
    if event is None:
        return None
    return HookTest(
        bench.hook.name, name, written_at(_name_node(node).span), event, fires, env, hooks, status, reason, steps
    )


def _name_node(node: Node) -> Node:
    """Where a test is shown: its name, where it has one."""
    return (node.get("name") if isinstance(node, MapNode) else None) or node


def _read_fires(fields: Fields, hooks: Expected | None, bench: _Bench) -> Expected:
    """Whether this hook is to fire: as it says, else as the list of hooks says, else it is."""
    listed = None if hooks is None else bench.hook.name in hooks.value
    fires = fields.flag("fires", default=True if listed is None else listed)
    node = fields.get("fires") or fields.get("hooks")
    if node is not None and listed is not None and fires is not listed:
        said = "lists" if listed else "does not list"
        message = f"`fires` is {str(fires).lower()}, and `hooks` {said} {bench.hook.name!r}"
        fields.log.error(node, message)
    return Expected(fires, {(): written_at((node or _name_node(fields.node)).span)})


def _refuse_beside(fields: Fields) -> None:
    for key in _OF_FIRING:
        if key in fields.node.entries:
            at = fields.node.entries[key].key
            fields.log.error(at, f"`{key}` says nothing where the hook does not fire", "leave one of them out")


def _read_hooks(fields: Fields, bench: _Bench) -> Expected | None:
    found = read_list(fields, "hooks")
    if found is None:
        return None
    node, hooks = found
    for index, name in enumerate(hooks.value):
        if name not in bench.names and bench.context.complete:
            hint = did_you_mean(name, bench.names)
            fields.log.error(node.items[index], f"there is no hook {shorten(name)}", hint)
    return hooks


def _read_env(fields: Fields) -> dict[str, str]:
    node = fields.get("env")
    section = as_mapping(node, "`env`", fields.log) if node is not None else None
    found: dict[str, str] = {}
    for name, entry in section.entries.items() if section is not None else ():
        if not isinstance(entry.value, TextNode):
            fields.log.error(entry.value, f"a variable is text, this is {describe(entry.value)}")
        elif name.startswith("HOOKRT_"):
            fields.log.error(entry.key, "expressions see no variable that begins with HOOKRT_")
        else:
            found[name] = entry.value.text
    return found


def _read_steps(fields: Fields, bench: _Bench) -> dict[str, StepExample]:
    node, log = fields.get("steps"), fields.log
    section = as_mapping(node, "`steps` of a test", log) if node is not None else None
    known = {step.id: step for step in bench.hook.steps}
    found: dict[str, StepExample] = {}
    for name, entry in section.entries.items() if section is not None else ():
        if name not in known and bench.whole:
            hint = _hint_of_step(name, bench)
            log.error(entry.key, f"the hook {bench.hook.name!r} has no step {shorten(name)}", hint)
            continue
        example = read_step_example(entry, log)
        if example is not None:
            found[name] = example
    return found


def _hint_of_step(name: str, bench: _Bench) -> str | None:
    """The closest step, also by the name of its action, which a step with an id does not go by."""
    by_action = {step.action: step.id for step in bench.hook.steps}
    meant = closest(name, by_action)
    return did_you_mean(name, [step.id for step in bench.hook.steps], {name: by_action[meant]} if meant else None)
