"""The examples of docs/sandbox.md do what it says, with a real endpoint in the place of the one that they name."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.store.contract import EventQuery
from hookrt.testing import Answer, Receiver

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
EXAMPLES = dict(re.findall(r"^<!-- runnable: (\w+) -->\n```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
SECRETS = {"HOOKRT_SECRET_CRM_TOKEN": "s3cret-4711"}
SHOW = '      - {log: "${{ steps.STEP.output }}"}\n'


def play(folder: Path, name: str, receiver: Receiver, type: str, *data: Any) -> tuple[list[str], list[Any]]:
    """Emit these events one after the other: what the step's output was, and the data of all that it emitted."""
    step = "count" if name == "limit" else "python"
    text = EXAMPLES[name].replace("https://api.example.com", receiver.url) + SHOW.replace("STEP", step)
    (folder / "hooks.yaml").write_text(text)

    async def story() -> tuple[list[str], list[Any]]:
        runtime = Runtime.from_file(folder / "hooks.yaml", store="memory:", env=SECRETS)
        shown = []
        async with runtime:
            for each in data:
                [delivery] = await (await runtime.emit(type, each)).wait(timeout=30)
                attempts = await runtime.store.attempts(delivery.id)
                assert delivery.status == "succeeded", attempts
                shown += attempts[-1].logs
            events = (await runtime.store.events(EventQuery(limit=100))).items
            return shown, [one.event.data for one in events if one.event.type != type]

    return asyncio.run(story())


def test_every_example_is_played_here() -> None:
    assert set(EXAMPLES) == {"enrich", "lookup", "limit"}


def test_enrich_asks_once_and_emits_once(tmp_path: Path) -> None:
    with Receiver() as receiver:
        receiver.answer(Answer(json={"plan": "pro"}))
        outputs, emitted = play(tmp_path, "enrich", receiver, "User.Created", {"id": "u1"}, {"id": "u1"})
        [request] = receiver.requests
    assert (request.path, request.headers["authorization"]) == ("/v1/users/u1", "Bearer s3cret-4711")
    assert emitted == [{"id": "u1", "plan": "pro"}]
    assert ['"known":false' in outputs[0], '"known":true' in outputs[1]] == [True, True]


@pytest.mark.parametrize(("answer", "rate"), [(Answer(json={"rate": 2}), "2"), (Answer(500), "null")])
def test_lookup_does_without_a_rate(tmp_path: Path, answer: Answer, rate: str) -> None:
    with Receiver() as receiver:
        receiver.answer(answer)
        [output], _ = play(tmp_path, "lookup", receiver, "Order.Placed", {"total": 10, "currency": "EUR"})
    assert f'"rate":{rate}' in output


def test_limit_emits_at_the_third_failure(tmp_path: Path) -> None:
    with Receiver() as receiver:
        outputs, emitted = play(tmp_path, "limit", receiver, "Login.Failed", *[{"user": "ada"}] * 4)
    assert len(outputs) == 4
    assert emitted == [{"user": "ada", "failed": 3}]
