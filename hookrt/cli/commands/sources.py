"""`hookrt sources`: where events come from besides HTTP."""

from __future__ import annotations

from typing import Any

import typer

from hookrt.cli.columns import Column, Fit
from hookrt.cli.options import ConfigArgument, EnvFileOption, PlainOutputOption
from hookrt.cli.project import load_configuration, open_project
from hookrt.cli.render import Format, Screen, to_json
from hookrt.config.load import Configuration

app = typer.Typer(add_completion=False)

_COLUMNS = (
    Column("source", Fit.FOLD),
    Column("plugin", Fit.FOLD),
    Column("types", Fit.CUT, rank=1),
    Column("defined", Fit.FOLD, least=20),
)


@app.callback()
def sources() -> None:
    """List the sources that hooks.yaml declares.

    A source brings events by itself; POST /v1/events is always open besides.
    """


@app.command("list")
def list_sources(
    path: ConfigArgument = None, *, env_file: EnvFileOption = None, output: PlainOutputOption = Format.TEXT
) -> None:
    """List the declared sources, the plugin behind each, and the types that it sends.

    They are read from the local hooks.yaml; no service is needed.

    Examples:
      hookrt sources list
    """
    configuration = load_configuration(open_project(path, env_file), "warn")
    found = _as_json(configuration)
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json({"items": found, "next": None}))
    elif found:
        rows = [
            [(row["name"], "bold"), row["plugin"], ", ".join(row["types"] or ["any"]), row["place"]] for row in found
        ]
        screen.table(_COLUMNS, rows)
    else:
        screen.line("hooks.yaml declares no sources: events come over HTTP")


def _as_json(configuration: Configuration) -> list[dict[str, Any]]:
    return [
        {
            "name": source.name,
            "plugin": source.plugin.name,
            "types": None if source.types is None else list(source.types),
            "place": str(source.place) if source.place else "-",
        }
        for source in configuration.sources
    ]
