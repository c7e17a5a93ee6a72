"""`python -m simulation`: run many seeds, or one with its trace."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from simulation.planted import MISTAKES, find, planted

if TYPE_CHECKING:
    from simulation.world import Result

CHUNK = 10
"""Seeds that are handed to a worker at once."""


def main(arguments: list[str]) -> int:
    """Exit code 0 when every seed keeps every promise, 1 when one does not, 2 for wrong usage."""
    wanted = _read(arguments)
    if wanted.list:
        print("\n".join(mistake.name for mistake in MISTAKES))
        return 0
    faults = None if wanted.faults is None else [name for name in wanted.faults.split(",") if name]
    if wanted.seed is not None:
        return _show(wanted.seed, faults, wanted.plant)
    return _run_many(wanted, faults)


def _read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="run this one only, and print all that happens")
    parser.add_argument("--faults", help="exactly these faults, with commas between; else by the seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes to use")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first broken promise")
    parser.add_argument("--plant", help="a mistake to put into the engine first (see --list)")
    parser.add_argument("--list", action="store_true", help="the mistakes that can be planted")
    return parser.parse_args(arguments)


def _show(seed: int, faults: list[str] | None, plant: str | None) -> int:
    with planted(find(plant) if plant else None) as world:
        result = world.run_seed(seed, print, faults)
    print(f"\nseed {seed}: {result.plan}")
    print(f"{result.accepted} events accepted, {result.attempts} attempts, {result.seconds:.0f} s of virtual time")
    print(f"BROKEN: {result.violation}" if result.violation else "every promise is kept")
    return 1 if result.violation else 0


def _run_many(wanted: argparse.Namespace, faults: list[str] | None) -> int:
    begun, done, broken, totals = time.monotonic(), 0, [], Counter[str]()
    for result in _results(wanted, faults):
        done += 1
        totals.update(attempts=result.attempts, accepted=result.accepted, minutes=round(result.seconds / 60))
        if result.violation:
            broken.append(result)
            print(f"\r\033[Kseed {result.plan.seed}: {result.violation}\n  {result.plan}", flush=True)
            if not wanted.keep_going:
                break
        if sys.stderr.isatty() or done % 100 == 0:
            speed = done / (time.monotonic() - begun)
            print(f"\r{done:,} of {wanted.seeds:,} seeds, {speed:.0f} seeds/s", end="", file=sys.stderr, flush=True)
    speed = done / (time.monotonic() - begun)
    print(
        f"\n{done:,} seeds, {speed:.1f} seeds/s: {totals['accepted']:,} events, {totals['attempts']:,} attempts, "
        f"{totals['minutes'] / 60:,.0f} hours of virtual time"
    )
    for result in broken[:1]:
        print(
            f"{len(broken)} seeds break a promise. To replay one, with all that happens:\n"
            f"  {_replay(result.plan.seed, wanted)}"
        )
    return 1 if broken else 0


def _replay(seed: int, wanted: argparse.Namespace) -> str:
    if wanted.faults is None and wanted.plant is None:
        return f"make simulate SEED={seed}"
    options = [f"--{name} {value!r}" for name in ("faults", "plant") if (value := getattr(wanted, name)) is not None]
    return " ".join([f"python -m simulation --seed {seed}", *options])


def _results(wanted: argparse.Namespace, faults: list[str] | None) -> Iterator[Result]:
    seeds = range(wanted.first, wanted.first + wanted.seeds)
    with planted(find(wanted.plant) if wanted.plant else None) as world:
        run = partial(_run, world.run_seed, faults)
        if wanted.jobs <= 1:
            yield from map(run, seeds)
            return
        with multiprocessing.get_context("fork").Pool(wanted.jobs) as pool:
            yield from pool.imap_unordered(run, seeds, CHUNK)


def _run(run_seed: Callable[..., Result], faults: list[str] | None, seed: int) -> Result:
    gc.disable()  # it has time between the seeds
    try:
        return run_seed(seed, None, faults)
    finally:
        gc.enable()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
