"""Swapping all hooks of a provider by what was prepared beforehand: the same as replacing them, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.errors import UsageError
from hookrt.matching.router import Router
from hookrt.model.event import Event
from hookrt.model.hook import Hook

PATTERNS = ["A", "A.B", "A.*", "**", "B"]


def hook(name: str, *patterns: str, origin: str = "file", enabled: bool = True) -> Hook:
    return Hook(name, patterns or ("A",), (), origin=origin, enabled=enabled)


def fired(router: Router, event_type: str) -> list[str]:
    event = Event("e", event_type, "app", datetime.now(UTC), None, b"null")
    return [found.name for found in router.match(event, {}).hooks]


def hooks_of(origin: str) -> st.SearchStrategy[list[Hook]]:
    made = st.builds(
        lambda number, patterns, enabled: hook(f"{origin}-{number}", *patterns, origin=origin, enabled=enabled),
        st.integers(0, 5),
        st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
        st.booleans(),
    )
    return st.lists(made, max_size=6, unique_by=lambda found: found.name)


@given(hooks_of("file"), hooks_of("code"), hooks_of("file"))
def test_adopting_prepared_hooks_is_replacing_them(old: list[Hook], others: list[Hook], new: list[Hook]) -> None:
    adopted, replaced = Router([*old, *others]), Router([*old, *others])
    before = adopted.adopt("file", adopted.prepare("file", new))
    replaced.replace("file", new)
    assert dict(adopted.hooks) == dict(replaced.hooks)
    for event_type in ("A", "A.B", "B", "C"):
        assert set(fired(adopted, event_type)) == set(fired(replaced, event_type))
        assert fired(before, event_type) == fired(Router([*old, *others]), event_type)
    assert [found.name for found in adopted.in_order() if found.origin == "file"] == [found.name for found in new]
    before.dissolve()
    assert not before.hooks
    assert fired(before, "A") == []
    assert dict(adopted.hooks) == dict(replaced.hooks)


def test_a_hook_that_another_provider_put_meanwhile_stays() -> None:
    router = Router([hook("a")])
    prepared = router.prepare("file", [hook("b")])
    router.put(hook("mine", origin="code"))
    router.adopt("file", prepared)
    assert fired(router, "A") == ["b", "mine"]


def test_a_name_that_another_provider_has_is_refused_and_nothing_changes() -> None:
    router = Router([hook("a")])
    prepared = router.prepare("file", [hook("mine"), hook("b")])
    router.put(hook("mine", origin="code"))
    with pytest.raises(UsageError, match="'mine' is defined twice"):
        router.adopt("file", prepared)
    assert fired(router, "A") == ["a", "mine"]
    with pytest.raises(UsageError, match="belongs to 'code'"):
        router.prepare("file", [hook("c", origin="code")])
