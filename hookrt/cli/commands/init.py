"""`hookrt init`: a commented hooks.yaml to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from hookrt.cli.project import DEFAULT_PATH
from hookrt.cli.render import Screen
from hookrt.config.starter import starter_text
from hookrt.errors import HookrtError

app = typer.Typer(add_completion=False)

_NEXT = {
    "check": "finds every problem in it",
    "test": "runs the tests in it, offline",
    "demo": "shows it at work",
    "run": "serves it",
}


@app.command()
def init(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The file to write, or the folder to write hooks.yaml into.")
    ] = DEFAULT_PATH,
    *,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a commented hooks.yaml to start from.

    It runs as it is: `hookrt check` finds no problem in it, `hookrt demo`
    plays it.

    Examples:
      hookrt init
      hookrt init deploy/
    """
    target = path / DEFAULT_PATH if path.is_dir() else path
    try:
        with target.open("w" if force else "x", encoding="utf-8") as file:
            file.write(starter_text())
    except FileExistsError:
        raise HookrtError(f"{target} is there already: nothing was written (--force writes over it)") from None
    screen = Screen()
    screen.line("wrote ", (str(target), "bold"))
    place = "" if target == DEFAULT_PATH else f" {shlex.quote(str(target))}"
    width = max(map(len, _NEXT))
    for command, does in _NEXT.items():
        screen.line("  ", (f"hookrt {command}{place}", "cyan"), " " * (width - len(command)), f"  {does}")
