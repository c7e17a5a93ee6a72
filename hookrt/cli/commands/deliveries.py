"""`hookrt deliveries`: what became of events, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from hookrt.cli.ask import StoreOption, ask
from hookrt.cli.client import Client, segment
from hookrt.cli.delivery_view import show_deliveries, show_delivery
from hookrt.cli.options import CursorOption, LimitOption, OutputOption
from hookrt.cli.render import Format, Screen, to_json
from hookrt.model.delivery import Status

app = typer.Typer(add_completion=False)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The delivery's id.")]


@app.callback()
def deliveries() -> None:
    """List deliveries, show, retry, replay or cancel one.

    The service is the one at HOOKRT_URL (http://127.0.0.1:4665 by default).
    Where none runs, list and show read its store's file.
    """


@app.command("list")
def list_deliveries(  # noqa: PLR0913 - one parameter for each option
    *,
    hook: Annotated[str | None, typer.Option(help="Only those of this hook.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only those with this status.")] = None,
    event: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this event.")] = None,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    store: StoreOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """List deliveries, newest first.

    A delivery is one event for one hook.

    Examples:
      hookrt deliveries list --status dead
      hookrt deliveries list --hook welcome -n 100
    """
    filters = {"hook": hook, "status": status.value if status else None, "event": event}
    page = ask(lambda client: client.get("/v1/deliveries", **filters, limit=limit, cursor=cursor), store)
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(page))
    elif not page["items"]:
        screen.line("no deliveries")
    else:
        show_deliveries(screen, page["items"])
        if page.get("next"):
            screen.line(("more with --cursor ", "dim"), page["next"])


@app.command("show")
def show(id_: IdArgument, *, store: StoreOption = None, output: OutputOption = Format.TEXT) -> None:
    """Show one delivery with its steps and every attempt: what was sent, what was answered.

    Secrets are masked, and long bodies are cut.

    Examples:
      hookrt deliveries show dlv_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    delivery = ask(lambda client: client.get(_path(id_)), store)
    if output is Format.JSON:
        Screen().raw(to_json(delivery))
    else:
        show_delivery(Screen(), delivery, full=True)


@app.command("retry")
def retry(id_: IdArgument, output: OutputOption = Format.TEXT) -> None:
    """Make the next attempt of a waiting delivery now.

    One that is dead is not retried but replayed.

    Examples:
      hookrt deliveries retry dlv_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    with Client() as client:
        answer = client.post(f"{_path(id_)}/retry")
    _tell(output, answer, "the next attempt of ", id_, " is due now")


@app.command("replay")
def replay(
    id_: IdArgument,
    *,
    from_start: Annotated[bool, typer.Option("--from-start", help="Run the steps again that succeeded, too.")] = False,
    new_message_id: Annotated[
        bool, typer.Option("--new-message-id", help="Let receivers take it for a new message, not a repeated one.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Deliver the same event to the same hook once more, with the hook as it is now.

    The replay is a new delivery. It begins at the first step that did not
    succeed; that of a delivery that succeeded begins at the first.

    Examples:
      hookrt deliveries replay dlv_01jd3v5x0e4m8q2s7t9w1y3z5b
      hookrt deliveries replay dlv_01jd3v5x0e4m8q2s7t9w1y3z5b --from-start
    """
    body = {"from": "start" if from_start else None, "new_message_id": new_message_id}
    with Client() as client:
        answer = client.post(f"{_path(id_)}/replay", body)
    _tell(output, answer, "replayed as ", answer["id"], "")


@app.command("cancel")
def cancel(id_: IdArgument, output: OutputOption = Format.TEXT) -> None:
    """End a delivery that is not final.

    An attempt under way is not interrupted, but its result does not count.

    Examples:
      hookrt deliveries cancel dlv_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    with Client() as client:
        answer = client.post(f"{_path(id_)}/cancel")
    _tell(output, answer, "cancelled ", id_, "")


def _path(identity: str) -> str:
    return f"/v1/deliveries/{segment(identity)}"


def _tell(output: Format, answer: object, before: str, identity: str, after: str) -> None:
    if output is Format.JSON:
        Screen().raw(to_json(answer))
    else:
        Screen().line(before, (identity, "cyan"), after)
