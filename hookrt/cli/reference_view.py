"""A reference as a page of Markdown, and Markdown on a screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from hookrt.cli.render import Screen, escape
from hookrt.plugin.reference import Key, Reference


def as_markdown(reference: Reference) -> str:
    """The page of one action, source or signature scheme."""
    return "\n".join(_lines(reference)) + "\n"


def show_markdown(screen: Screen, text: str) -> None:
    """Markdown laid out on a terminal, as it is elsewhere."""
    safe = "\n".join(escape(line) for line in text.split("\n"))
    if not sys.stdout.isatty():
        screen.raw(safe)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(safe, hyperlinks=False))


def _lines(reference: Reference) -> Iterator[str]:
    yield from (f"# {reference.kind} `{reference.name}`", "", reference.about or "(it does not say what it does)", "")
    yield from ("```yaml", *reference.example.rstrip("\n").split("\n"), "```", "")
    if reference.short:
        yield from (f"A bare value stands for `{reference.short}`: `{reference.name}: ...`.", "")
    yield from ("## Settings", "", *table_of(reference.keys), "")
    if reference.static:
        names = ", ".join(f"`{name}`" for name in reference.static)
        yield from (f"Written out, without `${{{{ }}}}`: {names}.", "")
    if reference.service:
        yield from (
            f"## Settings of the service (`service.actions.{reference.name}`)",
            "",
            *table_of(reference.service),
            "",
        )
    if reference.kind == "action":
        yield from (
            "## Outcomes",
            "",
            f"Retry by default: {reference.retry}. Timeout by default: {reference.timeout}.",
            "",
        )
        yield from _reasons(reference.reasons)


def table_of(keys: Sequence[Key], title: str = "setting") -> Iterator[str]:
    """Keys as a table of Markdown."""
    if not keys:
        yield "None."
        return
    yield f"| {title} | type | default | meaning |"
    yield "|---|---|---|---|"
    for key in keys:
        default = "**required**" if key.required else f"`{_cell(key.default)}`" if key.default else ""
        yield f"| `{key.name}` | {_cell(key.type)} | {default} | {_cell(key.about)} |"


def _reasons(reasons: Sequence[tuple[str, str]]) -> Iterator[str]:
    if reasons:
        yield "| reason | meaning |"
        yield "|---|---|"
        yield from (f"| `{reason}` | {_cell(meaning)} |" for reason, meaning in reasons)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
