"""`hookrt import`: files of other programs as a hooks.yaml."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.render import Screen
from hookrt.cli.wording import counted
from hookrt.errors import HookrtError

if TYPE_CHECKING:
    from hookrt.importing.notes import Imported

app = typer.Typer(add_completion=False)

_STYLES = {"left out": "bold red", "differs": "bold yellow", "to do": "bold cyan"}

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to import.", show_default=False)]
TargetOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write the hooks.yaml here, never over a file that is there.",
        show_default="standard output",
    ),
]
SecretsOption = Annotated[
    Path | None,
    typer.Option(
        "--secrets-to",
        metavar="FILE",
        help="Write the file's secrets here, for `hookrt run --env-file`: a new file, readable by you alone.",
    ),
]


@app.callback()
def import_() -> None:
    """Make a hooks.yaml of another program's file.

    What means the same is translated; what does not is left out. Each
    difference has a numbered note, on standard error and as a comment.
    No secret is written into hooks.yaml.
    """


@app.command("adnanh")
def adnanh(file: FileArgument, *, output: TargetOption = None, secrets_to: SecretsOption = None) -> None:
    """Import the hooks.json or hooks.yaml of adnanh/webhook.

    Each of its hooks becomes a source, which verifies as the trigger rule
    does, and a hook that runs the command. Ends with 1 when a hook had to
    be left out; the others are written all the same.

    Examples:
      hookrt import adnanh hooks.json
      hookrt import adnanh hooks.json -o hooks.yaml --secrets-to hookrt.env
    """
    from hookrt.importing.adnanh.translate import translate

    _import(translate, file, output, secrets_to)


@app.command("logto")
def logto(file: FileArgument, *, output: TargetOption = None, secrets_to: SecretsOption = None) -> None:
    """Import the webhooks of Logto, as its `GET /api/hooks` returns them.

    Each becomes a hook that sends what Logto sends, signed with the same
    key. Ends with 1 when one had to be left out.

    Examples:
      curl -H "authorization: Bearer $TOKEN" https://LOGTO/api/hooks > logto.json
      hookrt import logto logto.json -o hooks.yaml --secrets-to hookrt.env
    """
    from hookrt.importing.logto import translate

    _import(partial(translate, events=_events_of_logto()), file, output, secrets_to)


def _events_of_logto() -> Collection[str]:
    """The events that the source for Logto knows; none where it is missing."""
    from hookrt.cli.installed import load_installed

    plugin = load_installed().sources.get("logto")
    return () if plugin is None else plugin().types(plugin.settings.model_validate({"secret": "none"})) or ()


def _import(translate: Callable[[Path], Imported], file: Path, output: Path | None, secrets_to: Path | None) -> None:
    from hookrt.importing.naming import env_lines
    from hookrt.importing.target import write_new

    for path in (output, secrets_to):
        if path is not None and path.exists():
            raise HookrtError(f"{path} is there already: nothing was written")
    found = translate(file)
    if secrets_to is not None:
        write_new(secrets_to, env_lines(found.secrets), private=True)
    if output is not None:
        write_new(output, found.text)
    else:
        Screen().raw(found.text.removesuffix("\n"))
    _tell(found, Screen(sys.stderr))
    if found.left_out:
        raise typer.Exit(EXIT_PROBLEMS)


def _tell(found: Imported, note_screen: Screen) -> None:
    for note in found.notes:
        about = f"{note.hook}: " if note.hook else ""
        place = (f"{note.place.file}:{note.place.line}: ", "bold")
        note_screen.line(place, f"note {note.number}, ", (note.kind, _STYLES[note.kind]), f": {about}{note.text}")
    done = counted(found.hooks, "hook")
    gone = f", {found.left_out} left out" if found.left_out else ""
    note_screen.line((f"{done} imported{gone}, {counted(len(found.notes), 'note')}", "bold"))
