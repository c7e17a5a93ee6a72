"""The fuzzers have teeth: each of these mistakes is made on purpose, and found, mostly within a hundred examples."""

from __future__ import annotations

import sys

import pytest

from sandbox_corpus.fuzz.fuzzers import BY_NAME, fuzz
from sandbox_corpus.fuzz.inside.holes import CHANGES, HOLES, WORKER_HOLES
from sandbox_corpus.fuzz.lapses import CHECKER_LAPSES, LAPSES

WITHIN = 1000
MISTAKES = [
    *(("service", name) for name in LAPSES),
    *(("checker", name) for name in CHECKER_LAPSES),
    *(("worker", name) for name in WORKER_HOLES),
    *(("offences" if name == "names are not checked" else "programs", name) for name in HOLES),
    *(("ordinary", name) for name in CHANGES),
]

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="its workers stand behind the walls of Linux"),
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("fuzzer", "mistake"), MISTAKES, ids=["-".join(each).replace(" ", "-") for each in MISTAKES])
def test_a_planted_mistake_is_found(fuzzer: str, mistake: str) -> None:
    assert fuzz(BY_NAME[fuzzer], WITHIN, hole=mistake, shrink=False).finding, f"not within {WITHIN} examples"
