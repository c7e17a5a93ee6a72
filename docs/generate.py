"""Writes the reference pages that come out of the code: commands, HTTP routes, actions, sources, signature schemes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

from hookrt.cli.lazy_group import COMMANDS
from hookrt.cli.reference_view import as_markdown
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.reference import Kind, reference_of
from hookrt.testing import RecordedLog
from hookrt.web.api.app import build_api
from hookrt.web.faults import Faults
from hookrt.web.options import WebOptions
from hookrt.web.service import Service


def write_reference(folder: Path) -> None:
    """Write every generated page; one that has not changed is left alone, so that a second build is quick."""
    folder.mkdir(parents=True, exist_ok=True)
    registry = load_plugins()
    pages = {
        "commands.md": _commands(),
        "routes.md": _routes(),
        "actions.md": _plugins("Actions", "action", registry.actions),
        "sources.md": _plugins("Sources", "source", registry.sources),
        "schemes.md": _plugins("Signature schemes", "signature scheme", registry.schemes),
    }
    for name, lines in pages.items():
        text = "\n".join(lines).strip() + "\n"
        file = folder / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)


def _plugins(title: str, kind: Kind, plugins: Mapping[str, type[Any]]) -> Iterator[str]:
    """What `hookrt docs NAME` says of each, one level further down."""
    yield f"# {title}"
    yield ""
    yield "`hookrt docs NAME` shows the same of every plugin that is installed with you."
    for name in sorted(name for name in plugins if ":" not in name):
        yield ""
        yield re.sub("^#", "##", as_markdown(reference_of(kind, plugins[name])), flags=re.MULTILINE)


def _commands() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "Every command also explains itself: `hookrt COMMAND --help`."
    for name, entry in COMMANDS.items():
        command = get_command(entry.load())
        title = f"hookrt {name}"
        yield ""
        yield get_docs_for_click(obj=command, ctx=Context(command, info_name=title), name=title, indent=1)


def _routes() -> Iterator[str]:
    log = RecordedLog()
    described = build_api(cast("Service", None), WebOptions(log), Faults(log, str)).openapi()
    yield "# HTTP routes"
    yield ""
    yield described["info"]["description"]
    yield "A running service describes them in full, with every field, at `/openapi.json`."
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            yield from _route(f"{method.upper()} {path}", route)


def _route(title: str, route: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield route.get("description") or route.get("summary") or ""
    parameters = route.get("parameters", [])
    if parameters:
        yield ""
        yield "| parameter | in | meaning |"
        yield "|---|---|---|"
    for one in parameters:
        meaning = " ".join(one.get("description", "").split()).replace("|", "\\|")
        yield f"| `{one['name']}` | {one['in']} | {meaning} |"
    yield ""
    answers = (f"{code}: {answer['description']}" for code, answer in route.get("responses", {}).items())
    yield "Answers: " + "; ".join(answers) + "."
