"""Which hooks an event fires: the index, definition order, source, enabled, conditions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookrt.errors import ExpressionError, UsageError
from hookrt.matching.patterns import matches
from hookrt.matching.router import Router
from hookrt.model.event import Event
from hookrt.model.hook import Finding, Hook, Scope

MakeHook = Callable[..., Hook]
MakeEvent = Callable[..., Event]


def fired(router: Router, event: Event) -> list[str]:
    return [hook.name for hook in router.match(event, {}).hooks]


def test_literal_types_and_patterns_fire_in_definition_order(hook: MakeHook, event: MakeEvent) -> None:
    router = Router(
        [
            hook("deep", "User.**"),
            hook("exact", "User.Created"),
            hook("other", "Role.Created"),
            hook("segment", "*.Created"),
            hook("everything", "**"),
        ]
    )
    assert fired(router, event()) == ["deep", "exact", "segment", "everything"]
    assert fired(router, event(type="Nothing.Known.Here")) == ["everything"]


def test_a_hook_with_several_matching_patterns_fires_once(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("one", "User.*", "User.Created", "**", "User.Created")])
    assert fired(router, event()) == ["one"]


def test_a_match_for_one_hook_only_forgets_the_others(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("one", "User.*"), hook("two", "User.*")])
    match = router.match(event(), {})
    assert [found.name for found in match.only("two").hooks] == ["two"]
    assert match.only("three").hooks == ()


def test_enabled_false_matches_nothing(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("off", "User.Created", enabled=False), hook("off-too", "**", enabled=False)])
    assert fired(router, event()) == []
    assert set(router.hooks) == {"off", "off-too"}
    router.put(hook("off", "User.Created"))
    assert fired(router, event()) == ["off"]
    router.put(hook("off", "User.Created", enabled=False))
    assert fired(router, event()) == []


def test_from_takes_events_of_that_source_only(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("safe", "User.Created", source="logto"), hook("any", "User.Created")])
    assert fired(router, event(source="http")) == ["any"]
    assert fired(router, event(source="logto")) == ["safe", "any"]


def test_hookrts_own_types_need_a_pattern_that_says_hookrt(hook: MakeHook, event: MakeEvent) -> None:
    router = Router(
        [hook("all", "**"), hook("wild", "*.delivery.*"), hook("own", "hookrt.**"), hook("sub", "hookrt.*.dead")]
    )
    assert fired(router, event(type="hookrt.delivery.dead")) == ["own", "sub"]
    assert fired(router, event(type="hookrtish.delivery.dead")) == ["all", "wild"]


def test_a_condition_decides_and_sees_event_env_and_hook(hook: MakeHook, event: MakeEvent) -> None:
    router = Router(
        [
            hook("yes", "User.Created", when="event.data.n > 1"),
            hook("no", "User.Created", when="event.data.n > 5"),
            hook("env", "User.Created", when='env.REGION == "eu" && hook == "env"'),
        ]
    )
    match = router.match(event({"n": 2}), {"REGION": "eu"})
    assert [one.name for one in match.hooks] == ["yes", "env"]
    assert match.unanswerable == ()


def test_a_condition_that_cannot_be_evaluated_does_not_fire_and_is_told(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("broken", "User.*", when="event.data.user.age > 3"), hook("fine", "User.*")])
    match = router.match(event({"user": {}}), {})
    assert [one.name for one in match.hooks] == ["fine"]
    assert match.unanswerable == (("broken", "event.data.user.age is missing"),)


class CountingCondition:
    """A condition of somebody else's making, as the model allows."""

    text = "counted"

    def __init__(self) -> None:
        self.asked = 0

    def holds(self, scope: Scope) -> bool:
        self.asked += 1
        return True

    def explain(self, scope: Scope) -> list[Finding]:
        return []


def test_each_condition_is_evaluated_once_at_match(event: MakeEvent) -> None:
    condition = CountingCondition()
    router = Router([Hook("once", ("User.Created", "User.*", "**"), (), when=condition)])
    assert fired(router, event()) == ["once"]
    assert condition.asked == 1


