"""Writes the reference pages that come out of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from expression_page import expressions_page
from key_pages import keys_page, variables_page
from metric_page import metrics_page
from route_page import routes_page
from snippet_page import snippet_page
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

from hookrt.cli.lazy_group import COMMANDS
from hookrt.cli.reference_view import as_markdown
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.reference import Kind, reference_of

_EXAMPLES = re.compile(r"^Examples:\n((?:  .*\n|\n(?=  ))+)", re.MULTILINE)


def write_reference(folder: Path) -> None:
    """Write every generated page; one that has not changed is left alone, so that a second build is quick."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in pages().items():
        text = "\n".join(lines).strip() + "\n"
        file = folder / name
        if not file.exists() or file.read_text() != text:
            file.write_text(text)


def pages() -> dict[str, Iterator[str]]:
    """The lines of each page, by its file."""
    registry = load_plugins()
    return {
        "keys.md": keys_page(registry),
        "expressions.md": expressions_page(),
        "snippets.md": snippet_page(),
        "variables.md": variables_page(registry),
        "commands.md": _commands(),
        "routes.md": routes_page(),
        "metrics.md": metrics_page(),
        "actions.md": _plugins("Actions", "action", registry.actions),
        "sources.md": _plugins("Sources", "source", registry.sources),
        "schemes.md": _plugins("Signature schemes", "signature scheme", registry.schemes),
    }


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
    yield ""
    yield "| it ends with | when |"
    yield "|---|---|"
    yield "| 0 | all is well |"
    yield "| 1 | there are problems: of hooks.yaml, of a test, of what was asked for; the message says which |"
    yield "| 2 | the command line itself cannot be understood |"
    yield "| 130 | Ctrl-C ended it |"
    for name, entry in COMMANDS.items():
        command = get_command(entry.load())
        title = f"hookrt {name}"
        text = get_docs_for_click(obj=command, ctx=Context(command, info_name=title), name=title, indent=1)
        yield ""
        yield _EXAMPLES.sub(_as_block, text)


def _as_block(found: re.Match[str]) -> str:
    lines = (line.removeprefix("  ") for line in found[1].rstrip("\n").split("\n"))
    return "\n".join(("```sh", *lines, "```", ""))
