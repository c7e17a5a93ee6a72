"""Following a job to its end: a bar on a terminal, a line now and then elsewhere, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import typer

from hookrt.cli.answer import show_answer
from hookrt.cli.client import Client, ServiceRefused, ServiceUnavailable, poll_pause, segment
from hookrt.cli.failures import EXIT_INTERRUPTED, EXIT_PROBLEMS
from hookrt.cli.job_view import TITLES, counts_of, show_end
from hookrt.cli.render import Format, Screen

Shown = Mapping[str, Any]

PATIENCE_S = 60.0
"""How long a service that does not answer any more is waited for: it may be started again, and the job goes on."""

_FINAL = frozenset({"done", "cancelled", "failed"})
_LINE_EVERY_S = 1.0


class Display(Protocol):
    """Shows how far a job is."""

    def show(self, job: Shown) -> None:
        """The job as it is now."""
        ...


def follow(client: Client, job: Shown, output: Format) -> None:
    """Show a job until it ends, then how; ends the command with 1 when not all of it was done.

    Ctrl-C ends only the following, and says how to go on with it.
    """
    try:
        with _display() as display:
            job = _watch(client, job, display)
    except KeyboardInterrupt:
        _tell_how_to_go_on(job["id"])
        raise typer.Exit(EXIT_INTERRUPTED) from None
    show_answer(output, job, show_end)
    if job["status"] != "done" or job["failed"]:
        raise typer.Exit(EXIT_PROBLEMS)


def _watch(client: Client, job: Shown, display: Display) -> Shown:
    turn = 0
    display.show(job)
    while job["status"] not in _FINAL:
        time.sleep(poll_pause(turn).total_seconds())
        turn += 1
        job = _ask_patiently(client, job["id"])
        display.show(job)
    return job


def _ask_patiently(client: Client, identity: str) -> Shown:
    """The job; while the service does not answer, it is asked again."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            found: Shown = client.get(f"/v1/jobs/{segment(identity)}")
        except (ServiceUnavailable, ServiceRefused) as error:
            unavailable = isinstance(error, ServiceUnavailable) or error.status >= 500
            if not unavailable or time.monotonic() > until:
                raise
            time.sleep(1.0)
        else:
            return found


def _tell_how_to_go_on(identity: str) -> None:
    screen = Screen(sys.stderr)
    screen.line("the job goes on: ", (f"hookrt jobs follow {identity}", "cyan"), " follows it again, ")
    screen.line((f"hookrt jobs cancel {identity}", "cyan"), " ends it")


@contextmanager
def _display() -> Iterator[Display]:
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr, highlight=False), transient=True) as progress:
        yield _Bar(progress)


class _Lines:
    """A line when something changed, at most one a second."""

    def __init__(self) -> None:
        self._screen = Screen(sys.stderr)
        self._told = ""
        self._told_at = float("-inf")

    def show(self, job: Shown) -> None:
        """The job as it is now."""
        text = f"{job['id']} {job['status']}: {counts_of(job)}"
        late = time.monotonic() - self._told_at >= _LINE_EVERY_S
        if text != self._told and (late or job["status"] in _FINAL):
            self._told, self._told_at = text, time.monotonic()
            self._screen.line(text)


class _Bar:
    """A bar that fills."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._task: Any = None

    def show(self, job: Shown) -> None:
        """The job as it is now."""
        looked_at = job["done"] + job["skipped"] + job["failed"]
        if self._task is None:
            self._task = self._progress.add_task(TITLES.get(job["kind"], job["kind"]), total=job["total"])
        self._progress.update(self._task, completed=looked_at, total=job["total"])
