"""The lane of an open delivery is that of its first step without a result."""

from hookrt.store.lanes import first_lane

LANES = {"one": "a", "two": "b", "three": "a"}


def test_the_first_step_without_a_result_gives_the_lane() -> None:
    assert first_lane(LANES, {}) == "a"
    assert first_lane(LANES, {"one": None}) == "b"
    assert first_lane(LANES, {"two": None}) == "a"
    assert first_lane(LANES, {"one": None, "two": None}) == "a"


def test_without_such_a_step_there_is_none() -> None:
    assert first_lane(LANES, {"one": 1, "two": 1, "three": 1}) is None
    assert first_lane({}, {}) is None
