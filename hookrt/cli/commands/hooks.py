"""`hookrt hooks`: the hooks of a running service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hookrt.cli.answer import show_answer, tell
from hookrt.cli.ask import StoreOption, ask
from hookrt.cli.client import Client, ServiceRefused, segment
from hookrt.cli.event_input import read_data
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.hook_view import show_hook, show_hooks, state_text
from hookrt.cli.options import PlainOutputOption
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.trial_view import show_trial
from hookrt.cli.wording import counted

app = typer.Typer(add_completion=False)

NameArgument = Annotated[str, typer.Argument(help="The hook's name.")]


@app.callback()
def hooks() -> None:
    """List the hooks of the service, show, test, disable or enable one.

    The service is the one at HOOKRT_URL (http://127.0.0.1:4665 by default).
    Where none runs, list and show take the hooks of hooks.yaml, and read
    what happened to them from its store's file.
    """


@app.command("list")
def list_hooks(*, store: StoreOption = None, output: PlainOutputOption = Format.TEXT) -> None:
    """List every hook with what happened to it in the last 24 hours.

    Examples:
      hookrt hooks list
    """
    found = ask(lambda client: client.get_all("/v1/hooks"), store, hooks=True)
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json({"items": found, "next": None}))
    elif found:
        show_hooks(screen, found)
    else:
        screen.line("the service has no hooks")


@app.command("show")
def show(
    name: NameArgument,
    *,
    store: StoreOption = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Show one hook: its steps, the policy that applies to each, and when a failing step is tried again.

    Examples:
      hookrt hooks show welcome
    """
    hook = ask(lambda client: client.get(f"/v1/hooks/{segment(name)}"), store, hooks=True)
    show_answer(output, hook, show_hook)


@app.command("test")
def try_hook(
    name: NameArgument,
    *,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The event's type; else the hook's first one.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="JSON|@FILE|-", help="The event's data; else a sample of its type."),
    ] = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Run a hook's steps once for a made-up event, and show what was sent and answered.

    It works for disabled hooks too, and for events that the hook does not
    listen to. Requests are real and signed, with the header `hookrt-test:
    true`; nothing is stored, counted or tried again. It ends with 1 when the
    test failed. `hookrt emit --only` sends a real event to one hook.

    Examples:
      hookrt hooks test welcome
      hookrt hooks test welcome --type User.Deleted -o json
      hookrt hooks test orders --type Order.Paid --data '{"order": 42}'
    """
    given = {"type": type_, "data": None if data is None else read_data(data)}
    parts = [f'"{key}":'.encode() + _json(value) for key, value in given.items() if value is not None]
    trial = _run_test(name, b"{" + b",".join(parts) + b"}")
    show_answer(output, trial, show_trial)
    if not trial["succeeded"]:
        raise typer.Exit(EXIT_PROBLEMS)


def _json(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def _run_test(name: str, asked: bytes) -> Mapping[str, Any]:
    """What became of the test, also of one that failed."""
    with Client() as client:
        try:
            trial: Mapping[str, Any] = client.post_and_wait(f"/v1/hooks/{segment(name)}/test", asked)
        except ServiceRefused as error:
            if "steps" not in error.problem:
                raise
            trial = error.problem
    return trial


@app.command("disable")
def disable(
    name: NameArgument,
    *,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; it is shown with the hook.")] = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Hold what comes for a hook, from now on and also after a restart.

    Attempts under way finish. The hook is enabled again by `hookrt hooks
    enable`, or by a change of its definition.

    Examples:
      hookrt hooks disable welcome --reason "the CRM moves until Monday"
    """
    with Client() as client:
        before = _as_it_is(client, name)
        hook = client.post(f"/v1/hooks/{segment(name)}/disable", {"reason": reason})
    if before["enabled"]:
        tell(output, hook, "disabled ", (name, "bold"), "; what comes for it is held until it is enabled")
    else:
        stays = "its reason stays" if reason else "it stays so"
        tell(output, hook, (name, "bold"), f" is already {state_text(before)}; {stays}")


@app.command("enable")
def enable(
    name: NameArgument,
    *,
    discard: Annotated[bool, typer.Option("--discard", help="Cancel what is held instead of delivering it.")] = False,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Enable a hook that was disabled, and deliver what is held for it.

    Examples:
      hookrt hooks enable welcome
      hookrt hooks enable welcome --discard
    """
    with Client() as client:
        before = _as_it_is(client, name)
        hook = client.post(f"/v1/hooks/{segment(name)}/enable", {"discard": discard})
    if before["enabled"]:
        tell(output, hook, (name, "bold"), " is already enabled")
    else:
        tell(output, hook, "enabled ", (name, "bold"), _what_of_held(before["stats"]["held"], discard=discard))


def _as_it_is(client: Client, name: str) -> Mapping[str, Any]:
    shown: Mapping[str, Any] = client.get(f"/v1/hooks/{segment(name)}")
    return shown


def _what_of_held(count: int, *, discard: bool) -> str:
    if not count:
        return "; nothing was held"
    goes = "cancelled" if discard else "delivered"
    held = counted(count, "delivery that was held is", "deliveries that were held are")
    return f"; {held} {goes}"
