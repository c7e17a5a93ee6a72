"""`hookrt receiver`: a local endpoint that shows and verifies what it gets."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer

from hookrt.cli.event_loop import run_in_loop
from hookrt.cli.interrupts import stop_requests
from hookrt.cli.options import PlainOutputOption, read_duration
from hookrt.cli.receiver_server import Answer, Judge, Received, Receiver, StandardJudge
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.request_view import show_request
from hookrt.model.event import format_time
from hookrt.secrets.masking import Masker, mask_within
from hookrt.web.server import WebServer

app = typer.Typer(add_completion=False)


@app.command()
def receive(  # noqa: PLR0913 - one parameter for each option
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Listen here; 0 takes any free port.")] = 4666,
    host: Annotated[str, typer.Option(help="Listen on this address.")] = "localhost",
    secret: Annotated[
        list[str] | None, typer.Option(metavar="SECRET", help="Verify signatures with it; may be given several times.")
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="How requests are signed; by default what their headers show."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the scheme, as its source has it."),
    ] = None,
    status: Annotated[
        int | None, typer.Option(min=200, max=599, help="Answer with this status; by default as the sender expects.")
    ] = None,
    fail: Annotated[int, typer.Option(min=0, max=1_000_000, help="Before that, answer each message 500 so often.")] = 0,
    delay: Annotated[str, typer.Option(metavar="DURATION", help="Answer after this time, like 1s or 250ms.")] = "0s",
    headers: Annotated[bool, typer.Option("--headers", help="Show the headers too.")] = False,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Receive webhooks here, show them and verify their signatures.

    The schemes are those of the sources that are installed: standard,
    logto, github, gitlab, stripe, slack, shopify, twilio, cloudevents,
    hmac, basic, token, and what plugins bring. With a secret, a request
    whose signature is not valid is answered 401.

    Examples:
      hookrt receiver
      hookrt receiver --port 9000 --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
      hookrt receiver --scheme github --secret 'It is a secret'
      hookrt receiver --scheme hmac --set header=X-Sign --secret s3cret
      hookrt receiver --fail 3                  to see how a hook retries
      hookrt receiver --delay 20s               to see how it times out
    """
    answer = Answer(status, read_duration(delay, "--delay"), fail)
    judge = _judge(scheme, secret or [], settings or [])
    show = _shower(secret or [], output, headers=headers)
    run_in_loop(_serve(WebServer(Receiver(show, judge, answer), host, port)))


def _shower(secrets: list[str], output: Format, *, headers: bool) -> Callable[[Received], None]:
    """What shows each request, without the secrets."""
    screen, masker = Screen(), Masker()
    for one in secrets:
        masker.add(one)

    def show(received: Received) -> None:
        if output is Format.JSON:
            screen.raw(to_json(mask_within(_as_json(received), masker.mask), indent=None))
        else:
            show_request(screen, received, masker.mask, headers=headers)

    return show


async def _serve(server: WebServer) -> None:
    note = Screen(sys.stderr)
    with stop_requests() as stop:
        await server.start()
        note.line("receiving on ", (server.url, "bold cyan"), ", Ctrl-C ends it")
        await stop.wait()
        await server.stop(timedelta(seconds=1))
    note.line("receiver stopped")


def _judge(scheme: str | None, secrets: list[str], settings: list[str]) -> Judge:
    """What judges the requests; raises BadParameter."""
    if scheme is None and settings:
        raise typer.BadParameter("say whose setting it is with --scheme", param_hint="--set")
    if scheme is None and not secrets:
        return StandardJudge()
    from hookrt.cli.installed import load_installed
    from hookrt.cli.receiver_schemes import BadScheme, guessing, judge_by

    option = "--secret" if scheme is None else "--scheme"
    try:
        registry = load_installed()
        return guessing(registry, secrets) if scheme is None else judge_by(registry, scheme, secrets, _pairs(settings))
    except BadScheme as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _pairs(settings: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in settings:
        key, mark, value = one.partition("=")
        if not mark or not key:
            raise typer.BadParameter(f"{one!r} is not KEY=VALUE", param_hint="--set")
        found[key] = value
    return found


def _as_json(received: Received) -> dict[str, object]:
    judgement, age = received.judgement, received.age
    return {
        "method": received.method,
        "target": received.target,
        "headers": dict(received.headers),
        "body": received.body.decode("utf-8", "backslashreplace"),
        "signature": received.trust.value,
        "scheme": judgement.scheme or None,
        "reason": judgement.reason or None,
        "why": received.why or None,
        "events": [
            {
                "type": event.type,
                "id": event.id,
                "subject": event.subject,
                "time": None if event.time is None else format_time(event.time),
            }
            for event in judgement.events
        ],
        "age_s": None if age is None else round(age.total_seconds(), 3),
        "seen": received.seen,
        "answered": received.answered,
    }
