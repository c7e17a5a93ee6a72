"""`hookrt demo`: the tour."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from hookrt.cli.demo.narrator import Narrator, News, WatchedRuntime
from hookrt.cli.demo.samples import OWN_EVENT, SAMPLES
from hookrt.cli.demo.stage import RECEIVER_PORT, InventedSecrets, Stage, set_stage, signing_secrets
from hookrt.cli.demo.story import Mailbox
from hookrt.cli.event_loop import run_in_loop
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.interrupts import stop_requests
from hookrt.cli.options import ConfigArgument, EnvFileOption
from hookrt.cli.project import DEFAULT_PATH, Project, load_configuration, open_project
from hookrt.cli.receiver_server import Receiver, StandardJudge
from hookrt.cli.render import Screen
from hookrt.cli.service import Service, serving
from hookrt.cli.wording import counted
from hookrt.config.starter import starter_text
from hookrt.errors import HookrtError
from hookrt.observability.log import configure_logging
from hookrt.observability.metrics import Metrics
from hookrt.web.server import CannotListen, WebServer, bind_sockets

app = typer.Typer(add_completion=False)

_SERVICE_PORT = 4665


@dataclass(frozen=True, slots=True)
class Props:
    """What the demo is played with."""

    project: Project
    stage: Stage
    secrets: InventedSecrets
    receiver: WebServer
    mailbox: Mailbox
    folder: Path


@app.command()
def demo(
    path: ConfigArgument = None,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End after the sample events: 0 when all went well, 1 when not.")
    ] = False,
    env_file: EnvFileOption = None,
) -> None:
    """See it work: a service, a receiver, sample events, and what happened.

    It plays your hooks.yaml, or a sample where there is none, with a store
    that is thrown away. Nothing leaves this machine: destinations point to
    a receiver of the demo, which verifies the signatures; missing secrets
    are made up.

    Examples:
      hookrt demo
      hookrt demo deploy/hooks.yaml
      hookrt demo --once
    """
    with tempfile.TemporaryDirectory(prefix="hookrt-demo-") as folder:
        happy = run_in_loop(_play(path, env_file, Path(folder), once=once))
    if not happy:
        raise typer.Exit(EXIT_PROBLEMS)


async def _play(path: Path | None, env_file: Path | None, folder: Path, *, once: bool) -> bool:
    """Play it; with `once` whether all went well, else True."""
    screen = Screen()
    with stop_requests() as stop:
        props = _prepare(screen, path, env_file, folder)
        async with _on_stage(props) as (service, narrator):
            _introduce(screen, props, service)
            told = await _until(_send_samples(service, narrator), stop)
            if told and not once:
                _invite(screen, service)
                await _until(narrator.tell_forever(), stop)
    screen.line()
    screen.line("the demo is over, its store is gone")
    return not once or (told and narrator.happy)


def _prepare(screen: Screen, path: Path | None, env_file: Path | None, folder: Path) -> Props:
    chosen = path
    if path is None and not DEFAULT_PATH.exists():
        chosen = folder / "hooks.yaml"
        chosen.write_text(starter_text(), encoding="utf-8")
        screen.line("there is no hooks.yaml here, so this is the one that `hookrt init` writes")
    secrets, mailbox = InventedSecrets(), Mailbox()
    project = replace(open_project(chosen, env_file), last_resort=[secrets])
    configuration = load_configuration(project, "error")
    judge = StandardJudge(lambda: signing_secrets(configuration, secrets.made), unsigned_too=True)
    receiver_app = Receiver(mailbox.put, judge)
    receiver = _bind_first_free(receiver_app, RECEIVER_PORT)
    if receiver.port != RECEIVER_PORT:
        screen.line((f"port {RECEIVER_PORT} is in use, so the demo's receiver listens on {receiver.port}", "yellow"))
    stage = set_stage(configuration, receiver.url, _free_port())
    return Props(project, stage, secrets, receiver, mailbox, folder)


@contextlib.asynccontextmanager
async def _on_stage(props: Props) -> AsyncIterator[tuple[Service, Narrator]]:
    configuration, news = props.stage.configuration, News()
    runtime = WatchedRuntime.from_configuration(
        configuration,
        props.project.registry,
        store=f"sqlite:///{props.folder / 'demo.db'}",
        env=props.project.env,
        news=news,
    )
    configure_logging("console", "error", runtime.mask)
    await props.receiver.start()
    try:
        async with serving(runtime, configuration.service, Metrics()) as service:
            yield service, Narrator(Screen(), runtime, props.mailbox, news)
    finally:
        await props.receiver.stop(timedelta(seconds=1))


def _introduce(screen: Screen, props: Props, service: Service) -> None:
    hooks = counted(len(props.stage.configuration.hooks), "hook")
    screen.line(("service   ", "dim"), (service.server.url, "bold cyan"), f"  {hooks} from {props.project.path}")
    screen.line(("receiver  ", "dim"), (props.receiver.url, "bold cyan"), "  verifies every signature")
    if props.secrets.made:
        screen.line(("secrets   ", "dim"), f"made up for this demo: {', '.join(props.secrets.made)}")
    if props.stage.redirected:
        names = ", ".join(props.stage.redirected)
        screen.line(("note      ", "dim"), (f"pointed to the receiver: {names}; nothing leaves this machine", "yellow"))


async def _send_samples(service: Service, narrator: Narrator) -> None:
    async with httpx.AsyncClient(base_url=service.server.url, trust_env=False, timeout=30) as client:
        for sample in SAMPLES:
            answer = await client.post("/v1/events", json={"type": sample.type, "data": sample.data})
            if answer.status_code != httpx.codes.ACCEPTED:
                raise HookrtError(f"the service answered {answer.status_code} to a sample event: {answer.text}")
            while not await narrator.tell_next(sample.says):
                pass  # news of an earlier event
    await narrator.tell_rest()


def _invite(screen: Screen, service: Service) -> None:
    screen.line()
    screen.line("Now yours:")
    screen.line()
    screen.line(("  curl -s " + service.server.url + "/v1/events -H 'content-type: application/json' \\", "bold"))
    screen.line((f"    -d '{OWN_EVENT}'", "bold"))
    screen.line()
    screen.line("What comes in is shown here; Ctrl-C ends the demo.")


async def _until(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Do it until it is done or Ctrl-C comes; whether it was done. What it raises is raised here."""
    task, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return False


def _bind_first_free(receiver: Receiver, wanted: int) -> WebServer:
    """The receiver on localhost, both families, at the wanted port or, when that is taken, at any free one."""
    server = WebServer(receiver, "localhost", wanted)
    try:
        server.bind()
    except CannotListen:
        server = WebServer(receiver, "localhost", 0)
        server.bind()
    return server


def _free_port() -> int:
    """4665 when it is free, else 0 for any."""
    try:
        for one in bind_sockets("127.0.0.1", _SERVICE_PORT):
            one.close()
    except CannotListen:
        return 0
    return _SERVICE_PORT
