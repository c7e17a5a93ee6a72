"""`hookrt emit`: send an event to the service and, if asked, see what comes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from hookrt.cli.client import Client, is_final, poll_pause, segment
from hookrt.cli.delivery_view import show_delivery
from hookrt.cli.event_input import plain_form, read_data
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.options import OutputOption, read_duration
from hookrt.cli.render import Format, Screen, annotation, to_json

app = typer.Typer(add_completion=False)

Delivery = Mapping[str, Any]


@app.command()
def emit(  # noqa: PLR0913 - one parameter for each option
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="The event's type, like PostRegister or User.Created.")],
    *,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="JSON|@FILE|-", help="The event's data: JSON, a file, or stdin."),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Take realistic data, as the sources know it for this type.")
    ] = False,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The event's id: sent twice, it is taken once.")
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Where the event comes from.")] = None,
    subject: Annotated[str | None, typer.Option(metavar="TEXT", help="What the event is about.")] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="HOOK", help="No other hook gets it, whatever they listen to.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for its deliveries and show them.")] = False,
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="With --wait: stop waiting after this time.")
    ] = "60s",
    output: OutputOption = Format.TEXT,
) -> None:
    """Send an event to the service.

    The event is on disk when this command ends with 0. With --wait it ends
    with 1 when a delivery died or was not finished in time, and with --only
    when that hook does not want it.

    It is a real event: stored, delivered with retries, and counted.
    `hookrt hooks test` runs a hook without any of that.

    Examples:
      hookrt emit PostSignIn --sample --only welcome --wait
      hookrt emit PostRegister --data '{"user": {"primaryEmail": "ada@acme.com"}}' --wait
      hookrt emit User.Deleted --id del-17 --data @user.json
      curl -s https://example.com/order.json | hookrt emit Order.Paid --data -
    """
    limit = read_duration(timeout, "--timeout")
    if sample and data is not None:
        raise typer.BadParameter(
            "--sample and --data both say what the data is: give one of them", param_hint="--sample"
        )
    content = None if sample else read_data(data or "null")
    with Client() as client:
        if content is None:
            content, subject = _sample(client, type_, subject)
        body = plain_form(type_, content, id_=id_, source=source, subject=subject)
        receipt = client.post_text("/v1/events", body, only=only)
        if output is not Format.JSON:
            _show_receipt(Screen(), type_, receipt, only)
        waited = _wait(client, receipt["deliveries"], limit) if wait else None
    if output is Format.JSON:
        Screen().raw(to_json(receipt if waited is None else {**receipt, "awaited": waited}))
    else:
        _show_deliveries(Screen(), waited or [], output)
    unwanted = only is not None and not receipt["deliveries"]
    if unwanted or not all(_succeeded(delivery) for delivery in waited or []):
        raise typer.Exit(EXIT_PROBLEMS)


def _sample(client: Client, type_: str, subject: str | None) -> tuple[bytes, str | None]:
    """Realistic data of this type, and the subject that goes with it unless one is given."""
    found = client.get(f"/v1/samples/{segment(type_)}")
    return json.dumps(found["data"], ensure_ascii=False).encode(), subject or found["subject"]


def _wait(client: Client, ids: Sequence[str], limit: timedelta) -> list[Delivery]:
    """The deliveries when all of them are final or held, or as they are when the time is up."""
    deadline = time.monotonic() + limit.total_seconds()
    turn = 0
    while True:
        deliveries: list[Delivery] = [client.get(f"/v1/deliveries/{segment(identity)}") for identity in ids]
        settled = all(is_final(delivery) or delivery.get("status") == "held" for delivery in deliveries)
        left = deadline - time.monotonic()
        if settled or left <= 0:
            return deliveries
        time.sleep(min(poll_pause(turn).total_seconds(), left))
        turn += 1


def _succeeded(delivery: Delivery) -> bool:
    return delivery.get("status") in {"succeeded", "cancelled"}


def _show_receipt(screen: Screen, type_: str, receipt: Mapping[str, Any], only: str | None) -> None:
    count = len(receipt["deliveries"])
    what = f"{count} {'delivery' if count == 1 else 'deliveries'}" if count else _unwanted(only)
    again = " (sent before: this is the first one's answer)" if receipt.get("duplicate") else ""
    screen.line((type_, "bold"), " is stored as ", (str(receipt["id"]), "cyan"), f": {what}{again}")
    if only is not None and not count:
        tell_why = (
            f"`hookrt explain {receipt['id']}` says why; `hookrt hooks test {only} --type {type_}` runs it anyway"
        )
        screen.line((f"  {tell_why}", "dim"))


def _unwanted(only: str | None) -> str:
    return "no hook wants it" if only is None else f"{only} does not want it"


def _show_deliveries(screen: Screen, deliveries: Sequence[Delivery], output: Format) -> None:
    for delivery in deliveries:
        screen.line()
        show_delivery(screen, delivery)
        if output is Format.GITHUB and not _succeeded(delivery):
            why = delivery.get("reason") or "not finished in time"
            screen.raw(annotation("error", f"{delivery.get('hook')}: {delivery.get('status')}, {why}"))
