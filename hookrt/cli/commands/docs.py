"""`hookrt docs`: the reference of an action, a source or a signature scheme, made from its settings model."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from hookrt.cli.columns import Column, Fit
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.installed import load_installed
from hookrt.cli.options import PlainOutputOption
from hookrt.cli.reference_view import as_markdown, show_markdown
from hookrt.cli.render import Format, Screen, to_json
from hookrt.config.suggest import among
from hookrt.errors import HookrtError
from hookrt.plugin.reference import Kind, Reference, reference_of
from hookrt.plugin.registry import Registry

app = typer.Typer(add_completion=False)

_COLUMNS = (Column("name"), Column("kind"), Column("what it is", Fit.CUT))


@app.command()
def docs(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="An action, a source or a signature scheme; without one, all.")
    ] = None,
    *,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Show the reference of an action, a source or a signature scheme.

    It is made from the plugin itself: every setting with its type, default
    and meaning, the reasons of its outcomes, when it is tried again, and
    an example. Into a file or a pipe it is written as Markdown.

    Examples:
      hookrt docs
      hookrt docs webhook
      hookrt docs sms > docs/sms.md
    """
    registry = load_installed()
    found = _references(registry, name)
    if not found and name is not None:
        known = [one.name for one in _references(registry, None)]
        hint = registry.why_missing(name) or among(name, known, registry.absentees())
        raise HookrtError(f"there is no action, source or signature scheme {name!r}" + (f": {hint}" if hint else ""))
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json([dataclasses.asdict(one) for one in found]))
    elif name is None:
        rows = [[(one.name, "bold"), one.kind, one.about.partition("\n")[0]] for one in found]
        screen.table(_COLUMNS, rows)
    else:
        for one in found:
            show_markdown(screen, as_markdown(one))
    if not found:
        raise typer.Exit(EXIT_PROBLEMS)


def _references(registry: Registry, name: str | None) -> list[Reference]:
    """Those of one name, which may be an action's and a source's; or of all, without those that are named twice."""
    tables: tuple[tuple[Kind, dict[str, type]], ...] = (
        ("action", registry.actions),
        ("source", registry.sources),
        ("signature scheme", registry.schemes),
    )
    return [
        reference_of(kind, plugin)
        for kind, table in tables
        for known, plugin in sorted(table.items())
        if (":" not in known if name is None else known == name)
    ]
