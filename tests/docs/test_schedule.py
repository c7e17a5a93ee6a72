"""What docs/schedule.md shows is accepted, and ticks as the text says."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from hookrt.config.load import LoadOptions, load
from hookrt.plugin import SourceRun
from hookrt.plugin.manager import load_plugins
from hookrt.runtime.source_facts import upcoming_times
from hookrt.sources.schedule import Schedule
from hookrt.sources.schedule_settings import ScheduleSettings
from hookrt.sources.schedule_ticks import ALIASES, CronTicks, next_ticks, read_zone
from hookrt.sources.schedule_watch import MOST_MISSED
from hookrt.testing import FakeClock, MemoryState, RecordedLog

TEXT = (Path(__file__).parents[2] / "docs" / "schedule.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
FILES = [text for kind, text in BLOCKS if kind == "yaml"]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read(text: str, folder: Path) -> Any:
    (folder / "hooks.yaml").write_text(text)
    return load(folder / "hooks.yaml", LoadOptions(registry=load_plugins(), env={}))


@pytest.mark.parametrize("text", FILES, ids=range(len(FILES)))
def test_an_example_is_accepted(text: str, tmp_path: Path) -> None:
    assert [str(problem) for problem in read(text, tmp_path).problems] == []


def test_the_first_example_makes_the_event_that_is_shown(tmp_path: Path) -> None:
    [entry] = read(FILES[0], tmp_path).configuration.sources
    [shown] = [json.loads(text) for kind, text in BLOCKS if kind == "json"]
    made: list[dict[str, Any]] = []

    async def emit(type: str, data: Any = None, **names: Any) -> bool:
        time = names["time"].isoformat().replace("+00:00", "Z")
        made.append({"id": names["id"], "type": type, "source": entry.name, "time": time, "data": data})
        return True

    async def scenario() -> None:
        clock = FakeClock(NOON)
        source = SourceRun(entry.name, entry.settings, emit, RecordedLog(), clock, tmp_path, MemoryState(clock))
        task = asyncio.create_task(Schedule().run(source))
        await clock.run_for(timedelta(days=1))
        task.cancel()

    asyncio.run(scenario())
    assert made == [shown]


def test_the_next_ticks_are_those_that_are_shown(tmp_path: Path) -> None:
    [entry] = read(FILES[0], tmp_path).configuration.sources
    upcoming = upcoming_times(entry, NOON)
    shown = re.findall(r"(\S+) (03:00:00) (\+01:00), here", TEXT)
    assert len(upcoming) == 5
    assert ["{}T{}{}".format(*one) for one in shown] == upcoming[:2]


def test_the_table_of_changing_clocks_is_true() -> None:
    rows = re.findall(r"^\| `(.+?)` \| (2026-\S+) \| (.+?) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 4
    zone = read_zone("Europe/Berlin")
    for expression, day, told in rows:
        midnight = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=zone)
        found = [tick.astimezone(zone) for tick in next_ticks(CronTicks(expression, zone), midnight, 5)]
        times = [tick.isoformat()[11:16] + tick.isoformat()[19:] for tick in found if tick.isoformat()[:10] == day]
        expected = [] if told == "never" else told.split(", ")
        assert times[: len(expected)] == expected
        assert expected or not times


def test_the_settings_and_their_values_are_all_told() -> None:
    rows = " ".join(re.findall(r"^\| (`\w+`.*?) \|", TEXT, re.MULTILINE))
    assert all(f"`{name}`" in rows for name in ScheduleSettings.model_fields)
    assert all(f"`{name}`" in rows for name in get_args(ScheduleSettings.model_fields["misfire"].annotation))
    assert all(f"`{name}`" in TEXT for name in ALIASES)
    assert f"{MOST_MISSED:,}" in TEXT
