"""Which hooks an event fires: an index over types and patterns, then source and condition of the few that remain."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from hookrt.errors import ExpressionError, UsageError
from hookrt.matching.explain import summarize
from hookrt.matching.patterns import check_pattern, is_literal, matches
from hookrt.model.event import Event
from hookrt.model.hook import Condition, Finding, Hook, Key, Keyed, Scope
from hookrt.model.own_events import is_own


@dataclass(frozen=True, slots=True)
class Match:
    """The hooks that fire for an event, in definition order, and those whose condition has no answer, with why."""

    hooks: tuple[Hook, ...] = ()
    unanswerable: tuple[tuple[str, str], ...] = ()

    def only(self, name: str) -> Match:
        """The same as if there were no hook but the one of this name."""
        hooks = tuple(hook for hook in self.hooks if hook.name == name)
        return Match(hooks, tuple(found for found in self.unanswerable if found[0] == name))


@dataclass(frozen=True, slots=True)
class HookExplanation:
    """Whether one hook fires for an event, and if not why.

    `reason` is `fires`, `disabled`, `type`, `source`, `condition`, `unanswerable`, or `decide` where only a decision
    would ask the hook; `detail` says it in one line (empty when it fires); `findings` are the parts of its condition,
    where that was reached. `keys` are the keys of the event, where it fires and the hook goes by keys: the rule with
    its expression, and the key or why there is none.
    """

    hook: str
    fires: bool
    reason: str
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    keys: tuple[Finding, ...] = ()


@dataclass(slots=True, order=True)
class _Entry:
    """A hook in the index. `order` is its provider's place and its own place within that; it never changes."""

    order: tuple[int, int]
    hook: Hook = field(compare=False)


@dataclass(slots=True)
class _Branch:
    """One segment in the index of patterns: what ends here, what goes deeper (`**`), what comes below."""

    here: list[_Entry] = field(default_factory=list)
    deeper: list[_Entry] = field(default_factory=list)
    below: dict[str, _Branch] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.here or self.deeper or self.below)


_NOTHING = Match()


