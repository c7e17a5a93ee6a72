"""Many deliveries at once: what would be touched, the question whether to, and the job that does it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from hookrt.cli.answer import show_answer
from hookrt.cli.client import Client
from hookrt.cli.delivery_view import show_deliveries
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.job_following import follow
from hookrt.cli.job_view import show_events_preview
from hookrt.cli.render import Format, Screen
from hookrt.cli.wording import counted

Shown = Mapping[str, Any]

RateOption = Annotated[
    str | None, typer.Option("--rate", metavar="N/s", help="Most deliveries in a time, like 50/s or 600/m.")
]
"""`--rate 50/s`."""

NewMessageIdOption = Annotated[
    bool, typer.Option("--new-message-id", help="Let receivers take it for a new message, not a repeated one.")
]
"""`--new-message-id`."""

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Change nothing: show what would be done.")]
"""`--dry-run`."""

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, also when it is more than one.")]
"""`--yes`."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of the service: the route, what `verb` says in a question, and how to show a dry run."""

    path: str
    body: Mapping[str, Any]
    verb: str
    count: Callable[[Shown], int]
    show: Callable[[Screen, Shown], None]


def delivery_order(path: str, verb: str, body: Mapping[str, Any]) -> Order:
    """An order about deliveries."""

    def show(screen: Screen, preview: Shown) -> None:
        if preview["items"]:
            show_deliveries(screen, preview["items"])
        screen.line(f"{counted(preview['total'], 'delivery', 'deliveries')} would be {verb}; nothing was done")

    return Order(path, body, f"be {verb}", lambda preview: int(preview["total"]), show)


def event_order(hook: str, body: Mapping[str, Any]) -> Order:
    """An order to run events through a hook."""

    def show(screen: Screen, preview: Shown) -> None:
        show_events_preview(screen, preview, hook)

    return Order("/v1/events/replay", body, f"go to {hook}", lambda preview: int(preview["fires"]), show)


def place(order: Order, *, dry_run: bool, yes: bool, output: Format) -> None:
    """Show what would be done, or do it: asked before on a terminal when it is more than one, and followed."""
    body = {name: value for name, value in order.body.items() if value is not None}
    with Client() as client:
        if dry_run:
            preview = client.post(order.path, {**body, "dry_run": True})
            show_answer(output, preview, order.show)
            return
        if not yes and sys.stdin.isatty():
            _confirm(order, client.post(order.path, {**body, "dry_run": True, "limit": 0}))
        body.pop("limit", None)
        follow(client, client.post(order.path, body), output)


def _confirm(order: Order, preview: Shown) -> None:
    count = order.count(preview)
    what = counted(count, "delivery", "deliveries")
    if count > 1 and not typer.confirm(f"{what} would {order.verb}. Go on?", err=True):
        raise typer.Exit(EXIT_PROBLEMS)
