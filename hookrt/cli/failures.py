"""The one place where an error becomes a sentence for people and an exit code.

What hookrt raises on purpose says what is wrong in its own text; what the machine refuses (files, ports, space) is
put into words here; anything else is a bug, and gets one line with an id that names where it happened.
"""

from __future__ import annotations

import errno
import hashlib
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from hookrt.cli.problem_view import count_problems, show_problems
from hookrt.cli.render import Screen
from hookrt.errors import ConfigError, HookrtError
from hookrt.model.problem import Problem

EXIT_PROBLEMS = 1
EXIT_INTERRUPTED = 130

_MEANINGS = {
    errno.ENOENT: "there is no such file or folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "it is a folder, a file is needed",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EROFS: "the disk is read-only",
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EADDRINUSE: "the port is in use: stop what listens there, or choose another with --port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n)",
    errno.ELOOP: "its symbolic links run in a circle",
    errno.ENAMETOOLONG: "its name is too long",
}


def report_failure(error: BaseException, arguments: Sequence[str], *, debug: bool) -> int:
    """Tell the user in a sentence on stderr what went wrong; returns the exit code."""
    cause = expected_cause(error)
    if isinstance(cause, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    if debug:
        Screen(sys.stderr).block("".join(traceback.format_exception(error)), style="dim")
    screen = Screen(sys.stderr)
    if isinstance(cause, ConfigError):
        show_config_error(cause, screen)
    else:
        first, *more = (_describe(cause) if cause else _describe_bug(error, () if debug else arguments)).splitlines()
        screen.line(("hookrt: ", "bold red"), first)
        if more:
            screen.block("\n".join(more), indent="  ")
    return EXIT_PROBLEMS


def report_stray(error: BaseException) -> None:
    """Tell in one line on stderr of an error that nobody could catch: in a thread, a task, a finaliser."""
    cause = expected_cause(error)
    if not isinstance(cause, KeyboardInterrupt):
        text = (_describe(cause) if cause else _describe_bug(error, ())).partition("\n")[0]
        Screen(sys.stderr).line(("hookrt: ", "bold red"), text)


def expected_cause(error: BaseException) -> BaseException | None:
    """The error of a kind that has a sentence of its own, looked for inside groups too; None for a bug."""
    for candidate in _flatten(error):
        if isinstance(candidate, HookrtError | OSError | KeyboardInterrupt | MemoryError):
            return candidate
    return None


def describe_os_error(error: OSError) -> str:
    """What the operating system refused, in words: `hooks.yaml: there is no such file or folder`."""
    code = error.errno
    meaning = _MEANINGS.get(code) if code is not None else None
    meaning = meaning or error.strerror or str(error) or type(error).__name__
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{' → '.join(names)}: {meaning}" if names else meaning


def show_config_error(error: ConfigError, screen: Screen) -> None:
    """Print every problem of the configuration, in the same form as `hookrt check`."""
    problems = [problem for problem in error.problems if isinstance(problem, Problem)]
    show_problems(screen, problems)
    for other in error.problems:
        if not isinstance(other, Problem):
            screen.block(str(other))
    screen.line(("hookrt: ", "bold red"), f"the configuration cannot be used: {count_problems(problems)}")


def _flatten(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _flatten(inner)
    else:
        yield error


def _describe(error: BaseException) -> str:
    if isinstance(error, OSError):
        return describe_os_error(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this"
    return str(error).strip() or type(error).__name__


def _describe_bug(error: BaseException, arguments: Sequence[str]) -> str:
    text = f"unexpected error {error_id(error)} ({type(error).__name__}): this is a bug in hookrt"
    again = shlex.join(["hookrt", "--debug", *arguments])
    return f"{text}. `{again}` shows its details" if arguments else text


def error_id(error: BaseException) -> str:
    """Eight characters that are the same wherever the same error comes from the same place."""
    frames = traceback.extract_tb(next(iter(_flatten(error))).__traceback__)
    places = "".join(f"{Path(frame.filename).name}:{frame.lineno};" for frame in frames[-3:])
    return hashlib.sha256(f"{type(error).__name__};{places}".encode()).hexdigest()[:8]
