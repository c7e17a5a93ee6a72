"""A schedule in the real service: one event per tick, whatever happens to the process."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HOOKS = """
sources:
  beat: {schedule: {every: 1s, misfire: all, type: Beat}}
  nightly: {schedule: {cron: 30 2 * * *, timezone: Europe/Berlin, type: Nightly.Report}}
hooks:
  beating: {on: Beat, from: beat, steps: [{log: "${{ event.data.scheduled }}"}]}
"""


def ticks(service: Any) -> list[str]:
    items = service.get("/v1/events?limit=500")["items"]
    return sorted(service.get(f"/v1/events/{one['id']}?source=beat")["data"]["scheduled"] for one in items)


def test_one_event_per_tick_over_kills_and_restarts(
    serve: Callable[..., Any], until: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    service = serve("--port", "0")
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        before = len(ticks(service))
        until(lambda count=before: len(ticks(service)) >= count + 2)
        service.stop(number)
        service.begin()
    before = len(ticks(service))
    until(lambda: len(ticks(service)) > before)
    found = [datetime.fromisoformat(text) for text in ticks(service)]
    assert found == [found[0] + timedelta(seconds=number) for number in range(len(found))], "none twice, none left out"
    assert service.stop() == 0


def test_the_ticks_to_come_are_shown_with_and_without_a_service(
    hookrt: Callable[..., Any], serve: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    alone = hookrt("sources", "show", "nightly", env={"TZ": "America/New_York"})
    assert alone.returncode == 0, alone.stderr
    shown = re.findall(r"^  (?:next)? +(\S+ 0[23]:\d0:00 \+0[12]:00), here \S+ 2\d:\d0:00$", alone.stdout, re.MULTILINE)
    assert len(shown) == 5, alone.stdout
    service = serve("--port", "0")
    asked = json.loads(hookrt("sources", "show", "nightly", "-o", "json", env=service.env).stdout)
    assert [text[:19].replace("T", " ") for text in asked["upcoming"]] == [text[:19] for text in shown]
