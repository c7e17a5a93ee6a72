"""How jobs look, and what they would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hookrt.cli.columns import Column
from hookrt.cli.render import Piece, Screen, to_json
from hookrt.cli.wording import brief_time, counted, local_time, state, why_not

Shown = Mapping[str, Any]

_COLUMNS = (
    Column("job"),
    Column("kind"),
    Column("status"),
    Column("done"),
    Column("skipped", rank=2),
    Column("failed", rank=1),
    Column("total"),
    Column("created", rank=3),
)
_DONE = {"deliveries.replay": "replayed", "deliveries.cancel": "cancelled"}
_OF_EVENTS = {"skipped": "passed over", "failed": "failed"}
TITLES = {
    "deliveries.replay": "replaying deliveries",
    "deliveries.cancel": "cancelling deliveries",
    "events.replay": "replaying events",
}
"""What a job does, in words, by its kind."""


def show_jobs(screen: Screen, jobs: Sequence[Shown]) -> None:
    """A table of jobs."""
    screen.table(_COLUMNS, [_row(job) for job in jobs])


def show_job(screen: Screen, job: Shown) -> None:
    """One job with what was asked for."""
    screen.line((job["kind"], "bold"), "  ", (job["id"], "cyan"), "  ", state(job["status"]))
    for name in ("created", "updated"):
        screen.line("  ", (f"{name:9} ", "dim"), local_time(job[name]))
    for name, value in job["request"].items():
        text = value if isinstance(value, str) else to_json(value, indent=None)
        screen.line("  ", (f"{name:9} ", "dim"), text)
    screen.line("  ", counts_of(job))
    show_errors(screen, job)


def show_end(screen: Screen, job: Shown) -> None:
    """What became of a job, in a line, and what went wrong."""
    screen.line((job["id"], "cyan"), " is ", state(job["status"]), ": ", counts_of(job))
    show_errors(screen, job)


def counts_of(job: Shown) -> str:
    """`12 of 20 replayed, 7 skipped, 1 failed`; of events how many deliveries they gave."""
    if job["kind"] == "events.replay":
        made = f"{counted(job['done'], 'delivery', 'deliveries')} made from {counted(job['total'], 'event')}"
        counts = (f", {job[name]} {word}" for name, word in _OF_EVENTS.items() if job[name])
        return made + "".join(counts)
    text = f"{job['done']} of {job['total']} {_DONE.get(job['kind'], 'done')}"
    return text + "".join(f", {job[name]} {name}" for name in ("skipped", "failed") if job[name])


def show_errors(screen: Screen, job: Shown) -> None:
    """The first errors of a job."""
    for error in job["errors"]:
        of = f"{error['of']}: " if error.get("of") else ""
        screen.line("  ", (of, "cyan"), (error["message"], "red"))
    if job["failed"] > len(job["errors"]):
        screen.line((f"  … and {job['failed'] - len(job['errors'])} more", "dim"))


def show_events_preview(screen: Screen, preview: Shown, hook: str) -> None:
    """What a replay of events would send, and why the rest would not."""
    for one in preview["items"]:
        event = one["event"]
        screen.line((event["type"], "bold"), "  ", (event["id"], "cyan"), "  ", brief_time(event.get("received")))
        for step in one["steps"]:
            _show_step(screen, step)
    if preview["fires"] > len(preview["items"]):
        screen.line((f"… and {preview['fires'] - len(preview['items'])} more (--show N shows more)", "dim"))
    made = counted(preview["fires"], "new delivery", "new deliveries")
    screen.line(f"{hook} would get {made} from {counted(preview['total'], 'event')}; nothing was done")
    if preview["delivered"]:
        have = counted(preview["delivered"], "event has", "events have")
        screen.line(f"  {have} a delivery for it already (--again delivers once more)")
    for reason, count in preview["reasons"].items():
        screen.line(f"  {count} would not: {why_not(reason, 'the hook')}")
    unseen = preview["total"] - preview["delivered"] - preview["looked_at"]
    if unseen > 0:
        screen.line(f"  {unseen} more were not looked at")


def _show_step(screen: Screen, step: Shown) -> None:
    head: Piece = (f"  {step['step']:12} ", "dim")
    request = step.get("request")
    if request is None:
        screen.line(head, step.get("note") or to_json(step.get("settings"), indent=None))
        return
    screen.line(head, request["method"], " ", request["url"])
    for name, value in request["headers"].items():
        screen.line("    ", (f"{name}: ", "dim"), value)
    if request.get("body"):
        screen.block(request["body"], indent="    ")


def _row(job: Shown) -> list[Piece]:
    counts = [str(job[name]) for name in ("done", "skipped", "failed", "total")]
    return [(job["id"], "cyan"), job["kind"], state(job["status"]), *counts, brief_time(job["created"])]
