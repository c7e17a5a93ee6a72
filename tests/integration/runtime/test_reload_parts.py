"""What a reload does beside hooks: actions, sources, destinations, secrets, variables, and the service's settings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from hookrt import Runtime
from hookrt.clock import SystemClock
from hookrt.errors import StoreError
from hookrt.model.delivery import Status
from hookrt.plugin import Action, ActionCall, ActionSetup, Outcome, PluginError, Settings, Source, SourceRun
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.observer import Observer
from hookrt.plugin.registry import Registry
from hookrt.runtime.config_files import ConfigFiles
from hookrt.store.contract import DeliveryQuery
from hookrt.store.open import open_store

DEADLINE_S = 20.0


class SpeakerService(Settings):
    voice: str = "low"


class SpeakerSettings(Settings):
    text: str


class Speaker(Action[SpeakerSettings]):
    """Opened with a voice; says texts."""

    name = "speaker"
    short = "text"
    service_settings = SpeakerService
    opened: ClassVar[list[str]] = []
    closed = 0
    said: ClassVar[list[str]] = []

    async def open(self, setup: ActionSetup) -> None:
        assert isinstance(setup.settings, SpeakerService)
        Speaker.opened.append(setup.settings.voice)

    async def close(self) -> None:
        Speaker.closed += 1

    async def run(self, call: ActionCall[SpeakerSettings]) -> Outcome:
        call.log.info(f"saying {call.settings.text}")
        Speaker.said.append(call.settings.text)
        return Outcome.done()


class Mute(Action[SpeakerSettings]):
    """Cannot be opened."""

    name = "zmute"
    short = "text"

    async def open(self, setup: ActionSetup) -> None:
        raise PluginError("there is no voice here")

    async def run(self, call: ActionCall[SpeakerSettings]) -> Outcome:
        return Outcome.done()


class TickerSettings(Settings):
    type: str


class Ticker(Source[TickerSettings]):
    """Emits once, and runs until it is ended."""

    name = "ticker"
    runs: ClassVar[list[str]] = []

    async def run(self, source: SourceRun[TickerSettings]) -> None:
        said = f"{source.name} {source.settings.type}"
        Ticker.runs.append(f"+{said}")
        await source.emit(source.settings.type)
        try:
            await asyncio.Event().wait()
        finally:
            Ticker.runs.append(f"-{said}")


class Seen(Observer):
    """Keeps what it is told of readings."""

    def __init__(self) -> None:
        self.accepted: list[bool] = []

    def configuration_read(self, *, accepted: bool) -> None:
        self.accepted.append(accepted)


@pytest.fixture(autouse=True)
def fresh() -> None:
    Speaker.opened, Speaker.closed, Speaker.said, Ticker.runs = [], 0, [], []


def registry() -> Registry:
    plugins = load_plugins()
    plugins.add_action(Speaker)
    plugins.add_action(Mute)
    plugins.add_source(Ticker)
    return plugins


def make(file: Path, env: dict[str, str] | None = None, **options: Any) -> Runtime:
    return Runtime.from_file(file, store="memory:", registry=registry(), env=env or {}, **options)


async def until(question: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not question():
            await asyncio.sleep(0.01)


LOG = "hooks: {a: {on: A, steps: [{log: hello}]}}\n"
SPEAKER = "hooks: {a: {on: A, steps: [{speaker: hello}]}}\n"


def test_an_action_that_is_needed_newly_is_opened_with_its_settings_of_now(tmp_path: Path) -> None:
    async def run() -> None:
        file = tmp_path / "hooks.yaml"
        file.write_text(LOG)
        async with make(file) as runtime:
            file.write_text(SPEAKER + "service: {actions: {speaker: {voice: high}}}\n")
            report = await runtime.reload()
            assert (report.accepted, report.needs_restart, Speaker.opened) == (True, (), ["high"])
            await (await runtime.emit("A")).wait(DEADLINE_S)
            assert Speaker.said == ["hello"]
            file.write_text(SPEAKER + "service: {actions: {speaker: {voice: loud}}}\n")
            report = await runtime.reload()
            assert (report.needs_restart, Speaker.opened) == (("service.actions.speaker.voice",), ["high"])
            file.write_text(LOG)
            assert (await runtime.reload()).accepted
            assert Speaker.closed == 0  # attempts may be under way
        assert Speaker.closed == 1

    asyncio.run(run())


def test_an_action_that_cannot_be_opened_rejects_all_and_leaves_nothing_open(tmp_path: Path) -> None:
    async def run() -> None:
        file = tmp_path / "hooks.yaml"
        file.write_text(LOG)
        seen = Seen()
        async with make(file, observers=[seen]) as runtime:
            file.write_text("hooks: {a: {on: A, steps: [{speaker: hello}, {zmute: hello}]}}\n")
            report = await runtime.reload()
            assert not report.accepted
            assert "there is no voice here" in str(report.problems[-1])
            assert (Speaker.opened, Speaker.closed) == (["low"], 1)
            [delivery] = await (await runtime.emit("A")).wait(DEADLINE_S)
            assert delivery.status is Status.SUCCEEDED
            file.write_text(SPEAKER)
            assert (await runtime.reload()).accepted
            await (await runtime.emit("A")).wait(DEADLINE_S)
            assert Speaker.said == ["hello"]
        assert seen.accepted == [False, True]

    asyncio.run(run())


def test_a_hook_of_the_program_keeps_its_name(tmp_path: Path) -> None:
    async def run() -> None:
        file = tmp_path / "hooks.yaml"
        file.write_text(LOG)
        runtime = make(file)
        runtime.on("A", name="mine")(lambda event: None)
        async with runtime:
            file.write_text(LOG.replace("a:", "mine:"))
            report = await runtime.reload()
            assert not report.accepted
            assert "'mine' is defined twice" in str(report.problems)
            assert set(runtime.router.hooks) == {"a", "mine"}
            file.write_text(LOG.replace("a:", "b:"))
            assert (await runtime.reload()).accepted
            assert set(runtime.router.hooks) == {"b", "mine"}
            assert len((await runtime.emit("A")).deliveries) == 2

    asyncio.run(run())


def test_settings_of_the_service_need_a_restart_and_the_rest_is_taken(tmp_path: Path) -> None:
    async def run() -> None:
        file = tmp_path / "hooks.yaml"
        file.write_text(LOG)
        async with make(file) as runtime:
            file.write_text(
                SPEAKER + "service: {port: 99, limits: {pending: 5}, tokens: [{token: t, scopes: [read]}]}\n"
            )
            report = await runtime.reload()
            assert report.accepted
            assert set(report.needs_restart) == {"service.port", "service.limits.pending", "service.tokens"}
            assert runtime.configuration is not None
            assert runtime.configuration.service.port == 4665
            await (await runtime.emit("A")).wait(DEADLINE_S)
            assert Speaker.said == ["hello"]
            again = await runtime.reload()
            assert again.needs_restart == report.needs_restart
            file.write_text(SPEAKER)
            assert (await runtime.reload()).needs_restart == ()

    asyncio.run(run())


def test_sources_are_started_restarted_and_ended_by_what_changed(tmp_path: Path) -> None:
    async def run() -> None:
        file = tmp_path / "hooks.yaml"

        def write(*sources: str) -> None:
            file.write_text("sources:\n" + "".join(f"  {source}\n" for source in sources) + LOG)

        write("same: {ticker: {type: A}}", "gone: {ticker: {type: B}}", "other: {ticker: {type: C}}")
        async with make(file) as runtime:
            await until(lambda: len(Ticker.runs) == 3)
            Ticker.runs.clear()
            write("new: {ticker: {type: E}}", "same: {ticker: {type: A}}", "other: {ticker: {type: D}}")
            report = await runtime.reload()
            changes = report.sources
            assert (changes.added, changes.removed, changes.changed) == (("new",), ("gone",), ("other",))
            await until(lambda: len(Ticker.runs) == 4)
            assert set(Ticker.runs) == {"-gone B", "-other C", "+other D", "+new E"}
            assert Ticker.runs.index("-other C") < Ticker.runs.index("+other D")
        assert {"-same A", "-other D", "-new E"} <= set(Ticker.runs)

    asyncio.run(run())


SECRET = "hooks: {a: {on: A, steps: [{speaker: 'my ${{ secrets.KEY }}'}]}}\n"


def test_secrets_and_variables_are_read_anew_and_masked(tmp_path: Path) -> None:
    async def run() -> None:
        file, env_file = tmp_path / "hooks.yaml", tmp_path / ".env"
        file.write_text(LOG)
        env_file.write_text("PLACE=here\n")
        files = ConfigFiles(file, registry(), {"HOME": "/nowhere"}, env_file)
        reading = files.read()
        assert reading.loaded.configuration is not None
        runtime = Runtime.from_configuration(
            reading.loaded.configuration, files.registry, store="memory:", env=reading.env, files=files
        )
        async with runtime:
            file.write_text(SECRET)
            report = await runtime.reload()
            assert not report.accepted
            assert "KEY is not provided" in str(report.problems)
            env_file.write_text("HOOKRT_SECRET_KEY=hunter2-hunter2\nPLACE=there\n")
            assert (await runtime.reload()).accepted
            assert runtime.mask("it is hunter2-hunter2") == "it is ***"
            [delivery] = await (await runtime.emit("A")).wait(DEADLINE_S)
            [attempt] = await runtime.store.attempts(delivery.id)
            assert attempt.logs == ("info: saying my ***",)
            assert Speaker.said == ["my hunter2-hunter2"]
            file.write_text(
                "hooks: {a: {on: A, when: env.PLACE == 'there', steps: [{speaker: 'in ${{ env.PLACE }}'}]}}\n"
            )
            await runtime.reload()
            await (await runtime.emit("A")).wait(DEADLINE_S)
            assert Speaker.said[-1] == "in there"
            env_file.write_text("no variable\n")
            report = await runtime.reload()
            assert not report.accepted
            assert report.problems[0].place.file == str(env_file)

    asyncio.run(run())


def test_destinations_are_those_of_now(tmp_path: Path) -> None:
    async def run() -> None:
        file = tmp_path / "hooks.yaml"
        hooks = "hooks: {a: {on: A, steps: [{webhook: {to: crm}}]}}\n"
        file.write_text("destinations: {crm: {url: https://one.example.com, concurrency: 2}}\n" + hooks)
        async with make(file) as runtime:
            file.write_text("destinations: {crm: {url: https://two.example.com, concurrency: 3}}\n" + hooks)
            report = await runtime.reload()
            assert (report.hooks.changed, report.destinations.changed) == ((), ("crm",))
            found = runtime.destinations["crm"]
            assert (found.url, found.concurrency) == ("https://two.example.com", 3)

    asyncio.run(run())


def test_a_directory_is_read_whole_with_files_that_come_and_go(tmp_path: Path) -> None:
    async def run() -> None:
        folder = tmp_path / "hooks"
        folder.mkdir()
        (folder / "a.yaml").write_text(LOG)
        async with make(folder) as runtime:
            (folder / "b.yml").write_text(LOG.replace("a:", "b:"))
            assert (await runtime.reload()).hooks.added == ("b",)
            (folder / "a.yaml").rename(folder / "c.yaml")
            report = await runtime.reload()
            assert not report.hooks
            (folder / "b.yml").write_text(LOG)
            report = await runtime.reload()
            assert not report.accepted
            assert "defined twice" in str(report.problems[0])
            (folder / "c.yaml").unlink()
            assert (await runtime.reload()).hooks.removed == ("b",)
            assert len((await runtime.emit("A")).deliveries) == 1
            (folder / "b.yml").unlink()
            assert not (await runtime.reload()).accepted
            assert (await runtime.store.deliveries(DeliveryQuery(hook="a"))).items

    asyncio.run(run())


class Failing:
    """The memory store, which cannot hold anything for the first time."""

    def __init__(self) -> None:
        self.store = open_store("memory:", SystemClock())
        self.failures = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def hold_orphans(self, known: Any, reason: str) -> int:
        if self.failures:
            self.failures -= 1
            raise StoreError("it broke")
        return await self.store.hold_orphans(known, reason)


def test_what_the_store_cannot_do_at_a_reload_is_done_when_it_can(tmp_path: Path) -> None:
    async def run() -> None:
        file, store = tmp_path / "hooks.yaml", Failing()
        file.write_text("hooks: {a: {on: A, retry: [1h], steps: [{webhook: 'http://127.0.0.1:9/'}]}}\n")
        runtime = Runtime.from_file(file, store=cast("Any", store), registry=registry(), env={})
        async with runtime:
            receipt = await runtime.emit("A")
            counts = runtime.store.counts
            async with asyncio.timeout(DEADLINE_S):
                while not (await counts()).get(Status.WAITING):
                    await asyncio.sleep(0.01)
                store.failures = 1
                file.write_text("hooks: {}\n")
                assert (await runtime.reload()).accepted
                while not (await counts()).get(Status.HELD):
                    await asyncio.sleep(0.01)
            assert (await receipt.wait(0))[0].reason == "hook-removed"

    asyncio.run(run())


def test_lines_that_the_log_held_back_are_written_at_the_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        file = tmp_path / "hooks.yaml"
        file.write_text("hooks: {a: {on: A, when: event.data.n > 1, steps: [{log: hello}]}}\n")
        with caplog.at_level("INFO", "hookrt"):
            async with make(file) as runtime:
                for _ in range(30):
                    await runtime.emit("A", {})

    asyncio.run(run())
    lines = [str(record.msg) for record in caplog.records if "condition-unanswerable" in str(record.msg)]
    counted = [int(found[1]) for line in lines if (found := re.search(r"count=(\d+)", line))]
    assert sum(counted) + len(lines) - len(counted) == 30
