"""What a program wrote, as the output of its step and as lines of the attempt's log."""

from __future__ import annotations

import json
import re
from typing import Any

from hookrt_command.run import Ended, Kept

MAX_LINES = 90
"""Lines of each stream that are logged, the last ones."""

MAX_JSON = 200_000
"""Bytes of a step's output as JSON; what is more is left out, so that a step does not fail for what it said."""

MAX_DEPTH = 64
"""Deepest nesting of JSON that is taken as such."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNSHOWN = "\N{REPLACEMENT CHARACTER}"
_LARGEST = 2**63


def output_of(ended: Ended, code: int) -> dict[str, Any]:
    """`exit_code`, `stdout`, `stderr`, `json` (null where stdout is none), `truncated`."""
    output: dict[str, Any] = {
        "exit_code": code,
        "stdout": _text(ended.stdout),
        "stderr": _text(ended.stderr),
        "json": None if ended.stdout.cut else read_json(bytes(ended.stdout.content)),
        "truncated": ended.stdout.cut or ended.stderr.cut,
    }
    while _size(output) > MAX_JSON:
        longest = max(("stdout", "stderr"), key=lambda name: _size(output[name]))
        output |= {longest: output[longest][: len(output[longest]) // 2], "truncated": True}
    return output


def read_json(content: bytes) -> Any:
    """A whole text of JSON; None for what is none, nests too deeply, or holds a number that no step could pass on."""
    try:
        value = json.loads(content, parse_constant=_refuse, parse_int=_whole)
        if _depth(value) > MAX_DEPTH or len(_encoded(value)) > MAX_JSON // 2:
            return None
    except (ValueError, RecursionError):  # UnicodeError is a ValueError
        return None
    return value


def log_lines(ended: Ended) -> list[str]:
    """The last lines of both streams, with their names before them."""
    return [*_named("stderr", ended.stderr), *_named("stdout", ended.stdout)]


def last_words(ended: Ended) -> str:
    """The last line of what went wrong, for people, after a colon; nothing where it said nothing."""
    lines = _text(ended.stderr).strip().splitlines()
    return f": {_CONTROL.sub(_UNSHOWN, lines[-1].strip())[:500]}" if lines else ""


def _named(name: str, kept: Kept) -> list[str]:
    lines = _text(kept).splitlines()
    shown = [f"{name}: {_CONTROL.sub(_UNSHOWN, line)}" for line in lines[-MAX_LINES:]]
    if len(lines) > MAX_LINES:
        shown.insert(0, f"{name}: … {len(lines) - MAX_LINES} lines before")
    if kept.cut:
        shown.append(f"{name}: … {kept.size - len(kept.content)} bytes more")
    return shown


def _text(kept: Kept) -> str:
    return kept.content.decode("utf-8", "replace")


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _size(value: Any) -> int:
    return len(_encoded(value))


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _whole(digits: str) -> int:
    number = int(digits)
    if not -_LARGEST <= number < _LARGEST:
        raise ValueError("too large")
    return number


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            item
            for one in level
            if isinstance(one, (list, dict))
            for item in (one.values() if isinstance(one, dict) else one)
        ]
    return depth
