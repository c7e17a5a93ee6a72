"""A whole runtime in a test, and the fixture that starts it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hookrt.errors import ConfigError
from hookrt.model.delivery import Status
from hookrt.plugin import Action, ActionCall, Outcome, Settings, Source, SourceRun
from hookrt.testing import RuntimeInMemory


class Moods(Settings):
    fails: int = 0
    word: str = ""


class Moody(Action[Moods]):
    """Fails at first, and says what it is told."""

    name = "moody"

    async def run(self, call: ActionCall[Moods]) -> Outcome:
        call.log.info("trying")
        if call.attempt <= call.settings.fails:
            return Outcome.retry("moody", "not today")
        call.emit("Mood.Good", {"word": call.settings.word})
        return Outcome.done({"word": call.settings.word})


class Ticking(Source[Settings]):
    """Emits one event."""

    name = "ticking"

    async def run(self, source: SourceRun[Settings]) -> None:
        await source.emit("Ticked", {})
        await asyncio.Event().wait()


Start = Callable[..., RuntimeInMemory]


@pytest.fixture
def start(hookrt_runtime: Start) -> Start:
    return hookrt_runtime


def test_emit_returns_what_became_of_the_event_in_each_hook(start: Start) -> None:
    runtime = start(
        """
        hooks:
          fine: {on: Go, steps: [{moody: {word: "${{ secrets.WORD }}"}}]}
          later: {on: Go, steps: [{moody: {fails: 1}}], retry: [1h, 1h]}
          other: {on: Stop, steps: [{moody: {}}]}
          next: {on: Mood.Good, steps: [{log: {message: "${{ event.data.word }}"}}]}
        """,
        actions=[Moody],
        secrets={"WORD": "hush"},
    )
    found = {one.hook: one for one in runtime.emit("Go", {"a": 1})}
    assert {name: one.status for name, one in found.items()} == {"fine": Status.SUCCEEDED, "later": Status.WAITING}
    assert (found["later"].last.reason, found["later"].last.message) == ("moody", "not today")
    assert found["later"].last.logs == ("info: trying",)
    done = runtime.retry(found["later"])
    assert (done.status, [one.outcome for one in done.attempts]) == (Status.SUCCEEDED, ["retry", "done"])
    assert "next" in {one.hook for one in runtime.deliveries()}


def test_its_sources_run(start: Start, hookrt_receiver: object) -> None:
    receiver = hookrt_receiver
    hooks = f"""
        sources: {{mine: {{ticking: {{}}}}}}
        hooks: {{tick: {{on: Ticked, from: mine, steps: [{{webhook: "{receiver.url}/tick"}}]}}}}
    """  # type: ignore[attr-defined]
    start(hooks, sources=[Ticking])
    receiver.wait_for(1)  # type: ignore[attr-defined]
    receiver.assert_received(path="/tick")  # type: ignore[attr-defined]


def test_a_mistake_in_the_text_is_said_with_all_problems(start: Start) -> None:
    with pytest.raises(ConfigError) as raised:
        start("hooks: {a: {on: X, steps: [{mody: {}}]}, b: {on: X, stps: []}}", actions=[Moody])
    assert "did you mean 'moody'" in str(raised.value)
    assert "stps" in str(raised.value)


def test_no_thread_is_left_when_it_is_closed(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with RuntimeInMemory(tmp_path) as runtime:
        assert runtime.emit("Nobody.Cares") == []
        assert runtime.runtime.ready
    runtime.close()
    assert not [one for one in set(threading.enumerate()) - before if one.name.startswith("hookrt")]


def test_two_at_once_know_nothing_of_each_other(start: Start) -> None:
    text = "hooks: {a: {on: Go, steps: [{moody: {}}]}}"
    one, other = start(text, actions=[Moody]), start(text, actions=[Moody])
    assert len(one.emit("Go")) == 1
    assert other.deliveries() == []
