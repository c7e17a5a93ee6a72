"""Every `hookrt ...` in the documentation is a command that exists, with options that it has; so are metrics."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from hookrt.cli.lazy_group import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "tutorials").glob("*.md"))]
METRICS = set(re.findall(r'"(hookrt_[a-z_]+)"', (ROOT / "hookrt" / "observability" / "metrics.py").read_text()))
OTHER_NAMES = ("plugins.md", "testing.md", "embedding.md")  # where plugin points and fixtures begin with hookrt_, too


def lines_of(text: str) -> Iterator[list[str]]:
    """The words of each command that a page shows, in blocks and within sentences."""
    blocks = re.findall(r"^```(?:sh|console|ini)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    shown = [
        line.strip().removeprefix("$ ").removeprefix("ExecStart=/opt/hookrt/bin/")
        for block in blocks
        for line in block.replace("\\\n", " ").splitlines()
    ]
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    shown += re.findall(r"`(hookrt [^`]*)`", " ".join(outside.split()))
    for line in shown:
        if line.startswith("hookrt "):
            try:
                yield shlex.split(re.split(r"\s[|>&#]\s?|;", line)[0], comments=True)[1:]
            except ValueError:  # quotes that go on in the next line
                continue


def unknown(words: list[str], loaded: dict[str, Any]) -> str | None:
    """What no command has; None where all is well. Words in capitals stand for something."""
    if not words or words[0].startswith("-") or words[0].isupper():
        return None
    name, *rest = words
    if name not in COMMANDS:
        return name
    command = loaded.setdefault(name, get_command(COMMANDS[name].load()))
    if hasattr(command, "commands") and rest and re.fullmatch(r"[a-z]+", rest[0]):
        command = command.commands.get(rest.pop(0))
    if command is None:
        return " ".join(words)
    options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    asked = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word) and word != "--help"]
    return next((f"{name} {word}" for word in asked if word not in options), None)


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    return {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_exists_with_its_options(page: Path, loaded: dict[str, Any]) -> None:
    found = [unknown(words, loaded) for words in lines_of(page.read_text())]
    assert [one for one in found if one is not None] == []


@pytest.mark.parametrize("page", [one for one in PAGES if one.name not in OTHER_NAMES], ids=lambda page: page.name)
def test_every_metric_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"`(hookrt_[a-z_]+)[`{]", page.read_text()))
    assert {name.removesuffix("_total") for name in named} - METRICS == set()
