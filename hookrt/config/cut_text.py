"""Texts that YAML cuts at ` #`, where the writer may have meant it to go on."""

from __future__ import annotations

import re

from hookrt.config.nodes import TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.source_text import Span

_COMMENT = re.compile(r"[ \t]+(#.*)$")
HINT = "` #` begins a comment in YAML: put the whole value in quotes, or on a line of its own below `|`"
"""What to do about it."""


def comment_behind(node: TextNode) -> Span | None:
    """Where a comment follows a plain value in its last line; None where none does."""
    lines = node.span.source.lines
    if not node.plain or not node.text or not 1 <= node.end_line <= len(lines):
        return None
    found = _COMMENT.match(lines[node.end_line - 1], node.end_column - 1)
    if not found:
        return None
    return Span(node.span.source, node.end_line, found.start(1) + 1, len(found[1]))


def warn_if_cut(node: TextNode, log: ProblemLog, *, expression: bool = False) -> None:
    """Warn of a comment that looks like the rest of the value before it (`ticket #5`).

    A comment with a space behind its `#`, as people write them, is fine, unless it stands behind an expression,
    template or URL that is not whole.
    """
    comment = comment_behind(node)
    if comment is None:
        return
    sensitive = expression or "${{" in node.text or "://" in node.text
    if not _reads_like_comment(comment) or (sensitive and _is_open(node.text)):
        log.warn(comment, "the value ends before this `#`: the rest is a comment", HINT)


def _reads_like_comment(comment: Span) -> bool:
    text = comment.source.lines[comment.line - 1][comment.column - 1 :]
    return text.startswith(("# ", "#\t")) or not text.strip("#")


def _is_open(text: str) -> bool:
    """Whether a quote or bracket is opened in the text and not closed."""
    pairs = (("(", ")"), ("[", "]"), ("{", "}"))
    unbalanced = any(text.count(opening) > text.count(closing) for opening, closing in pairs)
    return unbalanced or text.count('"') % 2 == 1 or (text.count("'") % 2 == 1 and '"' not in text)
