"""The watcher's decision: files are read when they have changed and stay as they are."""

from __future__ import annotations

from hookrt.runtime.config_files import Look
from hookrt.runtime.watch import LOOK_S, SETTLE_S, Watch


def look(number: int) -> Look:
    """How one file looks in its n-th state."""
    return frozenset({("hooks.yaml", "/hooks.yaml", 1, 2, 3, number, 0)})


def decide(*numbers: int, seen: int = 0) -> list[bool]:
    """What is decided at each of these looks."""
    watch = Watch()
    return [watch.decide(look(number), look(seen)) for number in numbers]


def test_files_that_stay_as_they_were_read_are_not_read_again() -> None:
    assert decide(0, 0, 0) == [False, False, False]


def test_a_change_is_read_when_two_looks_agree() -> None:
    assert decide(0, 1, 1) == [False, False, True]


def test_files_that_go_on_changing_are_not_read_halfway() -> None:
    assert decide(0, 1, 2, 3, 3) == [False, False, False, False, True]


def test_what_was_read_is_not_read_again_whatever_came_of_it() -> None:
    watch = Watch()
    assert [watch.decide(look(1), look(0)) for _ in range(2)] == [False, True]
    assert not watch.decide(look(1), look(1))


def test_a_change_that_is_taken_back_at_once_is_none() -> None:
    assert decide(0, 1, 0, 0) == [False] * 4


def test_the_second_look_at_a_change_comes_soon() -> None:
    watch = Watch()
    watch.decide(look(0), look(0))
    assert watch.pause_s == LOOK_S
    watch.decide(look(1), look(0))
    assert watch.pause_s == SETTLE_S
    watch.decide(look(1), look(0))
    assert watch.pause_s == LOOK_S
