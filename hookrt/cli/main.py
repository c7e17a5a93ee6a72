"""The `hookrt` command: reads the command line, hands over to one command, and lets no traceback out.

Nothing heavy is imported here: a command's own file is loaded when that command is called (`lazy_group`), so
that `hookrt check` starts quickly.
"""

from __future__ import annotations

import gc
import io
import itertools
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

try:
    import typer
    from typer.main import get_command
except ModuleNotFoundError as missing:  # hookrt without the extra, as a plugin or an embedding program brings it along
    sys.exit(f"hookrt: the command line needs {missing.name}: pip install 'hookrt[serve]'")

from hookrt.cli.help_types import tidy_types
from hookrt.cli.lazy_group import LazyGroup, placeholders

_HELP = """Run hooks: events come in, the hooks of hooks.yaml that match them run their steps, and nothing is lost.

Start here:

  hookrt demo                       see it work: service, receiver, events
  hookrt init                       write a commented hooks.yaml to start from
  hookrt check                      find every mistake in it
  hookrt run                        serve it on http://127.0.0.1:4665
  hookrt emit PostRegister --wait   send an event and see what comes of it

Every command explains itself: hookrt COMMAND --help
"""


_COLLECT_EVERY = 20_000
"""New objects between two searches for garbage. Imports make many that last; with Python's own 700 a start takes 30 ms
longer."""


def build() -> LazyGroup:
    """The whole command line, its commands not loaded yet."""
    app = typer.Typer(cls=LazyGroup, help=_HELP, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_root)
    group = get_command(app)
    if not isinstance(group, LazyGroup):
        raise TypeError(f"typer made a {type(group).__name__} of the root")
    group.commands.update(placeholders())
    tidy_types(group)
    return group


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with 0 (fine), 1 (problems), 2 (wrong usage) or 130 (interrupted)."""
    gc.set_threshold(_COLLECT_EVERY)
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.stdout, sys.stderr = _usable(sys.stdout), _usable(sys.stderr)
    _guard_threads()
    try:
        code = _call(given)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has gone (`hookrt events list | head`): nothing to say
        code = 1
    except (Exception, KeyboardInterrupt) as error:
        code = _report(error, given)
    _finish_output()
    gc.freeze()  # so that the interpreter's end, which frees everything, does not first search it all for garbage
    sys.exit(code)


def _call(arguments: list[str]) -> int:
    try:
        build()(args=arguments, prog_name="hookrt")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    return 0


def _show_version(wanted: bool) -> None:
    if wanted:
        from hookrt.cli.version import installed_version

        typer.echo(f"hookrt {installed_version()}")
        raise typer.Exit


def _root(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before the command; `--debug` is read by `main` itself."""


def _wants_debug(arguments: Sequence[str]) -> bool:
    return "--debug" in itertools.takewhile(lambda argument: argument.startswith("-"), arguments)


def _usable(stream: TextIO | None) -> TextIO:
    """A stream for what it cannot show writes an escape, no error; in the place of a closed one, one into nothing."""
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _guard_threads() -> None:
    """What a thread or a finaliser raises is told in one line, too."""

    def tell(found: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
        from hookrt.cli.failures import report_stray

        if found.exc_value is not None:
            report_stray(found.exc_value)

    threading.excepthook = tell
    sys.unraisablehook = tell


def _report(error: BaseException, given: Sequence[str]) -> int:
    from hookrt.cli.failures import EXIT_PROBLEMS, report_failure

    try:
        return report_failure(error, given, debug=_wants_debug(given))
    except OSError:  # a standard error on a full disk, say: nobody can be told
        return EXIT_PROBLEMS


def _finish_output() -> None:
    """Write what is left, and give up what cannot be written, so that the exit code stays ours."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            from hookrt.observability.let_go import let_go

            let_go(stream)
