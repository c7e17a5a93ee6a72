"""What docs/decisions.md shows is accepted, and does what the text says."""

from __future__ import annotations

import asyncio
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.config.deciding import CHOICES
from hookrt.delivery.decisions import MOST_AT_ONCE
from hookrt.model.decision import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, MAX_REASON
from hookrt.testing import Answer, Receiver
from hookrt.web.api.decisions import DecisionShown

TEXT = (Path(__file__).parents[2] / "docs" / "decisions.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
[HOOKS] = [text for kind, text in BLOCKS if kind == "yaml"]
[PROGRAM] = [text for kind, text in BLOCKS if kind == "python"]
[ANSWER] = [json.loads(text) for kind, text in BLOCKS if kind == "json"]


async def play(hooks: Path, *forms: dict[str, Any]) -> list[str]:
    names: dict[str, Any] = {}
    exec(textwrap.dedent(PROGRAM).replace("timeout=0.5", "timeout=20"), names)
    async with Runtime.from_file(hooks, store="memory:", env={}) as runtime:
        return [await names["register"](runtime, form) for form in forms]


@pytest.mark.parametrize("status", [200, 500])
def test_the_example_does_what_the_text_says(tmp_path: Path, status: int) -> None:
    with Receiver() as fraud:
        fraud.answer(Answer(status, json={"decision": "allow"}))
        file = tmp_path / "hooks.yaml"
        file.write_text(HOOKS.replace("https://fraud.example.com", fraud.url.rstrip("/")))
        grown, child = {"email": "Ada@Acme.com", "age": 36}, {"email": "Bob@Acme.com", "age": 9}
        said = asyncio.run(play(file, grown, child))
        assert said == ["welcome, ada@acme.com", "no: You must be 18 or older."]
        [request] = fraud.requests
        assert json.loads(request.body)["data"] == {"email": "ada@acme.com", "age": 36}


def test_the_answer_that_is_shown_has_the_form_of_answers() -> None:
    assert DecisionShown.model_validate(ANSWER).model_dump() == ANSWER


def test_the_figures_are_those_of_the_program() -> None:
    assert CHOICES[0] == "deny"
    assert f"{DEFAULT_TIMEOUT.total_seconds():g} by default and {LONGEST_TIMEOUT.total_seconds():g} at most" in TEXT
    assert f"above {MOST_AT_ONCE} decisions" in TEXT
    assert f"above {MAX_REASON:,} characters" in TEXT
