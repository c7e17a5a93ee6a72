"""What the help of a command shows as the type of each option: nothing where it is a switch, words never broken."""

from __future__ import annotations

from typing import Any

_LONGEST_CHOICES = 20
"""Characters of alternatives that are shown in the column of types; more would be broken inside words."""


def tidy_types(command: Any) -> None:
    """Take `<bool>` from the switches of a command, and put long alternatives into the help of their option."""
    help_option = command.get_help_option(command.context_class(command))
    for parameter in [*command.params, *([help_option] if help_option else [])]:
        _tidy(parameter)


def tidy_all(command: Any) -> None:
    """The same for a command and its subcommands."""
    for one in [command, *getattr(command, "commands", {}).values()]:
        tidy_types(one)


def _tidy(parameter: Any) -> None:
    kind = getattr(parameter, "type_descriptor", None)
    if parameter.metavar is not None or kind is None:
        return
    if getattr(parameter, "is_flag", False):
        parameter.metavar = ""
    elif kind.is_choice:
        names = [str(getattr(choice, "value", choice)) for choice in kind.choices or ()]
        if len("|".join(names)) > _LONGEST_CHOICES:
            parameter.metavar = parameter.name.rstrip("_").upper()
            parameter.help = f"{parameter.help or ''} One of {', '.join(names)}.".lstrip()
