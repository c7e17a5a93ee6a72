"""The engine under a few hundred seeds of crashes, faults and disorder; `make simulate` runs as many as one likes."""

import pytest

from simulation.plan import FAULTS, make_plan
from simulation.world import run_seed

SEEDS = 200


@pytest.mark.slow
@pytest.mark.parametrize("tenth", range(10))
def test_every_promise_is_kept_under_a_few_hundred_seeds(tenth: int) -> None:
    for seed in range(1 + tenth * SEEDS // 10, 1 + (tenth + 1) * SEEDS // 10):
        result = run_seed(seed)
        assert result.violation is None, f"make simulate SEED={seed}: {result.violation}"
        assert result.plan.events == 0 or result.attempts > 0


@pytest.mark.parametrize("fault", FAULTS)
def test_every_promise_is_kept_with_one_kind_of_fault(fault: str) -> None:
    for seed in range(1, 4):
        result = run_seed(seed, faults=[fault])
        assert result.violation is None, f"--seed {seed} --faults {fault}: {result.violation}"


def test_the_seeds_have_every_kind_of_fault_and_none() -> None:
    plans = [make_plan(seed) for seed in range(1, SEEDS + 1)]
    assert {fault for plan in plans for fault in plan.faults} == set(FAULTS)
    assert any(not plan.faults for plan in plans)
