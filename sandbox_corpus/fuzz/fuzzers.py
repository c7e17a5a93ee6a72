"""The fuzzers by name, and how one of them is run for a number of examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure

from sandbox_corpus.fuzz import lapses, liars, lying_checks
from sandbox_corpus.fuzz.frames import CHECK_SCRIPTS, SCRIPTS
from sandbox_corpus.fuzz.hunt import Hunt
from sandbox_corpus.fuzz.nursery import Nursery
from sandbox_corpus.fuzz.ordinary import ORDINARY
from sandbox_corpus.fuzz.programs import OFFENCES, PROGRAMS
from sandbox_corpus.fuzz.requests import TOLD, tell
from sandbox_corpus.fuzz.sameness import Comparison

Check = Callable[[Any], list[str]]


@dataclass(frozen=True, slots=True)
class Fuzzer:
    """What it makes, how many at a time, and how one is checked; with a hole on purpose, if one is named."""

    name: str
    examples: st.SearchStrategy[Any]
    open: Callable[[str], AbstractContextManager[Check]]
    at_once: int = 200


@dataclass(frozen=True, slots=True)
class Tally:
    """How many examples were tried, and what the last of them that failed was; after shrinking it is a small one."""

    tried: int
    finding: str | None = None
    example: Any = None


@contextmanager
def _service(hole: str) -> Iterator[Check]:
    with lapses.LAPSES[hole]() if hole else nullcontext():
        yield lambda example: liars.play(*example)


@contextmanager
def _checker(hole: str) -> Iterator[Check]:
    with lapses.CHECKER_LAPSES[hole]() if hole else nullcontext():
        yield lying_checks.play


@contextmanager
def _worker(hole: str) -> Iterator[Check]:
    with Nursery() as nursery:
        yield lambda example: tell(nursery, example[0], hole, example[1])


@contextmanager
def _programs(hole: str) -> Iterator[Check]:
    with Hunt(hole) as hunt:
        yield hunt.run


@contextmanager
def _offences(hole: str) -> Iterator[Check]:
    with Hunt(hole) as hunt:
        yield hunt.offend


@contextmanager
def _ordinary(hole: str) -> Iterator[Check]:
    with Comparison(hole) as comparison:
        yield comparison.run


FUZZERS = (
    Fuzzer("service", st.tuples(SCRIPTS, st.sampled_from([True, True, False]), st.booleans()), _service),
    Fuzzer("checker", CHECK_SCRIPTS, _checker, at_once=50),
    Fuzzer("worker", st.tuples(TOLD, st.sampled_from([0, 0, 0, 1, 100])), _worker),
    Fuzzer("programs", PROGRAMS, _programs),
    Fuzzer("offences", OFFENCES, _offences, at_once=50),
    Fuzzer("ordinary", ORDINARY, _ordinary),
)
"""What stands at the other end of the service, of its checker and of a worker; programs that must get nowhere, that
must be refused, and that must give what Python gives."""

BY_NAME = {fuzzer.name: fuzzer for fuzzer in FUZZERS}


def fuzz(fuzzer: Fuzzer, examples: int, number: int | None = None, hole: str = "", shrink: bool = True) -> Tally:
    """Try so many examples, the same ones every time unless a seed is given; stops at the first that fails."""
    tried, finding, failed = 0, None, None
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    with fuzzer.open(hole) as check:

        def each(example: Any) -> None:
            nonlocal tried, finding, failed
            tried += 1
            found = check(example)
            if found:
                finding, failed = "; ".join(found), example
                raise _FoundError

        bounds = settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=number is None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        try:
            (seed(number) if number is not None else _as_it_is)(bounds(given(fuzzer.examples)(each)))()
        except (_FoundError, FlakyFailure):
            return Tally(tried, finding, failed)
    return Tally(tried)


class _FoundError(Exception):
    """An example failed."""


def _as_it_is(function: Any) -> Any:
    return function