def test_a_hook_that_is_put_again_keeps_its_place(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("a", "User.*"), hook("b", "User.*"), hook("c", "User.*")])
    router.put(hook("b", "User.Created", description="new"))
    assert fired(router, event()) == ["a", "b", "c"]
    assert router.hooks["b"].description == "new"
    assert [one.name for one in router.in_order()] == ["a", "b", "c"]


def test_a_removed_hook_is_gone_and_removing_it_again_does_nothing(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("a", "User.*", "User.Created"), hook("b", "User.Created")])
    router.remove("a")
    router.remove("a")
    assert fired(router, event()) == ["b"]
    assert router.get("a") is None
    assert router.get("b") is not None


def test_replace_swaps_one_providers_set_and_leaves_the_others(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("a", "User.*"), hook("b", "User.*")])
    router.put(hook("coded", "User.*", origin="code"))
    router.replace("file", [hook("new", "User.*"), hook("b", "User.*")])
    assert fired(router, event()) == ["new", "b", "coded"]
    router.replace("file", [])
    assert fired(router, event()) == ["coded"]


def test_replace_changes_nothing_when_one_of_the_set_is_bad(hook: MakeHook, event: MakeEvent) -> None:
    router = Router([hook("a", "User.*")])
    router.put(hook("coded", "User.*", origin="code"))
    with pytest.raises(ExpressionError):
        router.replace("file", [hook("b", "User.*"), hook("c", "User.*x")])
    with pytest.raises(UsageError, match="twice"):
        router.replace("file", [hook("b", "User.*"), hook("coded", "User.*")])
    with pytest.raises(UsageError, match="same name"):
        router.replace("file", [hook("b", "User.*"), hook("b", "User.Created")])
    assert fired(router, event()) == ["a", "coded"]


def test_two_providers_cannot_have_a_hook_of_the_same_name(hook: MakeHook) -> None:
    router = Router([hook("a", "User.*")])
    with pytest.raises(UsageError, match="'file' and by 'code'"):
        router.put(hook("a", "User.*", origin="code"))


def test_an_event_that_matches_nothing_gives_an_empty_match(hook: MakeHook, event: MakeEvent) -> None:
    match = Router([hook("a", "Role.*")]).match(event(), {})
    assert match.hooks == ()
    assert match.unanswerable == ()


_segment = st.sampled_from(["a", "b", "*", "hookrt"])
_pattern = st.lists(_segment, min_size=1, max_size=4).flatmap(
    lambda segments: st.sampled_from([".".join(segments), ".".join([*segments, "**"]), "**"])
)
_type = st.lists(st.sampled_from(["a", "b", "c", "hookrt"]), min_size=1, max_size=5).map(".".join)
_change = st.tuples(st.sampled_from("pqrstu"), st.none() | st.lists(_pattern, min_size=1, max_size=3))


@settings(max_examples=300)
@given(st.lists(_change, max_size=12), _type)
def test_the_index_agrees_with_asking_every_pattern(changes: list[tuple[str, list[str] | None]], kind: str) -> None:
    router = Router()
    kept: dict[str, list[str]] = {}
    for name, patterns in changes:
        if patterns is None:
            router.remove(name)
            kept.pop(name, None)
        else:
            router.put(Hook(name, tuple(patterns), ()))
            kept[name] = patterns
    from datetime import UTC, datetime

    event = Event("1", kind, "s", datetime(2026, 1, 1, tzinfo=UTC))
    expected = [name for name, patterns in kept.items() if any(matches(one, kind) for one in patterns)]
    assert fired(router, event) == expected


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), max_size=4))
def test_after_any_replacements_the_order_is_that_of_the_last_set(sets: list[list[str]]) -> None:
    router = Router()
    for names in sets:
        router.replace("file", [Hook(name, ("x", "*"), ()) for name in names])
    assert [hook.name for hook in router.in_order()] == (sets[-1] if sets else [])
