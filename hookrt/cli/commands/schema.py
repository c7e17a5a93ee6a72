"""`hookrt schema`: the JSON Schema of hooks.yaml with every installed plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hookrt.cli.installed import load_installed
from hookrt.cli.render import Screen, to_json
from hookrt.config.schema import build_schema

app = typer.Typer(add_completion=False)


@app.command()
def schema(
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write it to this file instead of printing it.")
    ] = None,
) -> None:
    """Print the JSON Schema of hooks.yaml, for editors.

    It knows the settings of every installed action and source, so that an
    editor completes and checks them; without those that `service.plugins` of
    the hooks.yaml here denies. Say in the first line of hooks.yaml
    where it is:

      # yaml-language-server: $schema=hooks.schema.json

    Examples:
      hookrt schema --to hooks.schema.json
    """
    text = to_json(build_schema(load_installed()))
    screen = Screen()
    if to is None:
        screen.raw(text)
    else:
        to.write_text(text + "\n", encoding="utf-8")
        screen.line("wrote ", (str(to), "bold"))
