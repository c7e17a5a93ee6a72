"""What happens to deliveries, line by line, as long as somebody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from hookrt.cli.client import Client, ServiceRefused, ServiceUnavailable
from hookrt.cli.render import Format, Piece, Screen, to_json
from hookrt.cli.wording import brief_time, milliseconds, state, why

Shown = Mapping[str, Any]

_WAIT_S = 20
_AGAIN_S = 1.0
_OUTCOMES = {"reject": "failed for good"}
_RESTARTED = (
    "the service was started again: what happened meanwhile may be missing here, but `hookrt deliveries list` shows it"
)


def tail(*, hook: str | None, failed: bool, output: Format) -> None:
    """Print each attempt and end of a delivery, until interrupted; a service that is gone is asked until it is back."""
    notes, screen = Screen(sys.stderr), Screen()
    with Client() as client:
        for item in _follow(client, notes, hook=hook, failed=failed):
            if output is Format.JSON:
                screen.raw(to_json(item, indent=None))
            else:
                screen.line(*_line(item))


def _follow(client: Client, notes: Screen, *, hook: str | None, failed: bool) -> Iterator[Shown]:
    filters = {"hook": hook, "failed": True if failed else None}
    place: str = client.get("/v1/deliveries/tail", **filters, wait=0)["next"]
    notes.line((f"following {client.address.url}, Ctrl-C ends it", "dim"))
    lost = False
    while True:
        try:
            news = client.get("/v1/deliveries/tail", **filters, after=place, wait=0 if lost else _WAIT_S)
        except (ServiceUnavailable, ServiceRefused) as error:
            if isinstance(error, ServiceRefused) and error.status < 500:  # else it is stopping, or about to start
                raise
            if not lost:
                notes.line(("the service does not answer any more: it is asked until it does", "yellow"))
            lost = True
            time.sleep(_AGAIN_S)
            continue
        if lost:
            notes.line(("the service answers again", "dim"))
        lost = False
        if _run_of(news["next"]) != _run_of(place):
            notes.line((_RESTARTED, "yellow"))
        if news["missed"]:
            notes.line((f"{news['missed']} happenings were missed", "yellow"))
        place = news["next"]
        yield from news["items"]


def _run_of(place: str) -> str:
    """The run of the service that a place belongs to."""
    return place.rpartition("-")[0]


def _outcome(item: Shown) -> str:
    """How an attempt ended; `retry` is said of it only where one follows."""
    if item["outcome"] != "retry":
        return _OUTCOMES.get(item["outcome"], str(item["outcome"]))
    return "failed, will be retried" if item["status"] in {"waiting", "pending", "held"} else "failed"


def _line(item: Shown) -> list[Piece]:
    step: list[Piece] = []
    if item.get("step") is not None:
        step = [f"  {item['step']} attempt {item['attempt']} ", state(item["outcome"], _outcome(item))]
        step.append((f"  {milliseconds(item['duration_ms'])}", "dim"))
    reason = why(item)
    head: list[Piece] = [(brief_time(item["time"]), "dim"), "  ", (item["hook"], "bold"), "  "]
    head += [(item["delivery"], "cyan"), "  ", state(item["status"])]
    return [*head, *step, f"  {reason}" if reason else ""]
