"""`hookrt events`: what came into a running service."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hookrt.cli.answer import show_answer, show_page
from hookrt.cli.ask import StoreOption, ask
from hookrt.cli.bulk import DryRunOption, NewMessageIdOption, RateOption, YesOption, event_order, place
from hookrt.cli.client import segment
from hookrt.cli.delivery_view import show_cut_off, show_deliveries
from hookrt.cli.event_view import show_event, show_events
from hookrt.cli.moments import SinceOption, UntilOption, read_moment
from hookrt.cli.options import CursorOption, LimitOption, PlainOutputOption
from hookrt.cli.render import Format, Screen

app = typer.Typer(add_completion=False)


@app.callback()
def events() -> None:
    """List the events that came in, show one, or run some through a hook again.

    The service is the one at HOOKRT_URL (http://127.0.0.1:4665 by default).
    Where none runs, list and show read its store's file.
    """


@app.command("list")
def list_events(  # noqa: PLR0913 - one parameter for each option
    *,
    type_: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    source: Annotated[str | None, typer.Option(help="Only events of this source.")] = None,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    store: StoreOption = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """List events, newest first; also those that no hook wanted.

    Every filter is exact.

    Examples:
      hookrt events list
      hookrt events list --type PostSignIn -n 100
    """
    filters = {"type": type_, "source": source, "limit": limit, "cursor": cursor}
    page = ask(lambda client: client.get("/v1/events", **filters), store)
    show_page(output, page, "events", show_events)


@app.command("show")
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    *,
    source: Annotated[str | None, typer.Option(help="Its source, where two sources used the same id.")] = None,
    store: StoreOption = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Show one event with its data and its deliveries.

    An id is unique within its source.

    Examples:
      hookrt events show evt_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    event, idle = ask(lambda client: (client.get(f"/v1/events/{segment(id_)}", source=source), client.idle), store)
    show_answer(output, event, _show)
    show_cut_off(Screen(sys.stderr), event["deliveries"], idle=idle)


def _show(screen: Screen, event: Mapping[str, Any]) -> None:
    show_event(screen, event)
    screen.line()
    if event["deliveries"]:
        show_deliveries(screen, event["deliveries"])
    else:
        screen.line("no hook wanted it: ", ("hookrt explain " + event["id"], "cyan"), " says why")


@app.command("replay")
def replay(  # noqa: PLR0913 - one parameter for each option
    *,
    hook: Annotated[str, typer.Option(help="The hook, as it is now.")],
    since: SinceOption = None,
    until: UntilOption = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only events of this type.")] = None,
    source: Annotated[str | None, typer.Option(help="Only events of this source.")] = None,
    rate: RateOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also events that have a delivery for this hook already.")
    ] = False,
    new_message_id: NewMessageIdOption = False,
    dry_run: DryRunOption = False,
    show_count: Annotated[
        int, typer.Option("--show", min=0, max=100, help="How many events a dry run shows with their requests.")
    ] = 20,
    yes: YesOption = False,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Run recorded events through a hook as it is now: for one that was missing or wrong.

    Each event for which the hook fires gets a delivery, made by a job of the
    service. Those that have one for this hook already are passed over.

    Examples:
      hookrt events replay --since 24h --hook welcome --dry-run
      hookrt events replay --since 24h --hook welcome --rate 50/s
    """
    body = {
        "hook": hook,
        "type": type_,
        "source": source,
        "since": read_moment(since, "--since"),
        "until": read_moment(until, "--until"),
        "rate": rate,
        "again": again,
        "new_message_id": new_message_id,
        "limit": show_count,
    }
    place(event_order(hook, body), dry_run=dry_run, yes=yes, output=output)
