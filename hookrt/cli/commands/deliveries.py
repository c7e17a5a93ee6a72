"""`hookrt deliveries`: what became of events, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from hookrt.cli.answer import show_answer, show_page, tell
from hookrt.cli.ask import StoreOption, ask
from hookrt.cli.bulk import DryRunOption, NewMessageIdOption, RateOption, YesOption, delivery_order, place
from hookrt.cli.client import Client, segment
from hookrt.cli.delivery_view import show_cut_off, show_deliveries, show_delivery
from hookrt.cli.moments import SinceOption, UntilOption, read_moment, read_time
from hookrt.cli.options import CursorOption, LimitOption, PlainOutputOption
from hookrt.cli.render import Format, Screen
from hookrt.model.delivery import Status

app = typer.Typer(add_completion=False)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The delivery's id.")]
OneArgument = Annotated[str | None, typer.Argument(metavar="ID", help="The delivery's id; else say which by options.")]
HookOption = Annotated[str | None, typer.Option(help="Only those of this hook.")]
ReasonOption = Annotated[str | None, typer.Option(help="Only those that ended, or wait, for this reason.")]

_FILTERS = ("hook", "status", "reason", "since", "until")


@app.callback()
def deliveries() -> None:
    """List, show, retry, replay, cancel or follow deliveries, one or many.

    The service is the one at HOOKRT_URL (http://127.0.0.1:4665 by default).
    Where none runs, list and show read its store's file.
    """


@app.command("list")
def list_deliveries(  # noqa: PLR0913 - one parameter for each option
    *,
    hook: Annotated[str | None, typer.Option(help="Only those of this hook.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only those with this status.")] = None,
    event: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this event.")] = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    store: StoreOption = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """List deliveries, newest first.

    A delivery is one event for one hook.

    Examples:
      hookrt deliveries list --status dead --since 24h
      hookrt deliveries list --hook welcome -n 100
    """
    filters = {"hook": hook, "status": status.value if status else None, "event": event, "reason": reason}
    filters |= {"since": read_time(since, "--since"), "until": read_time(until, "--until")}
    page, idle = ask(
        lambda client: (client.get("/v1/deliveries", **filters, limit=limit, cursor=cursor), client.idle), store
    )
    show_page(output, page, "deliveries", show_deliveries)
    show_cut_off(Screen(sys.stderr), page["items"], idle=idle)


@app.command("show")
def show(id_: IdArgument, *, store: StoreOption = None, output: PlainOutputOption = Format.TEXT) -> None:
    """Show one delivery with its steps and every attempt: what was sent, what was answered.

    Secrets are masked, and long bodies are cut.

    Examples:
      hookrt deliveries show dlv_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    delivery, idle = ask(lambda client: (client.get(_path(id_)), client.idle), store)
    show_answer(output, delivery, partial(show_delivery, full=True))
    show_cut_off(Screen(sys.stderr), [delivery], idle=idle)


@app.command("retry")
def retry(id_: IdArgument, output: PlainOutputOption = Format.TEXT) -> None:
    """Make the next attempt of a waiting delivery now.

    One that is dead is not retried but replayed.

    Examples:
      hookrt deliveries retry dlv_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    with Client() as client:
        answer = client.post(f"{_path(id_)}/retry")
    if answer.get("breaker") in {"open", "half-open"}:
        after = f" waits for the breaker of its lane, {answer['lane']}, which is {answer['breaker']}"
    else:
        after = " is due now"
    tell(output, answer, "the next attempt of ", (id_, "cyan"), after)


@app.command("replay")
def replay(  # noqa: PLR0913 - one parameter for each option
    id_: OneArgument = None,
    *,
    hook: HookOption = None,
    status: Annotated[
        list[Status] | None, typer.Option(help="Only those with this status; dead unless it is given. Repeatable.")
    ] = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    rate: RateOption = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Run the steps again that succeeded, too.")] = False,
    new_message_id: NewMessageIdOption = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that have been replayed already.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Deliver the same event to the same hook once more, with the hook as it is now.

    The replay is a new delivery. It begins at the first step that did not
    succeed; that of a delivery that succeeded begins at the first. Without
    an ID, all that match are replayed by a job of the service.

    Examples:
      hookrt deliveries replay dlv_01jd3v5x0e4m8q2s7t9w1y3z5b --from-start
      hookrt deliveries replay --hook welcome --since 24h --rate 50/s
      hookrt deliveries replay --status dead --reason timeout --dry-run
    """
    filters = _filters(hook, status, reason, since, until)
    body = {"from": "start" if from_start else None, "new_message_id": new_message_id}
    if _names_one(id_, {**filters, "rate": rate, "again": again or None, "dry_run": dry_run or None}):
        with Client() as client:
            answer = client.post(f"{_path(id_)}/replay", body)
        tell(output, answer, "replayed as ", (answer["id"], "cyan"))
        return
    order = delivery_order("/v1/deliveries/replay", "replayed", {**filters, **body, "rate": rate, "again": again})
    place(order, dry_run=dry_run, yes=yes, output=output)


@app.command("cancel")
def cancel(  # noqa: PLR0913 - one parameter for each option
    id_: OneArgument = None,
    *,
    hook: HookOption = None,
    status: Annotated[
        list[Status] | None, typer.Option(help="Only those with this status; all that are not final unless given.")
    ] = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    rate: RateOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """End a delivery that is not final, or, without an ID, all that match.

    An attempt under way is not interrupted, but its result does not count.

    Examples:
      hookrt deliveries cancel dlv_01jd3v5x0e4m8q2s7t9w1y3z5b
      hookrt deliveries cancel --hook welcome --status waiting
    """
    filters = _filters(hook, status, reason, since, until)
    if _names_one(id_, {**filters, "rate": rate, "dry_run": dry_run or None}):
        with Client() as client:
            answer = client.post(f"{_path(id_)}/cancel")
        tell(output, answer, "cancelled ", (str(id_), "cyan"))
        return
    order = delivery_order("/v1/deliveries/cancel", "cancelled", {**filters, "rate": rate})
    place(order, dry_run=dry_run, yes=yes, output=output)


@app.command("tail")
def tail(
    *,
    hook: HookOption = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what went wrong.")] = False,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Follow deliveries live: every attempt, and every end.

    It goes on when the service is started again. With -o json each line is
    one JSON object.

    Examples:
      hookrt deliveries tail
      hookrt deliveries tail --failed --hook welcome
    """
    from hookrt.cli.tail import tail as tail_deliveries

    tail_deliveries(hook=hook, failed=failed, output=output)


def _filters(
    hook: str | None, status: Sequence[Status] | None, reason: str | None, since: str | None, until: str | None
) -> dict[str, Any]:
    """The filter as the service takes it; what was not given is None."""
    return {
        "hook": hook,
        "status": [one.value for one in status] if status else None,
        "reason": reason,
        "since": read_moment(since, "--since"),
        "until": read_moment(until, "--until"),
    }


def _names_one(id_: str | None, options: Mapping[str, Any]) -> bool:
    """Whether it is about the one delivery of this id; raises BadParameter for both an id and a filter, or neither."""
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if id_ is not None and given:
        raise typer.BadParameter(f"{given[0]} is for many deliveries: leave it out, or the ID", param_hint="ID")
    if id_ is None and not any(options[name] is not None for name in _FILTERS):
        raise typer.BadParameter(
            "name a delivery, or say which by --hook, --status, --reason, --since or --until", param_hint="ID"
        )
    return id_ is not None


def _path(identity: str | None) -> str:
    return f"/v1/deliveries/{segment(identity or '')}"
