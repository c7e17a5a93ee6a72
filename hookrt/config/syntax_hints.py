"""What to say of a text that is not YAML: the classic traps of people who write expressions into YAML."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hookrt.config.problem_log import ProblemLog
from hookrt.config.source_text import Span

_KEY = re.compile(r"""\s*(?:-\s+)*(?:"[^"]*"|'[^']*'|[^\s:"'{\[#][^:#]*?)\s*:\s+""")
_QUOTED = re.compile(r"""(?<=[\s{\[,:])(?:"[^"]*"|'[^']*')(?=\s*[,}\]:])""")
_COMMENT = re.compile(r"\s+#.*$")
_LONGEST = 1000  # of a line, as far as it is looked at


@dataclass(frozen=True, slots=True)
class SyntaxFailure:
    """What the YAML reader said: its problem and the context it was in, each with its place."""

    problem: str
    context: str
    at: Span
    opened: Span | None

    @property
    def line(self) -> str:
        """The line where it stopped."""
        return _line(self.at)

    @property
    def indented_by_tab(self) -> bool:
        """Whether a tab stands in the white space that begins the line."""
        return "\t" in self.line[: len(self.line) - len(self.line.lstrip())]


@dataclass(frozen=True, slots=True)
class _Answer:
    message: str
    hint: str | None = None
    at: Span | None = None


def explain_syntax(failure: SyntaxFailure, log: ProblemLog) -> None:
    """Report one YAML syntax error in words for somebody who writes hooks."""
    answer = next((found for rule in _RULES if (found := rule(failure))), None)
    if answer is None:
        answer = _Answer(f"this is not YAML: {_reason(failure)}")
    log.error(answer.at or failure.at, answer.message, answer.hint)


def written_value(at: Span) -> str:
    """The rest of a line from a place on, without a comment and what closes an enclosing bracket."""
    rest = _COMMENT.sub("", _line(at)[at.column - 1 :]).rstrip()
    before = _line(at)[: at.column - 1]
    if before.count("[") > before.count("]") or before.count("{") > before.count("}"):
        rest = re.split(r"[,\]}]", rest, maxsplit=1)[0].rstrip()
    return rest if len(rest) <= 80 else rest[:79] + "…"


def _line(at: Span) -> str:
    lines = at.source.lines
    return lines[at.line - 1][:_LONGEST] if 1 <= at.line <= len(lines) else ""


def _reason(failure: SyntaxFailure) -> str:
    return f"{failure.problem} {failure.context}".strip() or "it cannot be read"


def _value_of_line(line: str) -> str:
    """What stands behind the first `key: ` of a line."""
    found = _KEY.match(line)
    return line[found.end() :].strip() if found else line.strip()


def _key_of_line(line: str) -> str:
    found = _KEY.match(line)
    return line[: found.end()].strip().removeprefix("- ").strip() + " " if found else ""


def _quoted(line: str) -> str:
    """The line's value as it should be written: `when: 'a ? b : c'`."""
    value = _COMMENT.sub("", _value_of_line(line))
    if len(value) > 80:
        return "put quotes around the whole value"
    mark = '"' if '"' not in value and "\\" not in value else "'"
    if mark in value:
        return "put the value on lines of its own below `|`"
    return f"quote the whole value: {_key_of_line(line)}{mark}{value}{mark}"


def _tab(failure: SyntaxFailure) -> _Answer | None:
    if not failure.indented_by_tab:
        return None
    at = Span(failure.at.source, failure.at.line, failure.line.index("\t") + 1)
    return _Answer("a tab cannot indent in YAML", "use spaces, two for each level", at)


def _alias(failure: SyntaxFailure) -> _Answer | None:
    if "alias" not in failure.context or failure.opened is None:
        return None
    value = written_value(failure.opened)
    mark = "'" if '"' in value else '"'
    hint = f"quote it: {mark}{value}{mark}"
    return _Answer("a value that begins with `*` is an alias in YAML", hint, failure.opened)


def _anchor(failure: SyntaxFailure) -> _Answer | None:
    if "anchor" not in failure.context or failure.opened is None:
        return None
    if _value_of_line(failure.line).startswith("!"):
        message, hint = "a value that begins with `!` is a tag in YAML", _quoted(failure.line)
    else:
        message = "`&` begins an anchor in YAML"
        hint = "a text over several lines, or with a comment between them, wants `|` behind its key"
    return _Answer(message, hint, failure.opened)


