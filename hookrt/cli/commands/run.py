"""`hookrt run`: the service."""

from __future__ import annotations

import asyncio
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hookrt.cli.event_loop import run_in_loop
from hookrt.cli.interrupts import stop_requests
from hookrt.cli.options import ConfigArgument, EnvFileOption
from hookrt.cli.problem_view import show_problems
from hookrt.cli.project import find_path, open_project
from hookrt.cli.reloading import Reloading, ServedFiles, hangups
from hookrt.cli.render import Screen
from hookrt.cli.service import Service, serving
from hookrt.cli.version import installed_version
from hookrt.cli.wording import brief_duration, counted
from hookrt.config.load import Configuration
from hookrt.errors import ConfigError
from hookrt.model.delivery import Status
from hookrt.observability.log import configure_logging, get_log
from hookrt.observability.metrics import Metrics
from hookrt.plugin.settings import format_duration
from hookrt.runtime import Runtime
from hookrt.runtime.config_files import ConfigFiles, Reading

app = typer.Typer(add_completion=False)


class LogFormat(StrEnum):
    """How the log looks; `auto` is console on a terminal, else JSON."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@app.command()
def run(  # noqa: PLR0913 - one parameter for each option
    path: ConfigArgument = None,
    *,
    host: Annotated[str | None, typer.Option(help="Listen on this address.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Listen on this port; 0 takes any.", show_default="4665")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where events are kept.", show_default=".hookrt/hookrt.db beside hooks.yaml"),
    ] = None,
    env_file: EnvFileOption = None,
    watch: Annotated[
        bool | None, typer.Option("--watch/--no-watch", help="Take up files that change.", show_default="watch")
    ] = None,
    log_format: Annotated[LogFormat | None, typer.Option(help="How the log looks.", show_default="auto")] = None,
    log_level: Annotated[LogLevel | None, typer.Option(help="The least that is logged.", show_default="info")] = None,
) -> None:
    """Serve hooks.yaml: take events over HTTP and deliver them.

    Every event that is answered 202 is on disk and will be delivered, also
    after a crash. Ctrl-C or SIGTERM ends it gracefully: attempts under way
    finish, or are made again by the next run. A second Ctrl-C ends at once.

    A changed hooks.yaml is taken up while it runs, at once on SIGHUP. One with
    problems changes nothing: they are shown, and what ran before goes on.

    Settings come from these options, then from HOOKRT_* variables (like
    HOOKRT_PORT), then from `service:` in hooks.yaml.

    Examples:
      hookrt run
      hookrt run deploy/hooks.yaml --port 8080 --env-file .env
      hookrt run --host 0.0.0.0 --store sqlite:////var/lib/hookrt/hookrt.db
    """
    log = {"format": log_format, "level": log_level}
    settings = {"host": host, "port": port, "store": store, "watch": watch, "log": log}
    files = ServedFiles(find_path(path), open_project(path, env_file).registry, dict(os.environ), env_file, settings)
    run_in_loop(_serve(files, _load(files)))


def _load(files: ConfigFiles) -> Reading:
    reading = files.read()
    if reading.loaded.configuration is None:
        raise ConfigError(reading.loaded.problems)
    show_problems(Screen(sys.stderr), reading.loaded.problems)
    return reading


async def _serve(files: ConfigFiles, reading: Reading) -> None:
    configuration, metrics = reading.loaded.configuration, Metrics()
    assert configuration is not None
    settings = configuration.service
    runtime = Runtime.from_configuration(
        configuration, files.registry, env=reading.env, observers=[metrics], files=files
    )
    configure_logging(settings.log.format, settings.log.level, runtime.mask)
    asyncio.get_running_loop().set_exception_handler(_log_stray_error)
    screen = Screen(sys.stderr)
    with stop_requests() as stop, hangups(stop) as asked:
        async with serving(runtime, settings, metrics) as service:
            await _announce(screen, service, files, configuration)
            del configuration, reading  # a reload can free what it replaces
            async with Reloading(runtime, files.path, asked, settings.watch).going_on():
                await stop.wait()
            limit = brief_duration(format_duration(settings.drain))
            screen.line(f"stopping: attempts under way have {limit} to finish; Ctrl-C again ends at once")
    screen.line("stopped" if service.finished else "stopped; the attempts that did not finish are made again next time")


async def _announce(screen: Screen, service: Service, files: ConfigFiles, configuration: Configuration) -> None:
    counts = await service.runtime.store.counts()
    open_deliveries = sum(count for status, count in counts.items() if not status.final and status is not Status.HELD)
    held = counts.get(Status.HELD, 0)
    waiting = f"{counted(open_deliveries, 'delivery', 'deliveries')} pending" + (f", {held} held" if held else "")
    screen.line((f"hookrt {installed_version()}", "bold"), " listens on ", (service.server.url, "bold cyan"))
    screen.line(("  store  ", "dim"), f"{service.runtime.store.url} ({waiting})")
    screen.line(("  hooks  ", "dim"), f"{counted(len(configuration.hooks), 'hook')} from {_absolute(files.path)}")
    if taking := [source.path for source in configuration.sources if source.path]:
        screen.line(("  sources", "dim"), " " + ", ".join(taking))
    for name, report in service.runtime.action_reports.items():
        facts = ", ".join(f"{fact} {value}" for fact, value in report.facts.items())
        screen.line(("  action ", "dim"), f"{name}: {facts or 'see below'}")
        for warning in report.warnings:
            screen.line(("  warning ", "bold yellow"), (warning, "yellow"))
    for plugin in files.registry.plugins:
        for error in plugin.errors:
            screen.line(("  plugin ", "dim"), (f"{plugin.distribution} {plugin.version} failed: {error}", "yellow"))


def _absolute(path: Path) -> Path:
    return path.resolve()


def _log_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """What no task could catch goes to the log as one line, never to the terminal as a traceback."""
    error = context.get("exception")
    get_log("service").error("stray-error", what=str(context.get("message")), error=repr(error))
