"""`hookrt events`: what came into a running service."""

from __future__ import annotations

from typing import Annotated

import typer

from hookrt.cli.ask import StoreOption, ask
from hookrt.cli.client import segment
from hookrt.cli.delivery_view import show_deliveries
from hookrt.cli.event_view import show_event, show_events
from hookrt.cli.options import CursorOption, LimitOption, OutputOption
from hookrt.cli.render import Format, Screen, to_json

app = typer.Typer(add_completion=False)


@app.callback()
def events() -> None:
    """List the events that came in, or show one.

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
    output: OutputOption = Format.TEXT,
) -> None:
    """List events, newest first; also those that no hook wanted.

    Every filter is exact.

    Examples:
      hookrt events list
      hookrt events list --type PostSignIn -n 100
    """
    filters = {"type": type_, "source": source, "limit": limit, "cursor": cursor}
    page = ask(lambda client: client.get("/v1/events", **filters), store)
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(page))
        return
    if not page["items"]:
        screen.line("no events")
        return
    show_events(screen, page["items"])
    if page.get("next"):
        screen.line(("more with --cursor ", "dim"), page["next"])


@app.command("show")
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    *,
    source: Annotated[str | None, typer.Option(help="Its source, where two sources used the same id.")] = None,
    store: StoreOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Show one event with its data and its deliveries.

    An id is unique within its source.

    Examples:
      hookrt events show evt_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    event = ask(lambda client: client.get(f"/v1/events/{segment(id_)}", source=source), store)
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(event))
        return
    show_event(screen, event)
    screen.line()
    if event["deliveries"]:
        show_deliveries(screen, event["deliveries"])
    else:
        screen.line("no hook wanted it: ", ("hookrt explain " + event["id"], "cyan"), " says why")
