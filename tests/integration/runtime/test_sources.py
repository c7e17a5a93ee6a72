"""DESIGN section 2: `sources:` are offered to source plugins; only the declared source sends as itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hookrt import Runtime
from hookrt.errors import EventError
from hookrt.model.delivery import Status
from hookrt.model.event import EventDraft
from hookrt.plugin import Settings, Source, SourceRun
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry

HOOKS = """
sources:
  ticker: {countdown: {begin: 3}}
hooks:
  counted:
    on: Tick
    from: ticker
    steps:
      - log: ${{ event.data.n }}
"""


class CountdownSettings(Settings):
    begin: int


class Countdown(Source[CountdownSettings]):
    """Counts down to one; fails once on its way, to be started again."""

    name = "countdown"
    failures = 0

    def types(self, settings: CountdownSettings) -> list[str]:
        return ["Tick"]

    async def run(self, source: SourceRun[CountdownSettings]) -> None:
        for number in range(source.settings.begin, 0, -1):
            new = await source.emit("Tick", {"n": number}, id=f"tick-{number}")
            source.log.info("ticked", new=new)
            if Countdown.failures == 0 and number == 2:
                Countdown.failures += 1
                raise RuntimeError("out of breath")


def registry() -> Registry:
    plugins = load_plugins()
    plugins.add_source(Countdown)
    return plugins


def make(folder: Path) -> Runtime:
    (folder / "hooks.yaml").write_text(HOOKS)
    return Runtime.from_file(folder / "hooks.yaml", store="memory:", registry=registry())


def test_a_source_emits_and_is_started_again_when_it_fails(tmp_path: Path) -> None:
    async def run() -> None:
        async with make(tmp_path) as runtime:
            async with asyncio.timeout(20):
                while (await runtime.store.counts()).get(Status.SUCCEEDED, 0) < 3:
                    await asyncio.sleep(0.01)
            stored = await runtime.store.event("ticker", "tick-1")
            assert stored is not None
            assert len(stored.deliveries) == 1

    asyncio.run(run())


def test_nobody_can_send_in_the_name_of_a_hook(tmp_path: Path) -> None:
    """Its ids can be guessed, and what it emits later would be taken for a repetition."""

    async def run() -> None:
        async with make(tmp_path) as runtime:
            with pytest.raises(EventError, match="hook:counted"):
                await runtime.accept([EventDraft("Tick", source="hook:counted", id="evt_1")])

    asyncio.run(run())


def test_nobody_else_can_forge_the_events_of_a_declared_source(tmp_path: Path) -> None:
    async def run() -> None:
        async with make(tmp_path) as runtime:
            with pytest.raises(EventError, match="ticker"):
                await runtime.accept([EventDraft("Tick", source="ticker")])
            [receipt] = await runtime.accept([EventDraft("Tick")])
            assert receipt.deliveries == (), "from: ticker"

    asyncio.run(run())
