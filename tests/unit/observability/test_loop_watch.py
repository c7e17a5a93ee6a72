"""Who is suspected of holding the event loop, at moments that the test makes up."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from types import FrameType
from typing import Any, cast

from hookrt.observability.loop_watch import LONG_S, Glance, Means, Suspicion, is_waiting
from hookrt.observability.stack_lines import MOST, frames_of, stack_lines

THRESHOLD_S = 0.2
FIRST, SECOND = (cast("asyncio.Task[Any]", object()) for _ in range(2))


class Watch:
    """A suspicion since the moment 0, and what is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, float, bool]] = []
        blame = {FIRST: "first", SECOND: "second"}
        means: Means[str] = Means(
            lambda task, frame: blame.get(task) if task is not None else None,
            lambda who, seconds, over: self.told.append((who, round(seconds, 3), over)),
        )
        self.suspicion = Suspicion(THRESHOLD_S, means, 0.0)
        self.cpu = self.suspicion._cpu

    def look(self, at: float, task: asyncio.Task[Any] | None, cpu: float = 0.0) -> None:
        self.cpu += cpu
        self.suspicion.look(Glance(at, self.cpu, task, sys._getframe()))


def test_a_task_that_runs_as_long_as_the_threshold_is_told_of_when_it_is_over() -> None:
    watch = Watch()
    for at in (0.05, 0.1, 0.15, 0.2, 0.25):
        watch.look(at, FIRST)
    assert watch.told == []
    watch.suspicion.end(0.3)
    assert watch.told == [("first", 0.3, True)]


def test_one_that_goes_on_is_told_of_while_it_does_once() -> None:
    watch = Watch()
    for number in range(1, 40):
        watch.look(number * 0.05, FIRST)
    assert watch.told == [("first", LONG_S, False)]
    watch.suspicion.end(2.0)
    assert watch.told[1:] == [("first", 2.0, True)]


def test_many_short_runs_of_several_tasks_are_nobodys_fault() -> None:
    watch = Watch()
    for number in range(1, 40):
        watch.look(number * 0.05, (FIRST, SECOND, None)[number % 3])
    watch.suspicion.end(2.0)
    assert watch.told == []


def test_each_of_two_that_hold_the_loop_one_after_the_other_is_told_of() -> None:
    watch = Watch()
    for number in range(1, 12):
        watch.look(number * 0.05, FIRST if number <= 4 else SECOND)
    watch.suspicion.end(0.6)
    assert watch.told == [("first", 0.2, True), ("second", 0.4, True)]


def test_a_process_that_stood_still_as_a_whole_blames_nobody() -> None:
    watch = Watch()
    watch.look(5.0, FIRST, cpu=0.01)
    watch.suspicion.end(5.05)
    assert watch.told == []


def test_who_kept_all_threads_from_running_is_told_of() -> None:
    watch = Watch()
    watch.look(0.9, FIRST, cpu=0.9)
    watch.suspicion.end(0.95)
    assert watch.told == [("first", 0.95, True)]


def test_where_no_plugin_is_at_work_nobody_is_told_of() -> None:
    watch = Watch()
    for at in (0.1, 0.2, 0.3):
        watch.look(at, None)
    watch.suspicion.end(0.4)
    assert watch.told == []


def deep(levels: int) -> list[FrameType]:
    return deep(levels - 1) if levels else list(frames_of(sys._getframe()))


def test_a_stack_shows_the_innermost_frames_and_the_innermost_of_ones_own() -> None:
    frames = deep(20)
    lines = stack_lines(frames, lambda one: one.f_code.co_name != "deep")
    assert len(lines) == MOST
    assert "in test_a_stack_shows_the_innermost_frames_and_the_innermost_of_ones_own: " in lines[0]
    assert all(line.startswith("observability/test_loop_watch.py:") for line in lines)
    assert "in deep: " in lines[-1]


def test_a_frame_without_source_has_its_place_alone() -> None:
    found: list[str] = []
    code = compile("say()", "/nowhere/made_up.py", "exec")
    exec(code, {"say": lambda: found.extend(stack_lines(list(frames_of(sys._getframe().f_back)), lambda one: True))})
    assert found[-1] == "nowhere/made_up.py:1 in <module>"


def test_a_loop_that_waits_for_something_to_do_is_left_alone_and_one_that_works_is_not() -> None:
    seen: dict[str, bool] = {}
    begun = threading.Event()
    ident = threading.get_ident()

    def look(name: str) -> None:
        begun.wait(10)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            seen[name] = is_waiting(sys._current_frames()[ident])
            if seen[name] is (name == "idle"):
                return
            threading.Event().wait(0.001)

    async def idle() -> None:
        begun.set()
        await asyncio.to_thread(look, "idle")
        begun.clear()
        for name, work in (("coroutine", None), ("callback", threading.Event())):
            thread = threading.Thread(target=look, args=(name,))
            thread.start()
            begun.set()
            if work is None:
                thread.join()
            else:
                asyncio.get_running_loop().call_soon(thread.join)
                await asyncio.sleep(0)
                await asyncio.sleep(0)

    asyncio.run(idle())
    assert seen == {"idle": True, "coroutine": False, "callback": False}
