"""Both corpora through real workers: what must work does, and what must not has an acceptable outcome."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

CORPORA = Path(__file__).parents[2] / "corpora"
CANARY = "canary-5b1f0c"
AT_ONCE = 3


def load(name: str) -> list[dict[str, Any]]:
    items = yaml.safe_load((CORPORA / name).read_text(encoding="utf-8"))
    assert items
    return items


def source_of(item: dict[str, Any]) -> str:
    return item["snippet"] if "snippet" in item else eval(item["snippet_py"])


class Corpus:
    """Runs items a few at a time, each in one of a few hooks, and collects what is not as it should be."""

    def __init__(self, bench: Any, folder: Path) -> None:
        self.bench = bench
        self.secret, self.probe = folder / "secret", folder / "probe"
        self.secret.write_text(CANARY)
        self.unexpected: list[str] = []
        self.hooks: asyncio.Queue[str] = asyncio.Queue()
        for number in range(AT_ONCE):
            self.hooks.put_nowait(f"hook-{number}")

    async def run_all(self, items: list[dict[str, Any]]) -> list[str]:
        await asyncio.gather(*(self.judge(item) for item in items))
        return self.unexpected

    async def run(self, item: dict[str, Any], hook: str, code: str) -> Any:
        event = item.get("event") or {"id": "evt_1", "type": "t", "time": "2026-11-23T08:00:00Z", "data": {"n": 1}}
        before = copy.deepcopy(event)
        paths = {"secret_file": str(self.secret), "probe_file": str(self.probe)}
        given = await self.bench.run(code, hook, event, **paths)
        said = f"{given.result!r} {given.message} {given.logs}"
        for forbidden in ("BREACH", CANARY, *item.get("forbid", ())):
            if forbidden in said:
                self.complain(item, f"said {forbidden!r}")
        if self.probe.exists() or event != before:
            self.complain(item, "changed something outside")
        return given

    async def judge(self, item: dict[str, Any]) -> None:
        hook = await self.hooks.get()
        given = await self.run(item, hook, source_of(item))
        if given.outcome not in item["expect"]:
            self.complain(item, given)
        if given.outcome == "ok" and "result" in item and given.result != item["result"]:
            self.complain(item, given)
        if "then_result" in item:
            after = await self.run(item, hook, item.get("then") or source_of(item))
            if after.result != item["then_result"]:
                self.complain(item, after)
        if (await self.run(item, hook, "result = 40 + 2")).result != 42:
            self.complain(item, "the next run in that hook failed")
        self.hooks.put_nowait(hook)

    def complain(self, item: dict[str, Any], what: object) -> None:
        self.unexpected.append(f"{item['id']}: {what}")


def test_realistic_snippets_give_what_ordinary_python_gives(open_bench: Any) -> None:
    async def scenario() -> None:
        wrong = []
        items = load("benign.yaml")
        async with open_bench(workers=1) as bench:
            for item in items:
                given = await bench.run(item["snippet"], event=item["event"])
                printed = "\n".join(given.logs)
                if (given.outcome, given.result) != ("ok", item["result"]) or printed != item.get("printed", printed):
                    wrong.append(f"{item['id']}: {given}")
        assert len(wrong) <= len(items) * 0.05, wrong

    asyncio.run(scenario())


@pytest.mark.slow
def test_every_escape_has_an_acceptable_outcome(open_bench: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        items = [item for item in load("escapes.yaml") if item.get("mode") != "raw"]
        async with open_bench(spares=1) as bench:
            assert await Corpus(bench, tmp_path).run_all(items) == []

    asyncio.run(scenario())


@pytest.mark.slow
def test_the_walls_hold_without_the_language_policy(open_bench: Any, raw_boot: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        items = [item for item in load("escapes.yaml") if item.get("mode") == "raw"]
        async with open_bench(raw_boot("raise_walls"), spares=1) as bench:
            await bench.run("result = 1")
            if bench.pool.isolation != "core":
                pytest.skip("this system has no filter of system calls")
            assert await Corpus(bench, tmp_path).run_all(items) == []

    asyncio.run(scenario())


def test_without_walls_the_same_items_breach(open_bench: Any, raw_boot: Any, tmp_path: Path) -> None:
    """The control: it shows that the test above has teeth."""
    chosen = {"rb-list-root", "rb-write-file", "rb-socket-tcp", "rb-signal-parent", "rb-chmod", "rb-fork"}

    async def scenario() -> None:
        items = [item for item in load("escapes.yaml") if item["id"] in chosen]
        async with open_bench(raw_boot("no_walls")) as bench:
            breaches = await Corpus(bench, tmp_path).run_all(items)
        assert {line.split(":")[0] for line in breaches if "BREACH" in line} == chosen

    asyncio.run(scenario())
