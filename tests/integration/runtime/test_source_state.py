"""What a source is handed beside its settings: a memory that outlives the runtime, an emit that knows repetitions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from hookrt import Runtime
from hookrt.plugin import Settings, Source, SourceRun
from hookrt.plugin.manager import load_plugins

HOOKS = """
sources:
  one: {counting: {}}
  two: {counting: {}}
hooks: {all: {on: Counted, steps: [log: "${{ event.data }}"]}}
"""


class Nothing(Settings):
    pass


class Counting(Source[Nothing]):
    """Counts its starts; each time it emits the same id with other data."""

    name = "counting"
    starts: ClassVar[list[tuple[str, float, bool]]] = []

    async def run(self, source: SourceRun[Nothing]) -> None:
        count = await source.state.add("starts")
        new = await source.emit("Counted", count, id="the same")
        self.starts.append((source.name, count, new))


def test_each_source_has_a_memory_of_its_own_and_a_repeated_id_is_no_event_whatever_its_data(tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    Counting.starts.clear()
    registry = load_plugins()
    registry.add_source(Counting)

    async def run(until: int) -> None:
        async with Runtime.from_file(tmp_path / "hooks.yaml", registry=registry), asyncio.timeout(20):
            while len(Counting.starts) < until:
                await asyncio.sleep(0.01)

    asyncio.run(run(2))
    asyncio.run(run(4))
    assert sorted(Counting.starts) == [("one", 1, True), ("one", 2, False), ("two", 1, True), ("two", 2, False)]
