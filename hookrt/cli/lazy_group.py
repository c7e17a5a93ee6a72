"""The table of commands: what `hookrt --help` lists, and how each is loaded when it is called.

Listing and completing names costs no import; only the command that is called is loaded, with all it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from hookrt.cli.help_types import tidy_all

_LOCAL = "Your hooks"
_SERVE = "The service"
_ASK = "Ask a running service (HOOKRT_URL, HOOKRT_TOKEN)"
_MORE = "More"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command in the list: one line on what it does, under which heading, and how to load it."""

    summary: str
    heading: str
    load: Callable[[], typer.Typer]


class LazyGroup(TyperGroup):
    """A group whose commands are stand-ins until one of them is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments name, loaded, and the arguments left for it."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and name in COMMANDS:
            command = get_command(COMMANDS[name].load())
            tidy_all(command)
        return name, command, rest


def placeholders() -> dict[str, TyperCommand]:
    """The stand-ins of all commands, for lists and for completion."""
    return {
        name: TyperCommand(name, short_help=entry.summary, help=entry.summary, rich_help_panel=entry.heading)
        for name, entry in COMMANDS.items()
    }


def _init() -> typer.Typer:
    from hookrt.cli.commands.init import app

    return app


def _check() -> typer.Typer:
    from hookrt.cli.commands.check import app

    return app


def _import() -> typer.Typer:
    from hookrt.cli.commands.importing import app

    return app


def _test() -> typer.Typer:
    from hookrt.cli.commands.test import app

    return app


def _explain() -> typer.Typer:
    from hookrt.cli.commands.explain import app

    return app


def _schema() -> typer.Typer:
    from hookrt.cli.commands.schema import app

    return app


def _demo() -> typer.Typer:
    from hookrt.cli.commands.demo import app

    return app


def _run() -> typer.Typer:
    from hookrt.cli.commands.run import app

    return app


def _emit() -> typer.Typer:
    from hookrt.cli.commands.emit import app

    return app


def _decide() -> typer.Typer:
    from hookrt.cli.commands.decide import app

    return app


def _hooks() -> typer.Typer:
    from hookrt.cli.commands.hooks import app

    return app


def _events() -> typer.Typer:
    from hookrt.cli.commands.events import app

    return app


def _deliveries() -> typer.Typer:
    from hookrt.cli.commands.deliveries import app

    return app


def _jobs() -> typer.Typer:
    from hookrt.cli.commands.jobs import app

    return app


def _plugins() -> typer.Typer:
    from hookrt.cli.commands.plugins import app

    return app


def _docs() -> typer.Typer:
    from hookrt.cli.commands.docs import app

    return app


def _sources() -> typer.Typer:
    from hookrt.cli.commands.sources import app

    return app


def _receiver() -> typer.Typer:
    from hookrt.cli.commands.receiver import app

    return app


def _store() -> typer.Typer:
    from hookrt.cli.commands.store import app

    return app


def _outbox() -> typer.Typer:
    from hookrt.cli.commands.outbox import app

    return app


def _secrets() -> typer.Typer:
    from hookrt.cli.commands.secrets import app

    return app


def _version() -> typer.Typer:
    from hookrt.cli.commands.version import app

    return app


COMMANDS: Mapping[str, Entry] = {
    "demo": Entry("See it work: a service, a receiver, sample events, and what happened.", _SERVE, _demo),
    "run": Entry("Serve hooks.yaml: take events over HTTP and deliver them.", _SERVE, _run),
    "receiver": Entry("Receive webhooks here, show them and verify their signatures.", _SERVE, _receiver),
    "init": Entry("Write a commented hooks.yaml to start from.", _LOCAL, _init),
    "check": Entry("Find every problem of hooks.yaml, each with its line and what to do.", _LOCAL, _check),
    "test": Entry("Run the tests that hooks carry, offline.", _LOCAL, _test),
    "explain": Entry("Say for every hook whether an event fires it and, if not, why.", _LOCAL, _explain),
    "schema": Entry("Print the JSON Schema of hooks.yaml, for editors.", _LOCAL, _schema),
    "sources": Entry("List the sources that hooks.yaml declares.", _LOCAL, _sources),
    "import": Entry("Make a hooks.yaml of another program's file.", _LOCAL, _import),
    "emit": Entry("Send an event to the service.", _ASK, _emit),
    "decide": Entry("Ask the hooks of `mode: decide` what they say.", _ASK, _decide),
    "hooks": Entry("List the hooks of the service, show, test, disable or enable one.", _ASK, _hooks),
    "events": Entry("List the events that came in, show one, or run some through a hook again.", _ASK, _events),
    "deliveries": Entry("List, show, retry, replay, cancel or follow deliveries, one or many.", _ASK, _deliveries),
    "jobs": Entry("List, show, follow or cancel replays and cancellations of many.", _ASK, _jobs),
    "store": Entry("Look after the SQLite store: its size, a backup, its free space.", _MORE, _store),
    "outbox": Entry("Print the table in which applications write events beside their data.", _MORE, _outbox),
    "secrets": Entry("Make fresh secrets to sign with.", _MORE, _secrets),
    "docs": Entry("Show the reference of an action, a source or a signature scheme.", _MORE, _docs),
    "plugins": Entry("List the installed plugins, verify them, or begin a new one.", _MORE, _plugins),
    "version": Entry("Show the version of hookrt and of what it stands on.", _MORE, _version),
}
"""Every command, in the order of `hookrt --help`."""
