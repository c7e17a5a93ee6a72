"""Options and arguments that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from hookrt.cli.render import Format
from hookrt.plugin.settings import parse_duration

OutputOption = Annotated[
    Format,
    typer.Option("--output", "-o", help="text for people, json for programs, github for annotations in a workflow."),
]
"""`-o text|json|github`."""


_PLAIN = (Format.TEXT, Format.JSON)


def _read_plain(text: str) -> Format:
    if text == Format.GITHUB:
        raise typer.BadParameter("github is for check, emit and plugins list: take text or json")
    if text not in _PLAIN:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(map(repr, map(str, _PLAIN)))}.")
    return Format(text)


PlainOutputOption = Annotated[
    Format,
    typer.Option(
        "--output",
        "-o",
        metavar="|".join(_PLAIN),
        help="text for people, json for programs.",
        parser=_read_plain,
        autocompletion=lambda: list(map(str, _PLAIN)),
    ),
]
"""`-o text|json`, where nothing is found that could be annotated."""

ConfigArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="PATH", help="A hooks file, or a folder of *.yaml files.", show_default="hooks.yaml in this folder"
    ),
]
"""The configuration, by default `hooks.yaml` in the current folder."""

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="PATH",
        help="A hooks file, or a folder of *.yaml files.",
        show_default="hooks.yaml in this folder",
    ),
]
"""The same as an option, where the argument is something else."""

EnvFileOption = Annotated[
    Path | None,
    typer.Option("--env-file", metavar="FILE", help="Read variables from this file too; the environment wins."),
]
"""`--env-file .env`."""

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="At most so many.")]
"""How many items a list shows."""

CursorOption = Annotated[
    str | None, typer.Option("--cursor", help="Go on where the last list ended; it names its cursor.")
]
"""Where a list goes on."""


def read_duration(text: str, option: str) -> timedelta:
    """The duration that an option gives; raises BadParameter, which says how to write one."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
