"""`hookrt receiver`: a local endpoint that shows and verifies what it gets."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

from hookrt.cli.event_loop import run_in_loop
from hookrt.cli.interrupts import stop_requests
from hookrt.cli.options import PlainOutputOption, read_duration
from hookrt.cli.receiver_server import Answer, Received, Receiver
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.request_view import show_request
from hookrt.signing import SigningKey
from hookrt.web.server import WebServer

app = typer.Typer(add_completion=False)


@app.command()
def receive(  # noqa: PLR0913 - one parameter for each option
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Listen here; 0 takes any free port.")] = 4666,
    host: Annotated[str, typer.Option(help="Listen on this address.")] = "localhost",
    secret: Annotated[
        list[str] | None, typer.Option(metavar="whsec_…", help="Verify signatures with it; may be given twice.")
    ] = None,
    status: Annotated[int, typer.Option(min=200, max=599, help="Answer with this status.")] = 204,
    delay: Annotated[str, typer.Option(metavar="DURATION", help="Answer after this time, like 1s or 250ms.")] = "0s",
    headers: Annotated[bool, typer.Option("--headers", help="Show the headers too.")] = False,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Receive webhooks here, show them and verify their signatures.

    Signatures are those of the Standard Webhooks specification. With a
    secret, a request whose signature is not valid is answered 401.

    Examples:
      hookrt receiver
      hookrt receiver --port 9000 --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
      hookrt receiver --status 500              to see how a hook retries
      hookrt receiver --delay 20s               to see how it times out
    """
    answer, secrets = Answer(status, read_duration(delay, "--delay")), _checked(secret or [])
    screen = Screen()

    def show(received: Received) -> None:
        if output is Format.JSON:
            screen.raw(to_json(_as_json(received), indent=None))
        else:
            show_request(screen, received, headers=headers)

    run_in_loop(_serve(WebServer(Receiver(show, lambda: secrets, answer), host, port)))


async def _serve(server: WebServer) -> None:
    note = Screen(sys.stderr)
    with stop_requests() as stop:
        await server.start()
        note.line("receiving on ", (server.url, "bold cyan"), ", Ctrl-C ends it")
        await stop.wait()
        await server.stop(timedelta(seconds=1))
    note.line("receiver stopped")


def _checked(secrets: list[str]) -> list[str]:
    for secret in secrets:
        try:
            SigningKey.parse(secret)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--secret") from None
    return secrets


def _as_json(received: Received) -> dict[str, object]:
    return {
        "method": received.method,
        "target": received.target,
        "headers": dict(received.headers),
        "body": received.body.decode("utf-8", "backslashreplace"),
        "signature": received.trust.value,
        "why": received.why or None,
        "answered": received.answered,
    }
