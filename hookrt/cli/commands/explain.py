"""`hookrt explain`: which hooks an event fires, and why the others stay quiet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hookrt.cli.ask import ask
from hookrt.cli.event_input import is_inline, read_event
from hookrt.cli.event_view import show_explanations
from hookrt.cli.options import ConfigOption, EnvFileOption, PlainOutputOption
from hookrt.cli.project import load_configuration, open_project
from hookrt.cli.render import Format, Screen, to_json
from hookrt.errors import ConfigError, HookrtError
from hookrt.matching.router import Router
from hookrt.model.event import Event
from hookrt.model.own_events import OWN_EVENTS, is_own
from hookrt.web.api.show import show_event, show_explanation

app = typer.Typer(add_completion=False)


@app.command()
def explain(
    event: Annotated[
        str, typer.Argument(metavar="EVENT.json|ID", help="A file, `-` for stdin, JSON, or the id of a stored event.")
    ],
    *,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    source: Annotated[
        str | None, typer.Option(help="With an ID: its source, where two sources used the same id.")
    ] = None,
    output: PlainOutputOption = Format.TEXT,
) -> None:
    """Say for every hook whether an event fires it and, if not, why.

    An event in a file, on stdin or in place is judged by the local
    hooks.yaml, without a service; it is written as for POST /v1/events. The
    id of a stored event is judged by the service and the hooks it has now.
    `hookrt hooks test NAME` runs a hook without asking whether it fires.

    Examples:
      hookrt explain event.json
      hookrt explain '{"type": "PostSignIn", "data": {"user": {"id": "u1"}}}'
      hookrt explain evt_01jd3v5x0e4m8q2s7t9w1y3z5b
    """
    shown = _ask_service(event, source) if _is_id(event) else _judge(event, config, env_file)
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(shown))
        return
    head = shown["event"]
    screen.line((head["type"], "bold"), ("  from ", "dim"), head["source"], "  ", (head["id"], "cyan"))
    show_explanations(screen, shown["items"])
    if is_own(head["type"]) and head["type"] not in OWN_EVENTS:
        screen.line((f"hookrt itself sends no {head['type']}; it sends {', '.join(OWN_EVENTS)}", "yellow"))


def _is_id(given: str) -> bool:
    """Whether this is neither JSON nor a file: what looks like a path is meant as one, there or not."""
    looks_local = given == "-" or is_inline(given) or given.endswith(".json")
    return not looks_local and not Path(given).exists()


def _judge(given: str, config: Path | None, env_file: Path | None) -> dict[str, Any]:
    event = read_event(given)
    project = open_project(config, env_file)
    configuration = load_configuration(project, "warn")
    found = Router(configuration.hooks).explain(event, project.env)
    return {
        "event": _shown(event),
        "items": [show_explanation(explanation).model_dump() for explanation in found],
        "next": None,
    }


def _shown(event: Event) -> dict[str, Any]:
    return show_event(event).model_dump()


def _ask_service(given: str, source: str | None) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = ask(lambda client: client.post("/v1/explain", id=given, source=source), hooks=True)
        return answer
    except ConfigError:
        raise
    except HookrtError as error:
        raise HookrtError(f"there is no file {given!r} here, and as an event's id: {error}") from None
