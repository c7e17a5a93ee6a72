"""How the workers are shared out between hooks, by how their latest runs ended."""

from __future__ import annotations

from typing import Any

import pytest

from hookrt.actions.python_snippet.crew import Crew, CrewKey
from hookrt.actions.python_snippet.fairness import FORGIVEN, MAX_HOOKS, PENANCE, QUICK, Fairness, Standing


def crew_of(hook: str, workers: int = 0) -> Crew:
    crew = Crew(CrewKey(hook, 2**28, "", False, False))
    members: dict[Any, float] = {object(): 0.0 for _ in range(workers)}
    crew.members.update(members)
    return crew


def known(fairness: Fairness, bad: str = "", steady: str = "") -> Fairness:
    for hook in bad.split():
        fairness.note(hook, 0.1, well=False)
    for hook in steady.split():
        fairness.note(hook, 0.1, well=True)
    return fairness


def test_a_hook_is_steady_after_a_good_run_and_unproven_before() -> None:
    fairness = Fairness(4)
    assert fairness.standing("a") is Standing.UNPROVEN
    assert fairness.note("a", 0.001, well=True)
    assert fairness.standing("a") is Standing.STEADY
    assert not fairness.note("a", 0.001, well=True)


def test_a_run_that_takes_long_makes_a_hook_unproven_again() -> None:
    fairness = known(Fairness(4), steady="a")
    assert fairness.note("a", QUICK * 2, well=True)
    assert fairness.standing("a") is Standing.UNPROVEN


def test_a_run_that_had_to_be_ended_counts_until_as_many_good_ones_have_followed() -> None:
    fairness = known(Fairness(4), bad="a")
    for _ in range(PENANCE):
        assert fairness.standing("a") is Standing.BAD
        fairness.note("a", 0.001, well=True)
    assert fairness.standing("a") is Standing.UNPROVEN
    for _ in range(FORGIVEN):
        assert not fairness.is_forgiven("a")
        fairness.note("a", 0.001, well=True)
    assert fairness.is_forgiven("a")


def test_a_slow_run_is_no_way_out_of_a_bad_standing() -> None:
    fairness = known(Fairness(4), bad="a")
    for _ in range(PENANCE):
        fairness.note("a", QUICK * 2, well=True)
    assert fairness.standing("a") is Standing.BAD


@pytest.mark.parametrize(("workers", "bad", "others"), [(1, 1, 1), (2, 1, 1), (4, 2, 3), (8, 4, 6), (16, 8, 12)])
def test_bad_hooks_have_half_of_the_workers_and_all_that_are_not_steady_three_quarters(
    workers: int, bad: int, others: int
) -> None:
    fairness = known(Fairness(workers), bad="bad", steady="steady")
    held = [crew_of("bad", bad)]
    assert not fairness.may_grow(crew_of("bad"), held)
    assert fairness.may_grow(crew_of("bad"), [crew_of("bad", bad - 1)])
    assert fairness.may_grow(crew_of("new"), held) is (bad < others)
    assert not fairness.may_grow(crew_of("new"), [crew_of("new", others)])
    assert fairness.may_grow(crew_of("steady"), [crew_of("steady", workers)])


def test_a_steady_hook_gives_a_worker_only_to_its_like_or_below_the_others_share() -> None:
    fairness = known(Fairness(4), bad="bad", steady="one two")
    one, two, bad = crew_of("one", 2), crew_of("two"), crew_of("bad")
    assert fairness.may_replace(two, one, [one])
    assert fairness.may_replace(bad, one, [one])
    assert not fairness.may_replace(bad, one, [one, crew_of("bad", 2)])
    assert fairness.may_replace(crew_of("new"), crew_of("bad", 2), [crew_of("bad", 4)])
    assert not fairness.may_replace(bad, crew_of("new", 2), [crew_of("bad", 2), crew_of("new", 2)])


def test_the_number_of_hooks_that_are_remembered_is_bounded() -> None:
    fairness = known(Fairness(4), bad="first")
    for number in range(MAX_HOOKS):
        fairness.note(f"hook-{number}", 0.1, well=True)
    assert fairness.standing("first") is Standing.UNPROVEN
    assert len(fairness._scores) == MAX_HOOKS