def _reserved_character(failure: SyntaxFailure) -> _Answer | None:
    if "cannot start any token" not in failure.problem:
        return None
    character = failure.line[failure.at.column - 1 : failure.at.column]
    if character == "\t":
        return _Answer("a tab cannot stand here in YAML", "use spaces")
    return _Answer(f"a value cannot begin with `{character}` in YAML", _quoted(failure.line))


def _colon_in_value(failure: SyntaxFailure) -> _Answer | None:
    if "mapping values are not allowed" not in failure.problem:
        return None
    key = _KEY.match(failure.line)
    if key and key.end() <= failure.at.column - 1:
        return _Answer("`: ` within a plain value would begin another key in YAML", _quoted(failure.line))
    hint = "is it indented too far, or does the value of the line before want quotes?"
    return _Answer("a key cannot begin here", hint)


def _expression_in_brackets(failure: SyntaxFailure) -> _Answer | None:
    bare = _QUOTED.sub(lambda found: "_" * len(found[0]), failure.line)
    if "flow" not in failure.context or "${{" not in bare:
        return None
    start = bare.index("${{")
    closing = failure.line.find("}}", start)
    expression = failure.line[start : closing + 2] if closing >= 0 else "${{ ... }}"
    mark = "'" if '"' in expression else '"'
    hint = f"inside {{ }} and [ ] an expression must be quoted: {mark}{expression}{mark}"
    at = Span(failure.at.source, failure.at.line, start + 1, len(expression))
    return _Answer("`${{ }}` without quotes within a bracket is not YAML", hint, at)


def _unclosed_bracket(failure: SyntaxFailure) -> _Answer | None:
    if "flow" not in failure.context or failure.opened is None:
        return None
    bracket = _line(failure.opened)[failure.opened.column - 1 : failure.opened.column]
    hint = f"opened in line {failure.opened.line}, column {failure.opened.column}; a text with brackets wants quotes"
    return _Answer(f"here the `{bracket}` should go on with `,` or be closed", hint)


def _text_after_value(failure: SyntaxFailure) -> _Answer | None:
    if "block mapping" not in failure.context and "block collection" not in failure.context:
        return None
    value = _value_of_line(failure.line)
    before = failure.line[: failure.at.column - 1].strip()
    if value[:1] in {'"', "'", "[", "{"} and before and _KEY.match(failure.line):
        message = f"the value ends before this, since it begins with `{value[0]}`"
        return _Answer(message, _quoted(failure.line))
    if failure.line.lstrip().startswith(": "):
        return _Answer("there is no key before this `:`")
    opened = f" (the block that it could belong to begins in line {failure.opened.line})" if failure.opened else ""
    return _Answer(
        f"this line does not fit what is before it{opened}",
        "look at its indentation: the keys of one mapping, and the `-` of one list, stand exactly below each other",
    )


def _missing_colon(failure: SyntaxFailure) -> _Answer | None:
    if "simple key" not in failure.context or failure.opened is None:
        return None
    return _Answer("this line has no `: `", "write `key: value`, with a space behind the colon", failure.opened)


def _quotes(failure: SyntaxFailure) -> _Answer | None:
    if "quoted scalar" not in failure.context:
        return None
    if "escape" in failure.problem:
        hint = "inside double quotes a backslash begins an escape: write it twice, or use single quotes"
        column = failure.line.rfind("\\", 0, failure.at.column) + 1  # one of the two readers points behind it
        return _Answer("there is no such escape", hint, Span(failure.at.source, failure.at.line, max(column, 1)))
    return _Answer("the quote that is opened here is never closed", None, failure.opened)


def _block_header(failure: SyntaxFailure) -> _Answer | None:
    if "block scalar" not in failure.context:
        return None
    message = "`|` and `>` at the beginning of a value announce text on the next lines"
    return _Answer(message, f"put the text on the next line, or {_quoted(failure.line)}", failure.opened)


def _dash_in_line(failure: SyntaxFailure) -> _Answer | None:
    if "entries are not allowed" not in failure.problem:
        return None
    return _Answer("a list cannot begin in the line of its key", "put `- ` on the next line, indented, or write [a, b]")


_RULES: tuple[Callable[[SyntaxFailure], _Answer | None], ...] = (
    _tab,
    _alias,
    _anchor,
    _reserved_character,
    _colon_in_value,
    _expression_in_brackets,
    _unclosed_bracket,
    _missing_colon,
    _quotes,
    _block_header,
    _dash_in_line,
    _text_after_value,
)
