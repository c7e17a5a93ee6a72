"""`hookrt sources`: where events come from besides `POST /v1/events`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hookrt.cli.answer import show_answer
from hookrt.cli.client import Client, NobodyAnswers, segment
from hookrt.cli.options import ConfigArgument, EnvFileOption, PlainOutputOption
from hookrt.cli.project import load_configuration, open_project
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.source_view import show_source, show_sources
from hookrt.config.load import Configuration
from hookrt.config.suggest import did_you_mean
from hookrt.errors import HookrtError
from hookrt.runtime.source_facts import source_details, source_facts, upcoming_times

app = typer.Typer(add_completion=False)

_BRIEF = ("name", "plugin", "path", "types", "place")


@app.callback()
def sources() -> None:
    """List the sources that hooks.yaml declares.

    A source takes webhooks at its path, /in/NAME, or brings events by itself;
    POST /v1/events is always open besides.
    """


@app.command("list")
def list_sources(
    path: ConfigArgument = None, *, env_file: EnvFileOption = None, output: PlainOutputOption = Format.TEXT
) -> None:
    """List the declared sources, the plugin behind each, where senders reach it, and the types that it sends.

    They are read from the local hooks.yaml; no service is needed.

    Examples:
      hookrt sources list
    """
    configuration = load_configuration(open_project(path, env_file), "warn")
    found = [{name: source_facts(one)[name] for name in _BRIEF} for one in configuration.sources]
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json({"items": found, "next": None}))
        return
    if found:
        show_sources(screen, found)
    elif not configuration.lacking_sources:
        screen.line("hooks.yaml declares no sources: events come over HTTP")
    if configuration.lacking_sources:
        screen.line(("left out, since a secret is not provided: ", "dim"), ", ".join(configuration.lacking_sources))


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    path: ConfigArgument = None,
    *,
    env_file: EnvFileOption = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Show one source: where senders reach it, its settings without the secrets, and what came in.

    Of a schedule, it shows the ticks to come.

    The running service is asked. Where none runs, or a PATH is given, the
    local hooks.yaml is read.

    Examples:
      hookrt sources show logto
    """
    source = _asked(name) if path is None else None
    if source is None:
        source = _read(name, load_configuration(open_project(path, env_file), "warn"))
    show_answer(output, source, show_source)


def _asked(name: str) -> Any:
    """The source as the service describes it; None where no service runs."""
    try:
        with Client() as client:
            return client.get(f"/v1/sources/{segment(name)}")
    except NobodyAnswers:
        if client.address.given:
            raise
        return None


def _read(name: str, configuration: Configuration) -> dict[str, Any]:
    found = next((one for one in configuration.sources if one.name == name), None)
    if found is not None:
        details = source_details(found, configuration.secrets.masker.mask)
        upcoming = upcoming_times(found, datetime.now(UTC))
        return {**details, "requests": None, "upcoming": upcoming}  # what came in, nobody is there to know
    if name in configuration.lacking_sources:
        raise HookrtError(f"the source {name!r} needs a secret that is not provided: `hookrt check` names it")
    hint = did_you_mean(name, [one.name for one in configuration.sources])
    raise HookrtError(f"there is no source {name!r}" + (f": {hint}" if hint else ""))
