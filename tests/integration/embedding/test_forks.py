"""DESIGN "Interfaces": an embedded runtime names its misuse after a fork, and the fork harms nobody."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from hookrt import Runtime
from hookrt.errors import UsageError

Program = Callable[[str], str]

CHILD = """
import os, sys
def in_child(work):
    "What a forked process says; it ends as gunicorn's do, by sys.exit."
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            said = work()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, str(said).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        return pipe.read()
"""


def test_a_runtime_started_before_a_fork_says_so_in_the_child_and_goes_on_in_the_parent(program: Program) -> None:
    program(
        CHILD
        + """
import asyncio
from hookrt import Runtime

runtime = Runtime(store="sqlite:///app.db")
runtime.on("A.B", name="note")(lambda event: None)
loop = asyncio.new_event_loop()
loop.run_until_complete(runtime.start())
for method in (lambda: runtime.emit("A.B"), runtime.start, lambda: runtime.accept([])):
    said = in_child(lambda: asyncio.run(method()))
    assert said.startswith("UsageError: this runtime was started before the process forked"), said
    assert "post_fork" in said
assert in_child(lambda: asyncio.run(runtime.stop())) == "True", "a child leaves alone what is its parent's"
assert runtime.leading
[delivery] = loop.run_until_complete(loop.run_until_complete(runtime.emit("A.B")).wait(timeout=20))
assert delivery.status.value == "succeeded"
loop.run_until_complete(runtime.stop())
loop.close()
"""
    )


def test_the_blocking_runtime_says_so_too_and_its_end_in_the_child_does_nothing(program: Program) -> None:
    program(
        CHILD
        + """
from hookrt import Runtime

runtime = Runtime(store="sqlite:///app.db")
runtime.on("A.B", name="note")(lambda event: None)
with runtime.blocking() as hooks:
    for method in (lambda: hooks.emit("A.B"), hooks.start):
        said = in_child(method)
        assert said.startswith("UsageError: this runtime was started before the process forked"), said
    assert in_child(hooks.stop) == "None"
    [delivery] = hooks.wait(hooks.emit("A.B"), timeout=20)
    assert delivery.status.value == "succeeded"
"""
    )


def test_a_runtime_made_before_a_fork_can_be_started_in_every_child(program: Program) -> None:
    """As with gunicorn's --preload, when the runtime is started in post_fork."""
    program(
        CHILD
        + """
from hookrt import Runtime

runtime = Runtime(store="sqlite:///app.db")
runtime.on("A.B", name="note")(lambda event: None)
blocking = runtime.blocking()

def serve():
    with blocking as hooks:
        [delivery] = hooks.wait(hooks.emit("A.B"), timeout=20)
        return delivery.status.value

assert [in_child(serve), in_child(serve), serve()] == ["succeeded"] * 3
"""
    )


def test_a_runtime_cannot_be_sent_to_another_process() -> None:
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(UsageError, match="make one there"):
            copied(Runtime(store="memory:"))
