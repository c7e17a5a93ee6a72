"""The action `command`."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from hookrt.plugin import (
    Action,
    ActionCall,
    ActionSetup,
    Outcome,
    SettingsProblem,
    exponential,
)
from hookrt_command.program import NotRunnable, find_folder, find_program, make_environment
from hookrt_command.run import Ended, Lost, NotStarted, Program, run_program
from hookrt_command.settings import CommandSettings, Value
from hookrt_command.shown import last_words, log_lines, output_of

_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY, errno.EIO}


class Command(Action[CommandSettings]):
    """Run a program, with its arguments as they are written, never by way of a shell."""

    name = "command"
    static = frozenset({"argv", "cwd", "inherit"})
    shown = frozenset({"success", "retry_on", "reject_on"})
    retry = exponential(attempts=3)
    default_timeout = timedelta(minutes=1)
    reasons: ClassVar[Mapping[str, str]] = {
        "exit": "the program ended with an exit code that is no success",
        "signal": "a signal ended the program",
        "timeout": "its time was up; it was asked to end, and then killed",
        "not-runnable": "there is no such program or folder, or it cannot be executed",
        "bad-value": "a variable or the input cannot be handed over: a NUL, or half a character",
        "too-large": "arguments and variables together are more than the system takes",
        "system": "the system has no room for a process now",
        "lost": "the process above the program was killed, so that nobody knows how it ended",
    }

    def __init__(self) -> None:
        self._base_dir = Path()

    async def open(self, setup: ActionSetup) -> None:
        """Remember where relative paths begin."""
        self._base_dir = setup.base_dir

    def check_in(self, settings: CommandSettings, base_dir: Path) -> Iterable[SettingsProblem]:
        """Look whether the program and its folder are there."""
        path = settings.env.get("PATH")
        if path is None or "${{" not in str(path):
            try:
                find_program(str(settings.argv[0]), base_dir, _path_of(settings))
            except NotRunnable as error:
                yield SettingsProblem(("argv", 0), str(error), hint=error.hint)
        try:
            find_folder(settings.cwd, base_dir)
        except NotRunnable as error:
            yield SettingsProblem(("cwd",), str(error), hint=error.hint)

    async def run(self, call: ActionCall[CommandSettings]) -> Outcome:
        """Run the program once, to its end."""
        settings = call.settings
        try:
            program = self._program(call)
            ended = await run_program(program, call.timeout.total_seconds(), lambda: _hold(call))
        except NotRunnable as error:
            return Outcome.retry("not-runnable", str(error))
        except UnicodeError:
            return Outcome.reject("bad-value", "a variable, an argument or the input is no text: half a character")
        except ValueError as error:
            return Outcome.reject("bad-value", str(error))
        except NotStarted as error:
            return _not_started(error, str(settings.argv[0]))
        except Lost:
            return Outcome.retry("lost", "the process above the program is gone: somebody killed it, or memory ran out")
        return _outcome(ended, settings, call.timeout)

    def _program(self, call: ActionCall[CommandSettings]) -> Program:
        settings = call.settings
        own = {name: text_of(value) for name, value in settings.env.items()}
        if bad := next((name for name, value in own.items() if "\0" in value), None):
            raise ValueError(f"the variable {bad} has a NUL in it, which no variable can hold")
        env = make_environment(
            {"HOOKRT_MESSAGE_ID": call.message_id, "HOOKRT_ATTEMPT": str(call.attempt), **own},
            settings.inherit,
            os.environ,
        )
        return Program(
            path=find_program(str(settings.argv[0]), self._base_dir, env.get("PATH", os.defpath)),
            argv=[text_of(one) for one in settings.argv],
            cwd=find_folder(settings.cwd, self._base_dir),
            env=env,
            stdin=_stdin_of(call),
            grace=settings.grace.total_seconds(),
            output=settings.output,
            memory=settings.memory or 0,
            cpu=0 if settings.cpu is None else round(settings.cpu.total_seconds()),
        )


def text_of(value: Value) -> str:
    """A value as the text that a program gets: `true` and numbers as JSON has them."""
    return value if isinstance(value, str) else json.dumps(value)


def _path_of(settings: CommandSettings) -> str:
    own = settings.env.get("PATH")
    return text_of(own) if own is not None else os.environ.get("PATH", os.defpath)


def _stdin_of(call: ActionCall[CommandSettings]) -> bytes:
    given = call.settings.stdin
    if "stdin" not in call.settings.model_fields_set:
        return _json_line(call.event.as_dict())
    if given is None:
        return b""
    return given.encode() if isinstance(given, str) else _json_line(given)


def _json_line(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"  # a lone surrogate becomes its JSON escape


def _hold(call: ActionCall[CommandSettings]) -> None:
    """The attempt's time is up; what follows is the grace, which is not the program's time."""
    if call.patience is not None:
        call.patience.hold()


def _not_started(error: NotStarted, name: str) -> Outcome:
    why = os.strerror(error.errno)
    if error.what == "exec" and error.errno == errno.E2BIG:
        return Outcome.reject("too-large", "arguments and variables together are more than the system takes")
    if error.what != "exec" or error.errno in _PASSING:
        return Outcome.retry("system", f"{name!r} was not started: {why} ({error.what})")
    if error.errno == errno.ENOEXEC:
        why += "; a script begins with a line like #!/bin/sh"
    elif error.errno == errno.ENOENT:
        why += "; of a script, the program in its first line"
    return Outcome.retry("not-runnable", f"{name!r} cannot be executed: {why}")


def _outcome(ended: Ended, settings: CommandSettings, limit: timedelta) -> Outcome:
    logs = log_lines(ended)
    if ended.timed_out:
        return Outcome.retry("timeout", f"no end after {limit.total_seconds():g} s: it was stopped", logs=logs)
    killed = ended.code < 0
    code = 128 - ended.code if killed else ended.code
    if code in settings.success:
        return Outcome.done(output_of(ended, code), logs=logs)
    reason, message = ("signal", _signal_text(-ended.code)) if killed else ("exit", f"it ended with {code}")
    make = Outcome.retry if settings.retries(code, killed=killed) else Outcome.reject
    return make(reason, message + last_words(ended), logs=logs)


def _signal_text(number: int) -> str:
    try:
        return f"it was ended by {signal.Signals(number).name}"
    except ValueError:
        return f"it was ended by the signal {number}"
