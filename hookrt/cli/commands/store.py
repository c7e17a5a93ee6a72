"""`hookrt store`: the file in which events are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hookrt.cli.answer import tell
from hookrt.cli.options import PlainOutputOption
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.store_place import find_store
from hookrt.cli.store_view import bar, facts_json, show_facts, size_text
from hookrt.errors import HookrtError
from hookrt.store.sqlite.backup import back_up
from hookrt.store.sqlite.upkeep import read_facts, rewrite, shrink

app = typer.Typer(add_completion=False)

StoreOption = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help="Which store.", show_default="the one that `hookrt run` uses here"),
]


@app.callback()
def store() -> None:
    """Look after the SQLite store: its size, a backup, its free space.

    These work on the file itself, whether or not a service uses it. The store
    is the one that `hookrt run` would use here, or that of --store.
    """


@app.command("info")
def info(*, store: StoreOption = None, output: PlainOutputOption = Format.TEXT) -> None:
    """Show what the store holds, and where its space goes.

    Of a large store the bytes are reckoned from samples. How long what has
    ended is kept is set under service.retention in hooks.yaml.

    Examples:
      hookrt store info
      hookrt store info --store sqlite:////var/lib/hookrt/hookrt.db -o json
    """
    place = find_store(store)
    facts = read_facts(place.path, place.url)
    if output is Format.JSON:
        Screen().raw(to_json(facts_json(place, facts)))
    else:
        show_facts(Screen(), place, facts)


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.", show_default=False)],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE when it exists.")] = False,
    store: StoreOption = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Copy the store as it is now to FILE, also while a service uses it.

    The copy is checked before it gets its name, and readable for you alone.
    To go back to it, stop the service, put the copy in the store's place
    (and remove the -wal and -shm files beside it), and start again. What was
    delivered after the copy was made is then delivered once more.

    Examples:
      hookrt store backup /var/backups/hookrt.db
      hookrt store backup nightly.db --force
    """
    place = find_store(store)
    folder = file.absolute().parent
    if not folder.is_dir():
        raise HookrtError(f"there is no folder {folder}: make it first, or name another place for the copy")
    with bar("copying") as progress:
        size = back_up(place.path, place.url, file.absolute(), progress, force=force)
    copied = {"path": str(file.absolute()), "bytes": size}
    tell(output, copied, "copied to ", (str(file), "cyan"), f" ({size_text(size)}), and checked")


@app.command("vacuum")
def vacuum(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Write the whole file anew; no service may use it meanwhile.")
    ] = False,
    store: StoreOption = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Give the free space in the store's file back to the disk.

    A service does so by itself, but keeps some to use it again. This takes
    all of it, in small steps that a running service does not feel. With
    --full the file is written anew without gaps, which takes the most and
    needs as much free disk as the file has.

    Examples:
      hookrt store vacuum
      hookrt store vacuum --full
    """
    place = find_store(store)
    if full:
        given = rewrite(place.path, place.url)
    else:
        with bar("giving back") as progress:
            given = shrink(place.path, place.url, progress)
    told = f"{size_text(given)} given back" if given else "there is no free space in it"
    tell(output, {"bytes_given_back": given}, told)
