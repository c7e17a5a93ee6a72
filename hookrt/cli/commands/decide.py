"""`hookrt decide`: ask the service's hooks of `mode: decide`, as an application would."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hookrt.cli.answer import show_answer
from hookrt.cli.client import Client
from hookrt.cli.decision_view import show_decision
from hookrt.cli.event_input import read_data
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.options import PlainOutputOption, read_duration
from hookrt.cli.render import Format
from hookrt.model.event import check_type

app = typer.Typer(add_completion=False)


@app.command()
def decide(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="What is about to be done, like PreRegister.")],
    *,
    data: Annotated[
        str, typer.Option("--data", "-d", metavar="JSON|@FILE|-", help="Its data: JSON, a file, or stdin.")
    ] = "null",
    subject: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is about.")] = None,
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="The answer is there after this time, 30s at most.")
    ] = "1s",
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Ask the hooks of `mode: decide` what they say.

    Ends with 0 when they allow it and with 1 when one of them denies.
    The hooks really run, and the decision is recorded.

    Examples:
      hookrt decide PreRegister --data '{"email": "ada@acme.com"}'
      hookrt decide PreRegister --data @user.json --timeout 500ms -o json
    """
    limit = read_duration(timeout, "--timeout")
    check_type(type_)
    asked = {"type": type_, "subject": subject, "timeout": limit.total_seconds()}
    head = json.dumps({name: value for name, value in asked.items() if value is not None})
    with Client() as client:
        answer = client.post_and_wait("/v1/decisions", head[:-1].encode() + b', "data": ' + read_data(data) + b"}")
    show_answer(output, answer, show_decision)
    if answer["decision"] != "allow":
        raise typer.Exit(EXIT_PROBLEMS)
