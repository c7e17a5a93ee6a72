"""A stack in a few lines: where foreign code stands, for people to find the place."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Callable, Iterator
from pathlib import PurePath
from types import FrameType

from hookrt.plugin.blame import describe_error, one_line

MOST = 6
"""Lines that are shown."""

_MAX_LINE = 160
_CALLERS = ("hookrt.", "asyncio.", "concurrent.", "threading")


def frames_of(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of a stack, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def stack_lines(frames: list[FrameType], is_own: Callable[[FrameType], bool]) -> tuple[str, ...]:
    """`acme/sms.py:12 in send: time.sleep(2)` for the innermost frames, these last; `frames` are innermost first.

    The innermost frame of somebody's own code is always among them.
    """
    shown = frames[:MOST]
    own = next((one for one in frames if is_own(one)), None)
    if own is not None and own not in shown:
        shown[-1] = own
    return tuple(_line_of(one) for one in reversed(shown))


def error_lines(error: BaseException) -> tuple[str, ...]:
    """The same for an exception: from the first place that is not hookrt's inwards, and what caused it."""
    passed = [(frame, number) for frame, number in traceback.walk_tb(error.__traceback__)]
    while passed and passed[0][0].f_globals.get("__name__", "").startswith(_CALLERS):
        passed.pop(0)
    lines = tuple(_line_at(frame, number) for frame, number in passed[-MOST:])
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines if cause is None else (*lines, f"because of {describe_error(cause)}")


def _line_of(frame: FrameType) -> str:
    return _line_at(frame, frame.f_lineno)


def _line_at(frame: FrameType, number: int) -> str:
    file = frame.f_code.co_filename
    place = "/".join(PurePath(file).parts[-2:])
    line = one_line(linecache.getline(file, number))[:_MAX_LINE]
    return f"{place}:{number} in {frame.f_code.co_name}" + (f": {line}" if line else "")
