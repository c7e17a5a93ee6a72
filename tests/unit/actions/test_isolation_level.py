"""The isolation level that walls make."""

from __future__ import annotations

import pytest

from hookrt.actions.python_snippet.worker.walls import EXTRAS, Walls

CORE = ("rlimits", "seccomp")


def test_all_walls_are_full_isolation() -> None:
    assert Walls((*EXTRAS, *CORE)).isolation == "full"


@pytest.mark.parametrize("missing", sorted(EXTRAS))
def test_the_filter_and_the_limits_are_core_isolation_whatever_else_is_missing(missing: str) -> None:
    assert Walls((*(EXTRAS - {missing}), *CORE)).isolation == "core"
    assert Walls(CORE).isolation == "core"


@pytest.mark.parametrize("missing", CORE)
def test_without_the_filter_or_the_limits_isolation_is_degraded(missing: str) -> None:
    assert Walls((*EXTRAS, *(name for name in CORE if name != missing))).isolation == "degraded"
    assert Walls(()).isolation == "degraded"
