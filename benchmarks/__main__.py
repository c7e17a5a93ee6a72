"""Every measurement beside its budget: `python -m benchmarks [NAME ...]` prints a table and writes it as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import backlog, deliveries, hanging, ingest, matching, sandbox, startup

RESULTS = Path(__file__).parent / "results" / "latest.json"

Figures = dict[str, Any]


@dataclass(frozen=True)
class Budget:
    """One row: what is compared, the measured value from a benchmark's figures, and what it may be."""

    benchmark: str
    what: str
    value: Callable[[Figures], float]
    details: Callable[[Figures], str]
    limit: float
    at_most: bool = False
    unit: str = ""

    def met(self, figures: Figures) -> bool:
        return self.value(figures) <= self.limit if self.at_most else self.value(figures) >= self.limit


MEASURES: dict[str, Callable[[], Figures]] = {
    "deliveries": deliveries.measure,
    "ingest": ingest.measure,
    "sandbox": sandbox.measure,
    "matching": matching.measure,
    "backlog": backlog.measure,
    "hanging": hanging.measure,
    "startup": startup.measure,
}

BUDGETS = [
    Budget(
        "deliveries",
        "durable, signed deliveries beside bare aiohttp",
        lambda f: f["ratio"],
        lambda f: f"{f['hookrt_per_s']:,.0f}/s beside {f['aiohttp_per_s']:,.0f}/s",
        0.8,
    ),
    Budget(
        "ingest",
        "durable ingest beside answering 202",
        lambda f: f["ratio"],
        lambda f: f"{f['hookrt_per_s']:,.0f}/s beside {f['idle_per_s']:,.0f}/s",
        0.6,
    ),
    Budget(
        "sandbox",
        "sandboxed runs beside idle round trips",
        lambda f: f["ratio"],
        lambda f: (
            f"{f['runs_per_second']:,.0f}/s beside {f['idle_per_second']:,.0f}/s, "
            f"{f['in_flight_per_second']:,.0f}/s with {f['in_flight']} in flight"
        ),
        0.3,
    ),
    Budget(
        "matching",
        "matching with 100,000 hooks beside 10",
        lambda f: f["literal_flat"],
        lambda f: f"{f['literal']['100000']:.2f} µs beside {f['literal']['10']:.2f} µs",
        1.5,
        at_most=True,
    ),
    Budget(
        "backlog",
        "delivery rate with 1,000,000 pending beside few",
        lambda f: f["ratio"],
        lambda f: (
            f"{f['many_pending_per_s']:,.0f}/s beside {f['few_pending_per_s']:,.0f}/s, "
            f"peak {f['many_pending_peak_mib']:.0f} MiB beside {f['few_pending_peak_mib']:.0f} MiB"
        ),
        0.9,
    ),
    Budget(
        "hanging",
        "p99 with one hanging endpoint of 100 beside none",
        lambda f: f["ratio"],
        lambda f: f"{f['p99_ms_with']:.1f} ms beside {f['p99_ms_without']:.1f} ms",
        1.5,
        at_most=True,
    ),
    *(
        Budget("startup", what, value, lambda f: "beyond bare Python", limit, at_most=True, unit=" s")
        for what, value, limit in (
            ("import hookrt", lambda f: f["import_s"], 0.1),
            ("hookrt check", lambda f: f["check_s"], 0.5),
            ("hookrt run, ready to serve", lambda f: f["ready_s"], 1.5),
        )
    ),
]


def machine() -> str:
    """The machine in a few words."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    return (
        f"{os.cpu_count()} cores, {cpu}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def main(wanted: list[str]) -> int:
    names = wanted or list(MEASURES)
    found: dict[str, Figures] = {}
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name} ...", file=sys.stderr, flush=True)
        found[name] = MEASURES[name]()
    rows = [budget for budget in BUDGETS if budget.benchmark in found]
    print("| what | measured | budget | met | figures |\n|---|---|---|---|---|")
    for row in rows:
        figures = found[row.benchmark]
        limit = f"{'≤' if row.at_most else '≥'} {row.limit:g}{row.unit}"
        met = "yes" if row.met(figures) else "**no**"
        print(f"| {row.what} | {row.value(figures):.2f}{row.unit} | {limit} | {met} | {row.details(figures)} |")
    print(f"\nMachine: {machine()}.")
    RESULTS.parent.mkdir(exist_ok=True)
    record = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "figures": found}
    RESULTS.write_text(json.dumps(record, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
