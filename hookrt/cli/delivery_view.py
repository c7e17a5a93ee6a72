"""How deliveries look, as the API describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hookrt.cli.columns import Column, Fit
from hookrt.cli.render import Piece, Screen
from hookrt.cli.wording import brief_time, local_time, milliseconds, state, value_text, why
from hookrt.model.delivery import Status

Shown = Mapping[str, Any]

_COLUMNS = (
    Column("delivery"),
    Column("status"),
    Column("hook", Fit.FOLD),
    Column("attempts", rank=1),
    Column("created"),
    Column("why", Fit.FOLD, rank=2),
    Column("event", Fit.FOLD, least=30, rank=3),
)
_LINES_IN_BRIEF = 10
_FINAL = {status.value for status in Status if status.final}


def show_deliveries(screen: Screen, deliveries: Sequence[Shown]) -> None:
    """A table of deliveries."""
    screen.table(_COLUMNS, [_row(delivery) for delivery in deliveries])


def show_cut_off(screen: Screen, deliveries: Sequence[Shown], *, idle: bool) -> None:
    """Beneath deliveries of an `idle` store: that nobody runs those that were running when their process ended."""
    count = sum(delivery["status"] == "running" for delivery in deliveries)
    if idle and count:
        which = "1 delivery is" if count == 1 else f"{count} deliveries are"
        what = f"{which} shown as running, but no process delivers from this store now"
        goes = "it goes" if count == 1 else "they go"
        screen.line((f"{what}: {goes} on when one does (`hookrt run`)", "dim"))


def show_delivery(screen: Screen, delivery: Shown, *, full: bool = False) -> None:
    """One delivery with its steps and attempts; `full` adds headers and bodies of what was sent and answered."""
    screen.line(
        (delivery["hook"], "bold"), "  ", (delivery["id"], "cyan"), "  ", state(delivery["status"]), _why(delivery)
    )
    if full:
        for name, text in _facts(delivery):
            screen.line("  ", (f"{name:9} ", "dim"), text)
    for step in delivery.get("steps") or []:
        output = f"  → {value_text(step['output'])}" if step.get("output") is not None else ""
        error: Piece = (f"  {step['error']}" if step.get("error") else "", "red")
        screen.line("  ", f"{step['id']:12} ", state(step["status"]), output, error)
    over = _over(delivery)
    for attempt in delivery.get("attempts") or []:
        _show_attempt(screen, attempt, last=over.get(attempt["step"]) == attempt["number"], full=full)
        _show_logs(screen, attempt.get("logs") or [], None if full else delivery["id"])


def show_attempt(screen: Screen, attempt: Shown) -> None:
    """The only attempt of a step, with all that was sent, answered and logged."""
    _show_attempt(screen, attempt, last=True, full=True)
    _show_logs(screen, attempt.get("logs") or [], None)


def _row(delivery: Shown) -> list[Piece]:
    return [
        (delivery["id"], "cyan"),
        state(delivery["status"]),
        (delivery["hook"], "bold"),
        str(delivery["attempt_count"]),
        brief_time(delivery["created"]),
        delivery.get("reason") or "",
        delivery["event"],
    ]


def _why(delivery: Shown) -> Piece:
    text = f"  {delivery['reason']}" if delivery.get("reason") else ""
    if delivery.get("waits_for"):
        text += f"  behind {delivery['waits_for']} of the same order key"
    if delivery["status"] == "waiting":
        text += f"  next attempt at {local_time(delivery.get('due'))}"
    return (text, "dim")


def _facts(delivery: Shown) -> Iterator[tuple[str, str]]:
    yield "event", f"{delivery['event']} ({delivery.get('event_type', '?')} from {delivery['event_source']})"
    yield "created", local_time(delivery["created"])
    yield "expires", local_time(delivery["expires"])
    closed = delivery.get("breaker") in {"open", "half-open"}
    yield "lane", f"{delivery['lane']}, its breaker is {delivery['breaker']}" if closed else delivery["lane"]
    if delivery.get("order_key") is not None:
        ahead = f", behind {delivery['waits_for']}" if delivery.get("waits_for") else ""
        yield "order key", f"{delivery['order_key']}{ahead}"
    if delivery.get("replay_of"):
        yield "replay of", delivery["replay_of"]
    if delivery.get("payload_dropped"):
        yield "payload", "dropped by retention: what was sent and answered is gone, and it cannot be sent again"


def _over(delivery: Shown) -> dict[str, int]:
    """The last attempts of the steps that get no further one, by the step."""
    last = {attempt["step"]: attempt["number"] for attempt in delivery.get("attempts") or []}
    if delivery["status"] in _FINAL:
        return last
    failed = {step["id"] for step in delivery.get("steps") or [] if step["status"] == "failed"}
    return {step: number for step, number in last.items() if step in failed}


def _outcome(outcome: str, *, last: bool) -> Piece:
    """How an attempt ended; `retry` is said of it only where one follows."""
    if outcome == "retry" and last:
        return state("failed", "failed, no retry follows")
    return state(outcome)


def _show_attempt(screen: Screen, attempt: Shown, *, last: bool, full: bool) -> None:
    """An attempt; `last` where its step gets no further one."""
    head = f"  {attempt['number']:>3}. {attempt['step']:12} "
    text = f"  {milliseconds(attempt['duration_ms'])}  {local_time(attempt['started'])}"
    screen.line(head, _outcome(attempt["outcome"], last=last), (text, "dim"), f"  {why(attempt)}".rstrip())
    request, response = attempt.get("request"), attempt.get("response")
    if request:
        screen.line("       ", request["method"], " ", request["url"], f" → {response['status']}" if response else "")
        if full:
            _show_message(screen, "sent", request)
    if response and full:
        _show_message(screen, "answered", response)


def _show_logs(screen: Screen, lines: Sequence[str], cut_for: str | None) -> None:
    """The lines of an attempt; of many the first, with the delivery's id that shows all, where that is given."""
    shown = lines if cut_for is None else lines[:_LINES_IN_BRIEF]
    for line in shown:
        screen.line("       ", ("log ", "dim"), line)
    if len(shown) < len(lines):
        more = f"… and {len(lines) - len(shown)} more lines: hookrt deliveries show {cut_for}"
        screen.line("       ", (f"log {more}", "dim"))


def _show_message(screen: Screen, what: str, message: Shown) -> None:
    screen.line("       ", (what, "dim"))
    for name, value in message["headers"].items():
        screen.line("         ", (f"{name}: ", "dim"), value)
    if message.get("body"):
        screen.block(message["body"], indent="         ")
