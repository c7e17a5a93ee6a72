"""Running items in real workers, and saying what is not as it should be."""

from __future__ import annotations

import asyncio
import copy
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookrt.actions.python_snippet.pool import Limits, Pool, PoolSize, Run
from hookrt.actions.python_snippet.process import WorkerFault
from hookrt.actions.python_snippet.spawn import BOOT
from sandbox_corpus.granted import with_grants
from sandbox_corpus.items import Item

CANARY = "canary-5b1f0c"
BREACH = "BREACH"
LIMITS = Limits(timeout=1.0, memory=256 * 2**20, output=64 * 2**10, result=256 * 2**10)
AT_ONCE = 3
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Given:
    """What became of one run, in the words of the corpora."""

    outcome: str
    result: Any = None
    message: str = ""
    line: int | None = None
    logs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.outcome}, result {self.result!r}, message {self.message!r}, printed {list(self.logs)!r}"[:_SHOWN]


@dataclass(frozen=True, slots=True)
class Unexpected:
    """An item that is not as it should be; `breach` when it reached what it must not."""

    item: Item
    what: str
    breach: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Two files for one item: one that it must not read, and one that must not come into being."""

    secret: Path
    probe: Path


@dataclass(slots=True)
class Verdict:
    """All that was unexpected, and the isolation level of the workers."""

    unexpected: list[Unexpected] = field(default_factory=list)
    isolation: str | None = None

    @property
    def breaches(self) -> set[str]:
        """The ids of the items that reached what they must not."""
        return {each.item.id for each in self.unexpected if each.breach}


async def judge_all(items: Iterable[Item], boot: Path = BOOT, *, fresh: bool = False) -> Verdict:
    """Run all items, a few at a time, in the workers that this boot script makes; `fresh` as in `pool.Run`."""
    pool = Pool(PoolSize(workers=AT_ONCE, spares=1), boot)
    judge = _Judge(pool, fresh)
    try:
        with _open_folder() as folder:
            await judge.run_all(list(items), folder)
    finally:
        await pool.close()
    judge.verdict.isolation = pool.isolation
    return judge.verdict


async def run_once(pool: Pool, hook: str, run: Run) -> Given:
    """One run, whatever becomes of it."""
    try:
        answer = await pool.run(hook, run)
    except WorkerFault as fault:
        return Given(fault.kind, message=fault.message)
    kind = "ok" if answer.kind == "done" else answer.kind
    return Given(kind, answer.result, answer.message or "", answer.line, tuple(answer.logs))


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that any user may read and write, so that file permissions do not do the work of a wall."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


class _Judge:
    """Judges items, each in one of a few hooks; after each, its hook has to work for others."""

    def __init__(self, pool: Pool, fresh: bool) -> None:
        self.verdict = Verdict()
        self._pool = pool
        self._fresh = fresh
        self._hooks: asyncio.Queue[str] = asyncio.Queue()

    async def run_all(self, items: list[Item], folder: Path) -> None:
        for number in range(AT_ONCE):
            self._hooks.put_nowait(f"hook-{number}")
        await asyncio.gather(*(self._judge(item, _places(folder, number)) for number, item in enumerate(items)))

    async def _judge(self, item: Item, places: Places) -> None:
        hook = await self._hooks.get()
        given = await self._run(item, hook, item.source, places)
        await (self._judge_benign(item, given) if item.benign else self._judge_escape(item, given, hook, places))
        after = await run_once(self._pool, hook, Run("result = 40 + 2", item.event, {}, LIMITS, fresh=self._fresh))
        if after.result != 42:
            self._complain(item, f"the next run in that hook failed: {after}")
        self._hooks.put_nowait(hook)

    async def _judge_benign(self, item: Item, given: Given) -> None:
        printed = "\n".join(given.logs)
        wanted = item.fields.get("printed", printed)
        if (given.outcome, given.result) != ("ok", item.fields["result"]) or printed.rstrip() != wanted.rstrip():
            self._complain(item, f"{given}, expected {item.fields['result']!r}")

    async def _judge_escape(self, item: Item, given: Given, hook: str, places: Places) -> None:
        if given.outcome not in (item.expect or ()):
            self._complain(item, f"{given}, expected {' or '.join(sorted(item.expect or ()))}")
        elif given.outcome == "ok" and "result" in item.fields and given.result != item.fields["result"]:
            self._complain(item, f"{given}, expected {item.fields['result']!r}")
        if "then_result" in item.fields:
            after = await self._run(item, hook, item.fields.get("then") or item.source, places)
            if after.result != item.fields["then_result"]:
                self._complain(item, f"then {after}, expected {item.fields['then_result']!r}")

    async def _run(self, item: Item, hook: str, code: str, places: Places) -> Given:
        before = copy.deepcopy(item.event)
        paths = {} if item.benign else {"secret_file": str(places.secret), "probe_file": str(places.probe)}
        run = Run(code, item.event, paths, LIMITS, fresh=self._fresh)
        given = await run_once(self._pool, hook, with_grants(run, item))
        said = f"{given.outcome} {given.result!r} {given.message} {given.logs}"
        for forbidden in (BREACH, CANARY, *map(str, item.fields.get("forbid", ()))):
            if forbidden in said:
                self._complain(item, f"said {forbidden!r}: {given}", breach=True)
        if places.probe.exists():
            self._complain(item, "wrote a file", breach=True)
            places.probe.unlink()
        if item.event != before:
            self._complain(item, "changed the event of others", breach=True)
        return given

    def _complain(self, item: Item, what: str, breach: bool = False) -> None:
        self.verdict.unexpected.append(Unexpected(item, what, breach))


def _places(folder: Path, number: int) -> Places:
    places = Places(folder / f"secret-{number}", folder / f"probe-{number}")
    places.secret.write_text(CANARY, encoding="utf-8")
    places.secret.chmod(0o644)
    return places
