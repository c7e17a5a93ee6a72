"""`python -m sandbox_corpus.fuzz [--minutes 10] [--only NAME] [--seed N]`: all fuzzers in turn, with their progress.

Exit code 0 when nothing was found, 1 with the smallest example that shows what was.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
import warnings

from hypothesis.errors import HypothesisWarning

from sandbox_corpus.fuzz.fuzzers import BY_NAME, FUZZERS, Fuzzer, fuzz


def main(arguments: list[str]) -> int:
    """Fuzz until the time is over or something is found."""
    parser = argparse.ArgumentParser(prog="python -m sandbox_corpus.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long, 10 by default")
    parser.add_argument("--only", choices=sorted(BY_NAME), help="one of the fuzzers")
    parser.add_argument("--seed", type=int, help="replay the portion with this seed, once; needs --only")
    wanted = parser.parse_args(arguments)
    warnings.simplefilter("ignore", HypothesisWarning)
    if wanted.seed is not None:
        if wanted.only is None:
            parser.error("--seed needs --only")
        return _portion(BY_NAME[wanted.only], wanted.seed, {}, time.monotonic())
    return _until(wanted.minutes * 60, [BY_NAME[wanted.only]] if wanted.only else list(FUZZERS))


def _until(seconds: float, fuzzers: list[Fuzzer]) -> int:
    began, tried = time.monotonic(), {fuzzer.name: 0 for fuzzer in fuzzers}
    for fuzzer in itertools.cycle(fuzzers):
        if time.monotonic() - began > seconds:
            break
        if _portion(fuzzer, random.SystemRandom().randrange(2**32), tried, began):
            return 1
    _say(f"nothing found: {_shown(tried)}")
    return 0


def _portion(fuzzer: Fuzzer, number: int, tried: dict[str, int], began: float) -> int:
    """One portion of examples of one fuzzer; 1 when something was found."""
    tally = fuzz(fuzzer, fuzzer.at_once, number)
    tried[fuzzer.name] = tried.get(fuzzer.name, 0) + tally.tried
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    _say(f"{minutes:3}:{seconds:02}  {_shown(tried)}")
    if tally.finding is None:
        return 0
    _say(f"FOUND by {fuzzer.name}: {tally.finding}")
    _say(tally.example if isinstance(tally.example, str) else repr(tally.example))
    _say(f"again: python -m sandbox_corpus.fuzz --only {fuzzer.name} --seed {number}")
    return 1


def _shown(tried: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in tried.items())


def _say(line: str) -> None:
    sys.stdout.write(line.encode("ascii", "backslashreplace").decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
