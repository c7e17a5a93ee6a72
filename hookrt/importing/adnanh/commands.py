"""What a hook of adnanh/webhook runs, as the settings of a step `command`.

A program's arguments are written once and for all here; what comes from the event goes in by variables, which a shell
puts in their places without looking into them.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hookrt.config.nodes import Node
from hookrt.errors import ExpressionError
from hookrt.importing.adnanh.rules import Argument
from hookrt.importing.adnanh.values import find, in_request
from hookrt.importing.notes import Untranslatable
from hookrt.importing.yaml_text import Value
from hookrt.matching.names import Names
from hookrt.matching.template import compile_template

_ROOT = "event.data"
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MANY = "an event carries one value of the headers and the query, as its subject: this is the second"


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be run, as webhook has it."""

    command: str
    cwd: str
    arguments: tuple[Argument, ...]
    variables: tuple[Argument, ...]
    node: Node

    @property
    def values(self) -> tuple[Argument, ...]:
        """All that it is handed."""
        return (*self.arguments, *self.variables)


@dataclass(frozen=True, slots=True)
class Step:
    """The settings of a step, and the value of the request that has to be the event's subject for it."""

    settings: Mapping[str, Value]
    subject: str | None
    dynamic: bool


def make_step(program: Program) -> Step:
    """The step that runs the same; raises Untranslatable for a value that an event does not have."""
    if not program.command:
        raise Untranslatable(program.node, "it has no `execute-command`, so that webhook runs nothing")
    subject = _subject(program.values)
    env = {f"ARG_{n}": _text(one) for n, one in enumerate(program.arguments, 1) if _is_dynamic(one)}
    dynamic = bool(env)
    for one in program.variables:
        name = _variable_name(one)
        if dynamic and not _SHELL_NAME.fullmatch(name):
            raise Untranslatable(one.node, f"a shell, which puts in the arguments, does not hand on {name!r}")
        if name in env:
            raise Untranslatable(one.node, f"{name!r} is what the arguments are handed over in")
        env[name] = _text(one)
    settings: dict[str, Value] = {"argv": _argv(program)}
    if program.cwd:
        settings["cwd"] = program.cwd
    return Step({**settings, **({"env": env} if env else {})}, subject, dynamic)


def _argv(program: Program) -> list[str]:
    command = program.command
    if program.cwd and not posixpath.isabs(command):
        command = posixpath.join(program.cwd, command)
    if not any(map(_is_dynamic, program.arguments)):
        argv = [command, *(one.name if one.source == "string" else "POST" for one in program.arguments)]
    else:
        words = [
            f'"$ARG_{n}"' if _is_dynamic(one) else shlex.quote(one.name if one.source == "string" else "POST")
            for n, one in enumerate(program.arguments, 1)
        ]
        argv = ["/bin/sh", "-c", " ".join(["exec", shlex.quote(command), *words])]
    return argv


def _is_dynamic(argument: Argument) -> bool:
    return argument.source != "string" and (argument.source, argument.name.lower()) != ("request", "method")


def _text(argument: Argument) -> str:
    """The text that an argument becomes, as an expression."""
    if argument.source == "entire-payload":
        return '${{ event.data }}${{ "" }}'
    if not _is_dynamic(argument):
        return argument.name if argument.source == "string" else "POST"
    if in_request(argument):
        return '${{ get(event, "subject", "") }}'
    text = f"${{{{ string({find(argument, _ROOT).default}) }}}}"
    try:
        compile_template(text, Names())
    except ExpressionError as error:
        raise Untranslatable(argument.node, f"the argument is no expression here: {error.message}") from None
    return text


def _subject(arguments: Sequence[Argument]) -> str | None:
    """The expression of the one value that only the request has; raises Untranslatable for a second one."""
    found: str | None = None
    for one in filter(in_request, arguments):
        text = find(one, "body").default
        value = f'{text} != "" ? {text} : null'
        if found not in (None, value):
            raise Untranslatable(one.node, _MANY)
        found = value
    return found


def _variable_name(argument: Argument) -> str:
    return argument.envname or f"HOOK_{argument.name}"
