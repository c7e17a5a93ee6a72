"""`hookrt hooks`: the hooks of a running service."""

from __future__ import annotations

from typing import Annotated

import typer

from hookrt.cli.ask import StoreOption, ask
from hookrt.cli.client import segment
from hookrt.cli.hook_view import show_hook, show_hooks
from hookrt.cli.options import OutputOption
from hookrt.cli.render import Format, Screen, to_json

app = typer.Typer(add_completion=False)


@app.callback()
def hooks() -> None:
    """List the hooks of the service, or show one.

    The service is the one at HOOKRT_URL (http://127.0.0.1:4665 by default).
    Where none runs, the hooks are those of hooks.yaml, and what happened
    to them is read from its store's file.
    """


@app.command("list")
def list_hooks(*, store: StoreOption = None, output: OutputOption = Format.TEXT) -> None:
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
    name: Annotated[str, typer.Argument(help="The hook's name.")],
    *,
    store: StoreOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Show one hook: its steps, the policy that applies to each, and when a failing step is tried again.

    Examples:
      hookrt hooks show welcome
    """
    hook = ask(lambda client: client.get(f"/v1/hooks/{segment(name)}"), store, hooks=True)
    if output is Format.JSON:
        Screen().raw(to_json(hook))
    else:
        show_hook(Screen(), hook)
