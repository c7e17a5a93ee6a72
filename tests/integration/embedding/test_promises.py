"""What DESIGN's "Interfaces" promises of an embedded runtime, one by one, each in a program of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Program = Callable[[str], str]

HOOKS = """
import asyncio
from hookrt import Event, Runtime

runtime = Runtime(store="sqlite:///app.db")

@runtime.on("A.B", name="plain")
def plain(event: Event) -> None:
    "In a thread."

@runtime.on("A.B", name="fails")
async def fails(event: Event) -> None:
    raise ValueError("boom")

async def work() -> None:
    async with runtime:
        receipt = await runtime.emit("A.B", {"n": 1})
        await receipt.wait(timeout=0.3)
"""
"""A program that works: hooks of both kinds, one of which fails, so that something is logged."""


def test_it_never_configures_logging_or_structlog(program: Program) -> None:
    program(
        """
        import logging, sys, warnings
        logging.getLogger().addHandler(logging.NullHandler())  # the program's own, which is to stay as it is
        def handlers():
            names = [None, *logging.root.manager.loggerDict]
            return {name: (list(logging.getLogger(name).handlers), logging.getLogger(name).level) for name in names}
        before = handlers()
        """
        + HOOKS.replace("\n", "\n        ")
        + """
        asyncio.run(work())
        after = handlers()
        assert after[None] == before[None], after[None]
        ours = {name: found for name, found in after.items() if name and name.startswith("hookrt")}
        assert ours and all(found == ([], logging.NOTSET) for found in ours.values()), ours
        import structlog
        assert not structlog.is_configured()
        assert warnings.showwarning.__module__ == "warnings"
        assert sys.excepthook is sys.__excepthook__
        """
    )


def test_it_installs_no_signal_handler_and_no_loop_policy(program: Program) -> None:
    program(
        """
        import asyncio, signal
        def state():
            return {number: signal.getsignal(number) for number in signal.valid_signals()}
        before, policy = state(), type(asyncio.get_event_loop_policy())
        """
        + HOOKS.replace("\n", "\n        ")
        + """
        async def look():
            own = state()  # SIGINT is asyncio.run's
            async with Runtime(store="memory:"):
                assert state() == own
                assert asyncio.get_running_loop().get_exception_handler() is None
            assert state() == own
        asyncio.run(look())
        with Runtime(store="memory:").blocking():
            assert state() == before
        assert state() == before
        assert type(asyncio.get_event_loop_policy()) is policy
        """
    )


def test_it_starts_nothing_and_writes_nothing_before_start(program: Program, tmp_path: Path) -> None:
    program(
        """
        import sys, threading
        seen = []
        FORBIDDEN = ("socket.bind", "socket.connect", "subprocess.Popen", "os.fork", "os.posix_spawn", "os.mkdir",
                     "os.remove", "os.rename", "sqlite3.connect")
        def note(event, args):
            writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
            if event in FORBIDDEN or writes:
                seen.append((event, args))
        sys.addaudithook(note)
        """
        + HOOKS.replace("\n", "\n        ")
        + """
        hooks = runtime.blocking()
        import hookrt.plugin, hookrt.testing, hookrt.web
        assert seen == [], seen
        assert threading.enumerate() == [threading.main_thread()]
        """
    )
    assert list(tmp_path.iterdir()) == []


def test_it_starts_no_process_before_a_python_step_exists(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "hooks"
    folder.mkdir()
    (folder / "hooks.yaml").write_text("hooks:\n  note:\n    on: A.B\n    steps: [{log: {message: hi}}]\n")
    snippet = "def run(event, ctx):\n              return 1\n"
    (folder / "snippet.txt").write_text(
        f"hooks:\n  note:\n    on: A.B\n    steps:\n      - python: |\n          {snippet}"
    )
    program(
        """
        import asyncio, logging, pathlib, sys
        logging.lastResort = None
        started = []
        sys.addaudithook(lambda event, args: started.append(event) if event in WATCHED else None)
        WATCHED = {"subprocess.Popen", "os.fork", "os.posix_spawn", "os.forkpty"}
        from hookrt import Runtime

        async def work():
            async with Runtime.from_file("hooks/hooks.yaml", store="sqlite:///app.db") as runtime:
                runtime.on("A.B", name="function")(lambda event: None)
                [*found] = await (await runtime.emit("A.B")).wait(timeout=20)
                assert {one.status.value for one in found} == {"succeeded"}, found
                assert started == [], started
                pathlib.Path("hooks/hooks.yaml").write_text(pathlib.Path("hooks/snippet.txt").read_text())
                report = await runtime.reload()
                assert report.accepted, report
                [*found] = await (await runtime.emit("A.B")).wait(timeout=20)
                assert {one.status.value for one in found} == {"succeeded"}, found
                assert started, "and with one there is"

        asyncio.run(work())
        """
    )


def test_it_needs_no_yaml(program: Program, tmp_path: Path) -> None:
    printed = program(
        """
        import asyncio
        from hookrt import Runtime

        async def work():
            runtime = Runtime(store="sqlite:///app.db")
            runtime.on("A.B", name="show")(lambda event: print(event.data))
            async with runtime:
                await (await runtime.emit("A.B", {"n": 1})).wait(timeout=20)

        asyncio.run(work())
        """
    )
    assert printed == "{'n': 1}\n"
    assert {path.name for path in tmp_path.iterdir()} <= {"app.db", "app.db.lock", "app.db-wal", "app.db-shm"}


def test_what_nobody_stops_is_stopped_when_the_program_ends(program: Program) -> None:
    """As under WSGI servers, which tell an application nothing: the attempt under way finishes, and is recorded."""
    printed = program(
        """
        import threading
        from hookrt import Runtime

        runtime = Runtime(store="sqlite:///app.db")
        begun, ending = threading.Event(), threading.Event()

        @runtime.on("A.B", name="slow")
        def slow(event):
            begun.set()
            ending.wait(20)
            print("finished")

        hooks = runtime.blocking()
        hooks.start()
        threading._register_atexit(ending.set)  # the last one registered is called first
        hooks.emit("A.B")
        begun.wait(20)
        """
    )
    assert printed == "finished\n"
    counted = program(
        """
        import asyncio
        from hookrt import Runtime

        async def count():
            async with Runtime(store="sqlite:///app.db", deliver=False) as runtime:
                print({status.value: n for status, n in (await runtime.store.counts()).items() if n})

        asyncio.run(count())
        """
    )
    assert counted == "{'succeeded': 1}\n"
