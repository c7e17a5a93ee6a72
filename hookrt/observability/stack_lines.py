"""A stack in a few lines: where foreign code stands, for people to find the place."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from pathlib import PurePath
from types import FrameType

from hookrt.plugin.blame import one_line

MOST = 6
"""Lines that are shown."""

_MAX_LINE = 160


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


def _line_of(frame: FrameType) -> str:
    file, number = frame.f_code.co_filename, frame.f_lineno
    place = "/".join(PurePath(file).parts[-2:])
    line = one_line(linecache.getline(file, number))[:_MAX_LINE]
    return f"{place}:{number} in {frame.f_code.co_name}" + (f": {line}" if line else "")
