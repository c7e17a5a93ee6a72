"""Whatever stands in an imported file, what is written reads back as the same: in hooks.yaml and in the env file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookrt.config.document import parse_document
from hookrt.config.env_file import read_env_file
from hookrt.config.fields import NAME
from hookrt.config.nodes import ListNode, MapNode, Node, TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.scalars import scalar_value
from hookrt.importing.naming import HookNames, MovedSecrets, env_lines, secret_name
from hookrt.importing.yaml_text import block, comment, expression, flow, long_expression

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
    st.text("ab ${}[]:#,'\"\\&*!|>%@`-?\n\t0.y/", max_size=12),
    st.sampled_from(
        ["yes", "NULL", "~", "1.10", "0x1f", "2026-01-01", "- a", "a: b", "a #b", "a:", "${{ x }}", "", " a"]
    ),
)


def values(text: str) -> Any:
    log = ProblemLog()
    root = parse_document(text.encode(), "hooks.yaml", log)
    assert root is not None, text
    assert [str(problem) for problem in log.sorted()] == [], text
    return plain(root)


def plain(node: Node) -> Any:
    if isinstance(node, MapNode):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    assert isinstance(node, TextNode)
    return scalar_value(node)


@given(text=TEXTS)
def test_a_text_stays_that_text(text: str) -> None:
    assert values(f"key: {flow([text])}") == {"key": [text]}
    assert values(f"key: {expression(text)}") == {"key": text}


@given(
    mapping=st.dictionaries(
        TEXTS.filter(lambda key: key != "<<"), st.one_of(TEXTS, st.lists(TEXTS, max_size=4)), max_size=4
    )
)
def test_a_mapping_stays_that_mapping(mapping: dict[str, Any]) -> None:
    assert values("\n".join(block("key", mapping, 2))) == {"key": mapping}


@given(text=TEXTS)
def test_a_comment_stays_a_comment(text: str) -> None:
    assert all(re.match(r" *# ", line) for line in comment(f"x {text}", 2, "  "))
    assert values("\n".join([*comment(f"x {text}", 2, "  "), "key: value"])) == {"key": "value"}


@pytest.mark.parametrize(
    "text", [f'get(event.data, "{"a" * 40}", "") == "b && (c" && (x || {"y" * 60}) || z', "a && b"]
)
def test_a_long_expression_is_folded_at_its_operators(text: str) -> None:
    lines = long_expression("when", text, 4)
    assert values("\n".join(lines)) == {"when": text}
    assert [line.strip()[:2] for line in lines[2:]] == (["&&", "||"] if len(text) > 100 else [])


@given(text=TEXTS)
def test_names_are_fit_and_free(text: str) -> None:
    names = HookNames()
    first, second = names.take(text), names.take(text)
    assert NAME.fullmatch(first)
    assert NAME.fullmatch(second)
    assert first != second
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*", secret_name(text, "key"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secrets=st.lists(TEXTS.filter(bool), max_size=4))
def test_secrets_read_back_as_they_were(secrets: list[str], tmp_path: Path) -> None:
    moved = MovedSecrets()
    names = [moved.take("KEY", value)[0] for value in secrets]
    (tmp_path / "env").write_text(env_lines(moved.values), newline="")
    found = read_env_file(tmp_path / "env")
    assert [found[f"HOOKRT_SECRET_{name}"] for name in names] == secrets
    assert len(moved.values) == len(set(secrets))
