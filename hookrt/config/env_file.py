"""Reading an `--env-file`: KEY=VALUE lines, with quotes, comments and `export`; nothing is expanded."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from hookrt.config.problem_log import ProblemLog, TooManyProblems
from hookrt.config.source_text import SourceText, Span
from hookrt.config.suggest import shorten
from hookrt.errors import ConfigError

MAX_BYTES = 1024 * 1024
"""Largest env file that is read."""

_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ENTRY = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*
        (?: (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" ) [ \t]*(?:\#[^\n]*)?
          | (?P<bare>(?:[^'"\s][^\n]*)?) )
        (?:\n|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file.

    A value may stand in single quotes (as it is) or double quotes (with `\\n`, `\\t`, `\\"`, `\\\\`, `\\$`), both over
    several lines; without quotes it ends before ` #`. Raises ConfigError with every problem and its line; values are
    never shown.
    """
    log = ProblemLog()
    text = _read(path, log)
    found: dict[str, str] = {}
    with suppress(TooManyProblems):
        found = _parse(text, str(path), log) if text is not None else {}
    if log.has_errors:
        raise ConfigError(log.sorted())
    return found


def _read(path: Path, log: ProblemLog) -> str | None:
    at = Span(SourceText(str(path)), 1, 1)
    try:
        with path.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            log.error(at, "the file is larger than 1 MiB")
            return None
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        log.error(at, "the file is not UTF-8 text")
    except (OSError, ValueError) as error:
        log.error(at, f"the file cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}")
    return None


def _parse(text: str, name: str, log: ProblemLog) -> dict[str, str]:
    source = SourceText(name)
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        entry = _ENTRY.match(text, at)
        if entry:
            _enter(entry, Span(source, line, 1), found, log)
        blank = entry or _BLANK.match(text, at)
        if not blank:
            log.error(Span(source, line, 1), "this is no KEY=VALUE line", _hint(text, at))
        at = blank.end() if blank else _next_line(text, at)
    return found


def _enter(entry: re.Match[str], span: Span, found: dict[str, str], log: ProblemLog) -> None:
    key, value = entry["key"], _value(entry)
    if key in found:
        log.error(span, f"the variable {shorten(key)} stands here twice")
    if "\0" in value:
        log.error(span, f"the value of {shorten(key)} has a NUL character")
    found[key] = value


def _value(entry: re.Match[str]) -> str:
    if entry["single"] is not None:
        return entry["single"]
    if entry["double"] is not None:
        return _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), entry["double"])
    return re.split(r"(?:^|[ \t])#", entry["bare"], maxsplit=1)[0].rstrip()


def _hint(text: str, at: int) -> str:
    line = text[at : _next_line(text, at)]
    if "=" not in line:
        return "write KEY=VALUE, or begin a comment with #"
    if "'" in line or '"' in line:
        return "is a quote opened and not closed, or does something follow the closing one?"
    return "a name has letters, digits and `_`, and does not begin with a digit"


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1
