"""The corpus of `ctx.http`, `ctx.secrets`, `ctx.state` and `ctx.emit`: none of them is a way out, and all work."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sandbox_corpus.items import read_items
from sandbox_corpus.judge import judge_all

CORPUS = Path(__file__).parents[2] / "corpora" / "capabilities.yaml"


def test_what_is_granted_works_and_is_no_way_out() -> None:
    items = read_items(CORPUS.read_text(encoding="utf-8"), CORPUS.name)
    assert {item.benign for item in items} == {True, False}
    assert asyncio.run(judge_all(items)).unexpected == []