class Router:
    """All hooks, indexed by event type. A change costs what changed, a match what may match.

    Definition order is the order of providers, as they first appeared, and within each the order given. A hook that
    is put again keeps its place.
    """

    def __init__(self, hooks: Iterable[Hook] = ()) -> None:
        self._entries: dict[str, _Entry] = {}
        self._hooks: dict[str, Hook] = {}
        self._origins: dict[str, int] = {}
        self._next_place = 0
        self._literal: dict[str, list[_Entry]] = {}
        self._patterns = _Branch()
        self._deciding: list[_Entry] = []
        for hook in hooks:
            self.put(hook)

    @property
    def hooks(self) -> Mapping[str, Hook]:
        """All hooks by name, as they are now; `in_order` has them in definition order."""
        return MappingProxyType(self._hooks)

    def get(self, name: str) -> Hook | None:
        """The hook of this name."""
        return self._hooks.get(name)

    def in_order(self) -> list[Hook]:
        """All hooks in definition order."""
        return [entry.hook for entry in sorted(self._entries.values())]

    def put(self, hook: Hook) -> None:
        """Add a hook, or put another one in the place of its namesake.

        Raises ExpressionError for a pattern that is none, UsageError when another provider has the name.
        """
        self._check(hook, hook.origin)
        known = self._entries.get(hook.name)
        self._put(hook, known.order if known else self._place(hook.origin))

    def remove(self, name: str) -> None:
        """Forget a hook; nothing happens when there is none of this name."""
        entry = self._entries.pop(name, None)
        if entry is not None:
            del self._hooks[name]
            self._unindex(entry)

    def replace(self, origin: str, hooks: Iterable[Hook]) -> None:
        """Make these all the hooks of one provider; only what matches other events than before is indexed anew.

        Raises as `put` does, and then nothing has changed.
        """
        wanted = list(hooks)
        names = {hook.name for hook in wanted}
        if len(names) < len(wanted):
            raise UsageError(f"two hooks of '{origin}' have the same name")
        for hook in wanted:
            self._check(hook, origin)
        for name in [name for name, hook in self._hooks.items() if hook.origin == origin and name not in names]:
            self.remove(name)
        last = (-1, -1)
        for hook in wanted:
            last = self._put_behind(hook, last)

    def prepare(self, origin: str, hooks: Iterable[Hook]) -> Router:
        """What `adopt` takes in place of `replace`: the work of it, done beforehand, in another thread if need be.

        Raises as `replace` does for hooks that cannot be.
        """
        prepared = Router()
        prepared._origins = dict(self._origins)
        prepared._next_place = self._next_place
        prepared.replace(origin, hooks)
        return prepared

    def adopt(self, origin: str, prepared: Router) -> Router:
        """Make the prepared hooks all the hooks of one provider, in no time; those of others stay.

        Raises UsageError when another provider has a name of theirs, and then nothing has changed here. Returns what
        was before, to be dissolved.
        """
        for entry in sorted(entry for entry in self._entries.values() if entry.hook.origin != origin):
            prepared.put(entry.hook)
        before = Router()
        vars(before).update(vars(self))
        vars(self).update(vars(prepared))
        return before

    def dissolve(self) -> None:
        """Forget everything, bit by bit: freeing many hooks at once would hold up all other threads."""
        self._patterns.deeper.clear()
        self._deciding.clear()
        for table in (self._literal, self._patterns.below, self._entries, self._hooks):
            while table:
                table.popitem()

    def match(self, event: Event, env: Mapping[str, str]) -> Match:
        """The hooks that fire for this event; each condition is evaluated once."""
        entries = self._candidates(event.type)
        if not entries:
            return _NOTHING
        fired: list[Hook] = []
        unanswerable: list[tuple[str, str]] = []
        for entry in entries:
            hook = entry.hook
            if hook.source is not None and hook.source != event.source:
                continue
            if hook.when is None:
                fired.append(hook)
                continue
            try:
                if hook.when.holds(Scope(event, hook.name, env)):
                    fired.append(hook)
            except ExpressionError as error:
                unanswerable.append((hook.name, error.message))
        return Match(tuple(fired), tuple(unanswerable)) if fired or unanswerable else _NOTHING

    def deciding(self, event: Event) -> list[Hook]:
        """The hooks of `mode: decide` for this event, in definition order; their conditions are not looked at."""
        found = [entry.hook for entry in self._deciding]
        return [hook for hook in found if hook.source in (None, event.source) and _is_wanted(hook, event)]

    def listens_to(self, event_type: str) -> bool:
        """Whether an event of this type could fire any hook, source and conditions aside."""
        return bool(self._candidates(event_type))

    def explain(self, event: Event, env: Mapping[str, str]) -> list[HookExplanation]:
        """For every hook, in definition order, whether it fires for this event and if not why."""
        return [_explain(hook, event, env) for hook in self.in_order()]

    def _candidates(self, event_type: str) -> list[_Entry]:
        """The enabled hooks whose type or pattern matches, each once, in definition order."""
        literal = self._literal.get(event_type)
        if not self._patterns.below and not self._patterns.deeper:
            return literal or []
        found = [literal] if literal else []
        found += self._matching_patterns(event_type)
        if len(found) < 2:
            return found[0] if found else []
        return sorted({entry.order: entry for entries in found for entry in entries}.values())

    def _matching_patterns(self, event_type: str) -> Iterator[list[_Entry]]:
        branches = [self._patterns]
        wild = not is_own(event_type)  # only a literal `hookrt` begins what matches `hookrt.…`
        for segment in event_type.split("."):
            following: list[_Branch] = []
            for branch in branches:
                if wild and branch.deeper:
                    yield branch.deeper
                if below := branch.below.get(segment):
                    following.append(below)
                if wild and (below := branch.below.get("*")):
                    following.append(below)
            if not following:
                return
            branches, wild = following, True
        for branch in branches:
            if branch.here:
                yield branch.here

    def _check(self, hook: Hook, origin: str) -> None:
        if hook.origin != origin:
            raise UsageError(f"the hook '{hook.name}' belongs to '{hook.origin}', not to '{origin}'")
        known = self._hooks.get(hook.name)
        if known is not None and known.origin != origin:
            raise UsageError(f"the hook '{hook.name}' is defined twice: by '{known.origin}' and by '{origin}'")
        for pattern in hook.patterns:
            check_pattern(pattern)

    def _place(self, origin: str) -> tuple[int, int]:
        self._next_place += 1
        return self._origins.setdefault(origin, len(self._origins)), self._next_place

    def _put_behind(self, hook: Hook, last: tuple[int, int]) -> tuple[int, int]:
        """Put a hook of a whole set; it keeps its place when that is behind the one before it."""
        known = self._entries.get(hook.name)
        order = known.order if known and known.order > last else self._place(hook.origin)
        self._put(hook, order)
        return order

    def _put(self, hook: Hook, order: tuple[int, int]) -> None:
        known = self._entries.get(hook.name)
        if known and known.order == order and _indexed_alike(known.hook, hook):
            known.hook = self._hooks[hook.name] = hook
            return
        self.remove(hook.name)
        entry = _Entry(order, hook)
        self._entries[hook.name] = entry
        self._hooks[hook.name] = hook
        if hook.enabled and hook.decides:
            insort(self._deciding, entry)
        elif hook.enabled:
            for pattern in dict.fromkeys(hook.patterns):
                insort(self._bucket(pattern), entry)

    def _bucket(self, pattern: str) -> list[_Entry]:
        if is_literal(pattern):
            return self._literal.setdefault(pattern, [])
        branch = self._patterns
        segments = pattern.split(".")
        for segment in segments[:-1]:
            branch = branch.below.setdefault(segment, _Branch())
        if segments[-1] == "**":
            return branch.deeper
        return branch.below.setdefault(segments[-1], _Branch()).here

    def _unindex(self, entry: _Entry) -> None:
        if entry.hook.enabled and entry.hook.decides:
            del self._deciding[bisect_left(self._deciding, entry)]
            return
        for pattern in dict.fromkeys(entry.hook.patterns) if entry.hook.enabled else ():
            bucket = self._bucket(pattern)
            del bucket[bisect_left(bucket, entry)]
            if not bucket and is_literal(pattern):
                del self._literal[pattern]
            elif not bucket:
                self._prune(pattern.split("."))

    def _prune(self, segments: list[str]) -> None:
        """Drop the branches of a pattern that lead nowhere any more."""
        line = [self._patterns]
        for segment in segments:
            if segment != "**":
                line.append(line[-1].below[segment])
        for above, segment in reversed(list(zip(line, segments, strict=False))):
            if segment != "**" and above.below[segment].empty:
                del above.below[segment]


