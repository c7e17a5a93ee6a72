"""`hookrt plugins`: what is installed, what it brings, and what went wrong with it."""

from __future__ import annotations

import dataclasses

import typer

from hookrt.cli.columns import Column, Fit
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.options import OutputOption
from hookrt.cli.render import Format, Piece, Screen, annotation, to_json
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import PluginInfo, Registry

app = typer.Typer(add_completion=False)

_COLUMNS = (
    Column("plugin", Fit.FOLD),
    Column("distribution", Fit.FOLD),
    Column("version"),
    Column("actions", Fit.CUT, rank=2),
    Column("sources", Fit.CUT, rank=1),
    Column("state"),
)


@app.callback()
def plugins() -> None:
    """List the installed plugins and what went wrong with them.

    A plugin is any installed distribution with an entry point in the group
    `hookrt`; hookrt's own actions are found in the same way.
    """


@app.command("list")
def list_plugins(output: OutputOption = Format.TEXT) -> None:
    """List every installed plugin with its actions, sources and errors.

    Ends with 1 when a plugin could not be loaded; the others work all the same.

    Examples:
      hookrt plugins list
      hookrt plugins list -o json
    """
    registry = load_plugins()
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(_as_json(registry)))
    else:
        _show(screen, registry, output)
    if registry.ambiguous or any(plugin.errors for plugin in registry.plugins):
        raise typer.Exit(EXIT_PROBLEMS)


def _show(screen: Screen, registry: Registry, output: Format) -> None:
    screen.table(_COLUMNS, [_row(plugin) for plugin in registry.plugins])
    for problem in _problems(registry):
        screen.line()
        screen.block(problem, style="red")
        if output is Format.GITHUB:
            screen.raw(annotation("error", problem))


def _row(plugin: PluginInfo) -> list[Piece]:
    state: Piece = ("failed", "bold red") if plugin.errors else ("ok", "green")
    brought = [", ".join(plugin.actions) or "-", ", ".join(plugin.sources) or "-"]
    return [(plugin.entry_point, "bold"), plugin.distribution, plugin.version, *brought, state]


def _problems(registry: Registry) -> list[str]:
    failed = [
        f"{plugin.distribution} {plugin.version} ({plugin.module}): {error}"
        for plugin in registry.plugins
        for error in plugin.errors
    ]
    taken = [
        f"several plugins bring {name!r}: write {' or '.join(f'{owner}:{name}' for owner in owners)}"
        for name, owners in registry.ambiguous.items()
    ]
    return failed + taken


def _as_json(registry: Registry) -> dict[str, object]:
    return {
        "plugins": [dataclasses.asdict(plugin) for plugin in registry.plugins],
        "ambiguous": {name: list(owners) for name, owners in registry.ambiguous.items()},
    }
