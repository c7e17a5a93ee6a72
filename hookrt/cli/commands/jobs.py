"""`hookrt jobs`: replays and cancellations of many, and how far they are."""

from __future__ import annotations

from typing import Annotated

import typer

from hookrt.cli.answer import show_answer, show_page
from hookrt.cli.ask import StoreOption, ask
from hookrt.cli.client import Client, segment
from hookrt.cli.job_following import follow as follow_job
from hookrt.cli.job_view import show_end, show_job, show_jobs
from hookrt.cli.options import CursorOption, LimitOption, PlainOutputOption
from hookrt.cli.render import Format

app = typer.Typer(add_completion=False)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]


@app.callback()
def jobs() -> None:
    """List, show, follow or cancel replays and cancellations of many.

    Each of them is a job, which `deliveries replay`, `deliveries cancel` and
    `events replay` begin. It goes on in the service, also over a restart.
    """


@app.command("list")
def list_jobs(
    *,
    limit: LimitOption = 20,
    cursor: CursorOption = None,
    store: StoreOption = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """List jobs, newest first.

    Those that ended are kept for 30 days.

    Examples:
      hookrt jobs list
    """
    page = ask(lambda client: client.get("/v1/jobs", limit=limit, cursor=cursor), store)
    show_page(output, page, "jobs", show_jobs)


@app.command("show")
def show(id_: IdArgument, *, store: StoreOption = None, output: PlainOutputOption = Format.TEXT) -> None:
    """Show one job: what was asked for, how far it is, and what went wrong.

    Examples:
      hookrt jobs show job_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    job = ask(lambda client: client.get(f"/v1/jobs/{segment(id_)}"), store)
    show_answer(output, job, show_job)


@app.command("follow")
def follow(id_: IdArgument, output: PlainOutputOption = Format.TEXT) -> None:
    """Follow a job to its end.

    Ends with 1 when not all of it could be done. Ctrl-C ends the following,
    not the job.

    Examples:
      hookrt jobs follow job_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    with Client() as client:
        follow_job(client, client.get(f"/v1/jobs/{segment(id_)}"), output)


@app.command("cancel")
def cancel(id_: IdArgument, output: PlainOutputOption = Format.TEXT) -> None:
    """End a job before its time.

    What it did stays: the deliveries that a replay made go on.

    Examples:
      hookrt jobs cancel job_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    with Client() as client:
        job = client.post(f"/v1/jobs/{segment(id_)}/cancel")
    show_answer(output, job, show_end)