def _indexed_alike(one: Hook, other: Hook) -> bool:
    return one.patterns == other.patterns and one.enabled == other.enabled and one.decides == other.decides


def _explain(hook: Hook, event: Event, env: Mapping[str, str]) -> HookExplanation:
    if not hook.enabled:
        return HookExplanation(hook.name, fires=False, reason="disabled", detail="enabled is false")
    if not _is_wanted(hook, event):
        return HookExplanation(hook.name, fires=False, reason="type", detail=_type_detail(hook, event))
    if hook.source is not None and hook.source != event.source:
        detail = f"it takes events from '{hook.source}' only, this one is from '{event.source}'"
        return HookExplanation(hook.name, fires=False, reason="source", detail=detail)
    scope = Scope(event, hook.name, env)
    fires = HookExplanation(hook.name, fires=True, reason="fires")
    found = fires if hook.when is None else _explain_condition(hook.when, scope)
    if hook.on_error is not None:
        return _explain_deciding(found, hook.on_error)
    return found if hook.keyed is None or not found.fires else replace(found, keys=_explain_keys(hook.keyed, scope))


def _explain_deciding(found: HookExplanation, on_error: str) -> HookExplanation:
    """What a decision about the event would make of it: no event fires a hook of `mode: decide`."""
    if found.fires:
        return replace(found, fires=False, reason="decide", detail="mode: decide: decisions ask it, no event fires it")
    if found.reason == "unanswerable":
        return replace(found, detail=f"{found.detail}; in a decision its on_error answers: {on_error}")
    return found


def _is_wanted(hook: Hook, event: Event) -> bool:
    return any(matches(pattern, event.type) for pattern in hook.patterns)


def _explain_keys(keyed: Keyed, scope: Scope) -> tuple[Finding, ...]:
    return tuple(_explain_key(f"{rule} by {key.text.strip()}", key, scope) for rule, key in keyed.rules())


def _explain_key(expression: str, key: Key, scope: Scope) -> Finding:
    try:
        return Finding(expression, key.of(scope))
    except ExpressionError as error:
        return Finding(expression, "no key", f"{error.message}, so that this does not apply")


def _type_detail(hook: Hook, event: Event) -> str:
    near = any(matches(pattern.lower(), event.type.lower()) for pattern in hook.patterns)
    listed = ", ".join(hook.patterns[:5]) + (", ..." if len(hook.patterns) > 5 else "")
    return f"{listed} does not match {event.type}" + (" (types are case-sensitive)" if near else "")


def _explain_condition(condition: Condition, scope: Scope) -> HookExplanation:
    findings = tuple(condition.explain(scope))
    try:
        if condition.holds(scope):
            return HookExplanation(scope.hook, fires=True, reason="fires", findings=findings)
    except ExpressionError as error:
        return HookExplanation(scope.hook, fires=False, reason="unanswerable", detail=error.message, findings=findings)
    detail = summarize(findings) or f"{condition.text.strip()} is false"
    return HookExplanation(scope.hook, fires=False, reason="condition", detail=detail, findings=findings)
