"""The list of commands and their help."""

from __future__ import annotations

import pytest
from typer.main import get_command

from hookrt.cli.lazy_group import COMMANDS
from hookrt.cli.main import build


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_its_own_help_says_first(name: str) -> None:
    command = get_command(COMMANDS[name].load())
    assert command.help is not None
    assert command.help.partition("\n\n")[0].replace("\n", " ") == COMMANDS[name].summary


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_teaches_with_examples(name: str) -> None:
    command = get_command(COMMANDS[name].load())
    inner = getattr(command, "commands", None)
    for one in inner.values() if inner else [command]:
        assert "Examples:" in (one.help or ""), one.name
        assert f"hookrt {name}" in one.help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_an_eighty_column_terminal(name: str) -> None:
    command = get_command(COMMANDS[name].load())
    inner = getattr(command, "commands", None)
    for one in [command, *(inner.values() if inner else [])]:
        _, _, rest = (one.help or "").partition("\n\n")
        too_long = [line for line in rest.splitlines() if len(line) > 78 and not line.startswith("  ")]
        assert too_long == []


def test_every_command_is_listed_without_being_loaded() -> None:
    assert set(build().commands) == set(COMMANDS)
