"""Reading a file of another program, be it JSON or YAML; what is wrong with it is told without its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from hookrt.config.document import MAX_BYTES, parse_document
from hookrt.config.nodes import Node
from hookrt.config.problem_log import ProblemLog
from hookrt.errors import ConfigError

_ESCAPE = re.compile(rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|.)", re.DOTALL)


def read_root(path: Path, prepare: Callable[[bytes], bytes] = bytes) -> Node:
    """The root of a file, which `prepare` may change before; raises ConfigError for what is neither JSON nor YAML.

    Its lines are not shown with the problems, since secrets may stand in them.
    """
    with path.open("rb") as opened:
        raw = opened.read(MAX_BYTES + 1)
    log = ProblemLog()
    root = parse_document(prepare(_join_pairs(raw)), str(path), log, hidden=True)
    if log.has_errors or root is None:
        raise ConfigError(log.sorted())
    return root


def _join_pairs(raw: bytes) -> bytes:
    """The text with each two escapes of JSON that stand for one character, which YAML does not know, as that one."""
    return _ESCAPE.sub(lambda found: _character(found) if found[1] else found[0], raw) if b"\\u" in raw else raw


def _character(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex((found[1] + found[2]).decode()).decode("utf-16-be").encode()
