"""`hookrt sources`: where events come from besides HTTP."""

from __future__ import annotations

from typing import Any

import typer

from hookrt.cli.options import ConfigArgument, EnvFileOption, OutputOption
from hookrt.cli.project import load_configuration, open_project
from hookrt.cli.render import Format, Screen, to_json
from hookrt.config.load import Configuration

app = typer.Typer(add_completion=False)


@app.callback()
def sources() -> None:
    """List the sources that hooks.yaml declares.

    A source brings events by itself; POST /v1/events is always open besides.
    """


@app.command("list")
def list_sources(
    path: ConfigArgument = None, *, env_file: EnvFileOption = None, output: OutputOption = Format.TEXT
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
        screen.table(["source", "plugin", "types", "defined"], rows)
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
