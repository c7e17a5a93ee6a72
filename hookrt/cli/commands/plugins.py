"""`hookrt plugins`: what is installed, what it brings, what is wrong with it, and a new one to begin with."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from hookrt.cli.columns import Column, Fit
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.installed import load_installed, plugins_print_aside, rules_here
from hookrt.cli.options import OutputOption, PlainOutputOption
from hookrt.cli.render import Format, Piece, Screen, annotation, to_json
from hookrt.cli.wording import counted
from hookrt.config.suggest import did_you_mean
from hookrt.errors import HookrtError
from hookrt.plugin.registry import PluginInfo, Registry
from hookrt.plugin.rules import PluginRule

app = typer.Typer(add_completion=False)
_COLUMNS = (
    Column("plugin", Fit.FOLD),
    Column("distribution", Fit.FOLD),
    Column("version"),
    Column("actions", Fit.CUT, rank=2),
    Column("sources", Fit.CUT, rank=1),
    Column("functions", Fit.CUT, rank=3),
    Column("state"),
)


@app.callback()
def plugins() -> None:
    """List the installed plugins, verify them, or begin a new one.

    A plugin is any installed distribution with an entry point in the group
    `hookrt`; hookrt's own actions are found in the same way.
    """


@app.command("list")
def list_plugins(output: OutputOption = Format.TEXT) -> None:
    """List every installed plugin with its actions, sources and errors.

    One that `service.plugins` of the hooks.yaml here denies is listed, and
    not loaded. Ends with 1 when a plugin could not be loaded; the others
    work all the same.

    Examples:
      hookrt plugins list
      hookrt plugins list -o json
    """
    registry = load_installed()
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(_as_json(registry)))
    else:
        _show(screen, registry, output)
    if registry.ambiguous or any(plugin.errors for plugin in registry.plugins):
        raise typer.Exit(EXIT_PROBLEMS)


@app.command("verify")
def verify_plugins(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A distribution or a plugin of one; without it, all.")
    ] = None,
    *,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Check the contract of installed plugins, each by itself.

    Looked at: that it loads (in a process of its own first, where it may
    hang or end), that its import does nothing but define
    things, names, docstrings, that the settings give a JSON Schema and a
    reference, that secrets stay hidden, the short form, and that an action
    opens and closes. Ends with 1 when something failed.

    Examples:
      hookrt plugins verify
      hookrt plugins verify hookrt-sms
      hookrt plugins verify hookrt-sms -o json
    """
    from hookrt.cli.check_view import show_checks
    from hookrt.cli.plugin_checks import load_watched, verify

    with plugins_print_aside():
        registry, watched = load_watched(rules_here())
        checks = list(verify(registry, _chosen(registry, name), watched))
    failed = sum(one.state == "failed" for one in checks)
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json({"failed": failed, "checks": [dataclasses.asdict(one) for one in checks]}))
    else:
        show_checks(screen, checks)
    if failed:
        raise typer.Exit(EXIT_PROBLEMS)


@app.command("new")
def new_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the action is called in hooks.yaml.")],
    *,
    directory: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder to write it into.", show_default="hookrt-NAME in this folder"),
    ] = None,
) -> None:
    """Write a complete distribution with one action: settings, tests, README, CI.

    It works as it is: install it, run its tests, and `hookrt check` its
    hooks.yaml. Then make the action do what you want. Nothing that is
    there is written over.

    Examples:
      hookrt plugins new sms
      hookrt plugins new pagerduty --directory plugins/hookrt-pagerduty
    """
    from hookrt.cli.new_plugin import NewPlugin, write_plugin

    plugin = NewPlugin.named(name, sorted(load_installed().actions))
    folder = directory if directory is not None else Path(plugin.distribution)
    files = write_plugin(plugin, folder)
    screen = Screen()
    wrote = f": {counted(len(files), 'file')}, the action is in {plugin.main_file}"
    screen.line("wrote ", (str(folder), "bold"), wrote)
    screen.line("then:")
    for command, does in plugin.next_steps(folder):
        screen.line("  ", (command.ljust(38), "cyan"), f"  {does}")


def _chosen(registry: Registry, name: str | None) -> list[PluginInfo]:
    """The plugins that a name means; raises HookrtError when it means none."""
    if name is None:
        return list(registry.plugins)
    rule = PluginRule(name, "")
    found = [one for one in registry.plugins if rule.names(one.distribution, one.entry_point)]
    found = found or [one for one in registry.plugins if name in (*one.actions, *one.sources, *one.functions)]
    if not found:
        known = {known for one in registry.plugins for known in (one.distribution, one.entry_point)}
        hint = did_you_mean(name, known) or "`hookrt plugins list` shows what is installed"
        raise HookrtError(f"no installed plugin is called {name!r}: {hint}")
    return found


def _show(screen: Screen, registry: Registry, output: Format) -> None:
    screen.table(_COLUMNS, [_row(plugin) for plugin in registry.plugins])
    for denied in (one for one in registry.plugins if one.denied is not None):
        screen.line()
        screen.line(f"{denied} ({denied.entry_point}): {denied.denied}")
    for problem in _problems(registry):
        screen.line()
        screen.block(problem, style="red")
        if output is Format.GITHUB:
            screen.raw(annotation("error", problem))


def _row(plugin: PluginInfo) -> list[Piece]:
    state: Piece = ("failed", "bold red") if plugin.errors else ("ok", "green")
    if plugin.denied is not None:
        state = ("denied", "yellow")
    brought = [", ".join(names) or "-" for names in (plugin.actions, plugin.sources, plugin.functions)]
    return [(plugin.entry_point, "bold"), plugin.distribution, plugin.version, *brought, state]


def _problems(registry: Registry) -> list[str]:
    failed = [
        f"{plugin} ({plugin.module or plugin.entry_point}): {error}"
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
