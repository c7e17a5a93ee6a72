from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from hookrt.config import document
from hookrt.config.document import parse_document
from hookrt.config.nodes import MapNode, Node
from hookrt.config.problem_log import ProblemLog
from hookrt.config.settings_tree import plain_tree
from hookrt.model.problem import Problem


@dataclass(frozen=True)
class Read:
    """What a text has become: its root, its plain values, its problems."""

    root: Node | None
    problems: tuple[Problem, ...]

    @property
    def values(self) -> Any:
        assert isinstance(self.root, MapNode)
        return plain_tree(self.root, ProblemLog()).value

    @property
    def value_problems(self) -> tuple[Problem, ...]:
        assert isinstance(self.root, MapNode)
        log = ProblemLog()
        plain_tree(self.root, log)
        return log.sorted()

    @property
    def problem(self) -> Problem:
        [problem] = self.problems
        return problem


@pytest.fixture(params=[yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], Read]:
    """Reads a text, with each of PyYAML's two readers: the one in C is not everywhere."""
    monkeypatch.setattr(document, "_LOADER", request.param)

    def parse(text: str | bytes) -> Read:
        log = ProblemLog()
        raw = text if isinstance(text, bytes) else text.encode()
        root = parse_document(raw, "hooks.yaml", log)
        return Read(root, log.sorted())

    return parse
