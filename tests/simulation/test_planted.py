"""The simulation finds mistakes: each of these is put into the engine, and noticed by the promise that it breaks."""

import sys

import pytest

from simulation.planted import MISTAKES, Mistake, planted


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name.replace(" ", "-"))
def test_a_planted_mistake_is_found(mistake: Mistake) -> None:
    with planted(mistake) as world:
        for seed in range(1, mistake.within + 1):
            found = world.run_seed(seed, faults=mistake.faults).violation
            if found is not None:
                assert found.check in mistake.found_by, f"seed {seed}: {found}"
                return
    pytest.fail(f"{mistake.within} seeds have not found it")


def test_there_are_mistakes_enough() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 20


def test_a_mistake_stays_where_it_was_planted() -> None:
    import hookrt.delivery
    from hookrt.delivery import deliver
    from simulation import world

    with planted(MISTAKES[0]) as mistaken:
        assert mistaken is not world
        assert sys.modules["hookrt.delivery.deliver"] is not deliver
    assert sys.modules["hookrt.delivery.deliver"] is deliver
    assert hookrt.delivery.deliver is deliver
    assert sys.modules["simulation.world"] is world


def test_a_mistake_whose_place_is_gone_is_an_error() -> None:
    gone = Mistake("gone", "hookrt.delivery.lane", "no such text in it", "", ())
    with pytest.raises(LookupError), planted(gone):
        pass
