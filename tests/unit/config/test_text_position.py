from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.config.document import parse_document
from hookrt.config.nodes import ListNode, MapNode, Node, Style, TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.text_position import locate, locate_offset

ReadText = Callable[[str | bytes], Any]


def texts_in(node: Node | None) -> Iterator[TextNode]:
    if isinstance(node, TextNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from texts_in(item)
    elif isinstance(node, MapNode):
        for entry in node.entries.values():
            yield from texts_in(entry.value)


TEXTS = [
    "a: plain MARK here",
    'a: "quo \\n \\u0041 \\\\ MARK"',
    "a: 'it''s ''MARK'' ok'",
    "a: |\n  x\n\n    y MARK\n  z\n",
    "a: |2\n    indented MARK\n",
    "a: |-  # a comment\n\n    a MARK\n",
    "a: >\n  one two\n  three MARK\n\n   more\n",
    "a: plain over\n  lines MARK\n  end",
    'a: "over\n   two \\"lines\\" \\\n   MARK x"',
    "a: 'over\n   two ''lines'' MARK\n   '",
    "- 'ü😀 MARK'",
    "{a: [x, MARK]}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_place_in_a_value_leads_back_to_its_place_in_the_file(read: ReadText, text: str) -> None:
    lines = text.split("\n")
    [node] = [node for node in texts_in(read(text).root) if "MARK" in node.text]
    offset = node.text.index("MARK")
    span = locate_offset(node, offset)
    assert lines[span.line - 1][span.column - 1 :].startswith("MARK")
    line = node.text.count("\n", 0, offset) + 1
    column = offset - node.text.rfind("\n", 0, offset)
    assert locate(node, line, column) == span


def test_a_place_behind_the_value_is_at_its_end(read: ReadText) -> None:
    [node] = texts_in(read("a: |\n  one\n  two\n").root)
    assert (locate(node, 9, 9).line, locate(node, 9, 9).column) == (3, 6)
    assert (locate(node, 1, 99).line) >= 2


def test_an_empty_value_is_at_its_own_place(read: ReadText) -> None:
    [node] = texts_in(read("a: ''").root)
    assert locate(node, 1, 1) == node.span


WORDS = st.text("abc '\"\\:#\n é", max_size=30)


@given(WORDS, st.integers(0, 40), st.sampled_from(["'", '"', "|"]))
def test_every_place_leads_into_the_value(text: str, offset: int, style: str) -> None:
    if style == "'":
        written = "a: '" + text.replace("'", "''").replace("\n", "\n\n  ") + "'"
    elif style == '"':
        written = 'a: "' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    else:
        written = "a: |2\n" + "\n".join("  " + line for line in text.split("\n"))
    root = parse_document(written.encode(), "hooks.yaml", ProblemLog())
    for node in texts_in(root):
        span = locate_offset(node, offset)
        lines = written.split("\n")
        assert 1 <= span.line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1
        if style == '"' and isinstance(node, TextNode) and offset < len(text) and text[offset] in "abcé":
            assert node.style is Style.DOUBLE
            assert lines[span.line - 1][span.column - 1] == text[offset]
