"""Matching one event at 10, 1,000 and 100,000 hooks: the cost has to be flat with literal types.

Times are microseconds of one match, the best of several rounds; `flat` is that of 100,000 hooks over that of 10.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hookrt.matching.condition import compile_condition
from hookrt.matching.names import Names
from hookrt.matching.router import Router
from hookrt.model.event import Event
from hookrt.model.hook import Hook

SIZES = (10, 1_000, 100_000)
PATTERNS = {"literal": "Thing{}.Created", "segment": "Thing{}.*", "leading": "*.Thing{}.**"}
TYPES = {"literal": "Thing5.Created", "segment": "Thing5.Created", "leading": "Any.Thing5.Created"}
CONDITION = 'event.data.user.primaryEmail.endsWith("@acme.com")'
ROUNDS, MATCHES = 20, 4_000


def make_event(kind: str) -> Event:
    content = b'{"user": {"primaryEmail": "ann@acme.com", "name": "Ann"}, "ip": "192.0.2.1"}'
    return Event("e1", kind, "bench", datetime(2026, 1, 1, tzinfo=UTC), content=content)


def make_router(pattern: str, size: int, condition: str | None = None) -> Router:
    when = compile_condition(condition, Names()) if condition else None
    return Router(Hook(f"hook-{number}", (pattern.format(number),), (), when=when) for number in range(size))


def best_us(calls: Mapping[str, Callable[[], Any]], times: int = MATCHES) -> dict[str, float]:
    """The fastest round of each call, in microseconds; the rounds take turns, so that a busy moment hits all."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(times):
                call()
            best[name] = min(best[name], (time.perf_counter() - start) / times * 1e6)
    return {name: round(figure, 2) for name, figure in best.items()}


def matching(router: Router, kind: str) -> Callable[[], Any]:
    event, env = make_event(kind), {"REGION": "eu"}
    assert len(router.match(event, env).hooks) == 1
    return lambda: router.match(event, env)


def changing(router: Router) -> Callable[[], Any]:
    """Putting another hook in the place of one, with another pattern, and back: two changes."""
    one, other = Hook("hook-7", ("Other.Created",), ()), Hook("hook-7", ("Thing7.Created",), ())
    return lambda: (router.put(one), router.put(other))


def measure() -> dict[str, Any]:
    """All figures, for the table and for the JSON of the whole benchmark."""
    figures: dict[str, Any] = {"unit": "us"}
    for name, pattern in PATTERNS.items():
        routers = {str(size): make_router(pattern, size) for size in SIZES}
        gc.collect()
        by_size = best_us({size: matching(router, TYPES[name]) for size, router in routers.items()})
        figures[name] = by_size
        figures[f"{name}_flat"] = round(by_size[str(SIZES[-1])] / by_size[str(SIZES[0])], 2)
        if name == "literal":
            figures["change_one_of_100000"] = best_us({"both": changing(routers[str(SIZES[-1])])}, 500)["both"] / 2
    with_condition = matching(make_router(PATTERNS["literal"], 10, CONDITION), TYPES["literal"])
    figures["literal_with_condition"] = best_us({"one": with_condition})["one"]
    return figures


def main() -> None:
    figures = measure()
    print(f"{'one match, µs':<24}" + "".join(f"{size:>12,}" for size in SIZES) + f"{'flat':>8}")
    for name, pattern in PATTERNS.items():
        cells = "".join(f"{figures[name][str(size)]:>12.2f}" for size in SIZES)
        print(f"{pattern.format('N'):<24}{cells}{figures[f'{name}_flat']:>8.2f}")
    print(f"{'with a condition':<24}{figures['literal_with_condition']:>12.2f}")
    print(f"{'one hook changed':<24}{'':>24}{figures['change_one_of_100000']:>12.2f}")


if __name__ == "__main__":
    main()
