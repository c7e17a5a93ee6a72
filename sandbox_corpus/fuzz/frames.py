"""What a lying worker may say: frames as they should be, frames that are not, and bytes that are no frames."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from hookrt.actions.python_snippet.debt import KINDS
from hookrt.actions.python_snippet.worker.wire import HEADER, MAX_CALL

ID = "ID-of-the-first-"
"""Stands for the id of the request, which is random and as long as this."""

OTHER_ID = "ID-of-the-second"
"""Stands for the id of the request behind it, if there is one."""

GREETING = HEADER.pack(20) + b'{"isolation":"core"}'

_TEXTS = st.text(max_size=8) | st.sampled_from([ID, "done", "call", "\ud7ff", "\x00", "../", "a" * 300])
_SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | _TEXTS
VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=8
)
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
HONEST = st.fixed_dictionaries(
    {"id": st.just(ID), "kind": st.sampled_from(sorted(KINDS)), "result": _PLAIN},
    optional={
        "message": st.sampled_from(["", "it failed", None]),
        "line": st.none() | st.integers(1, 99),
        "logs": st.lists(st.sampled_from(["", "a", "é\n"]), max_size=3),
        "took": st.sampled_from([0.0, 0.5, -1.0, 1e9]),
    },
)
"""Answers that any worker may give."""

NAMES = ("echo", "fail", "refuse", "break", "break", "no json", "big", "cancel")
"""What the service's broker is asked for, and what it does then."""

CALLS = st.fixed_dictionaries(
    {"id": st.just(ID), "kind": st.just("call"), "name": st.sampled_from(NAMES)},
    optional={"arguments": st.dictionaries(st.sampled_from(["url", "a"]), _PLAIN, max_size=2)},
)
_KEYS = st.sampled_from(
    ["id", "kind", "result", "message", "line", "logs", "findings", "took", "name", "arguments", "x"]
)
_WRONG = st.tuples(HONEST | CALLS, _KEYS, VALUES | st.sampled_from([ID, OTHER_ID, "call", "done"]))
WRONG = _WRONG.map(lambda parts: {**parts[0], parts[1]: parts[2]})
"""Answers and calls with one field that anything may have become of."""


@dataclass(frozen=True, slots=True)
class Say:
    """Some bytes; then, with `wait`, the reply to a call is awaited. `honest` when they are what is asked for."""

    data: bytes
    wait: bool = False
    honest: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """What a worker does: greet, speak too early, answer in pieces of some size, and then close, stay or flood."""

    says: tuple[Say, ...]
    greeting: bytes = GREETING
    early: bytes = b""
    piece: int = 0
    end: str = "close"

    @property
    def honest(self) -> bool:
        """Whether every byte is as it should be."""
        asked = [say for say in self.says if not say.wait]
        right = all(say.honest for say in self.says) and len(asked) == 1 and self.says[-1] is asked[0]
        return right and self.greeting == GREETING and not self.early and self.end != "flood"


def pack(body: bytes) -> bytes:
    """A frame."""
    return HEADER.pack(len(body)) + body


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _repeat_a_key(value: dict[str, Any], key: str, other: Any) -> bytes:
    return _json(value)[:-1] + b"," + _json({key: other})[1:]


_BODIES = (
    WRONG.map(_json)
    | st.builds(_repeat_a_key, HONEST | CALLS, _KEYS, VALUES | st.just(ID))
    | VALUES.map(_json)
    | st.binary(max_size=40)
    | st.builds(
        lambda value, deep: _json(value)[:-1] + b',"x":' + b"[" * deep + b"]" * deep + b"}",
        HONEST,
        st.integers(1, 60_000),
    )
    | st.builds(lambda value, deep: _json(value)[:-1] + b',"result":' + b'{"a":' * deep, HONEST, st.integers(1, 12_000))
    | st.builds(
        lambda value, size: _json({**value, "x": "a" * size}),
        HONEST | CALLS,
        st.sampled_from([70_000, MAX_CALL, 10**6]),
    )
    | st.builds(lambda value, cut: _json(value)[:cut], HONEST, st.integers(0, 40))
    | HONEST.map(lambda value: _json(value).replace(b'"', b"\xff", 1))
    | HONEST.map(lambda value: _json(value) + b" \n")
    | HONEST.map(lambda value: b"\xef\xbb\xbf" + _json(value))
)
_LIES = st.sampled_from([-5, -1, 1, 4, 1000, 2**20, 2**31])
_FRAMES = (
    _BODIES.map(lambda body: Say(pack(body)))
    | st.builds(lambda body, lie: Say(HEADER.pack(max(0, len(body) + lie) % 2**32) + body), HONEST.map(_json), _LIES)
    | st.builds(
        lambda value, at, bit: Say(_flip(pack(_json(value)), at, bit)),
        HONEST | CALLS,
        st.integers(0, 80),
        st.integers(0, 7),
    )
    | st.builds(lambda value, cut: Say(pack(_json(value))[:cut]), HONEST | CALLS, st.integers(0, 60))
    | st.binary(max_size=30).map(Say)
    | st.integers(2, 4).map(lambda times: Say(pack(b"{}") * times))
)
_ANSWER = HONEST.map(lambda value: Say(pack(_json(value)), honest=True))
_CALL = st.builds(
    lambda value, wait: Say(pack(_json(value)), wait=wait, honest=True), CALLS, st.sampled_from([True, True, False])
)


def _flip(data: bytes, at: int, bit: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


_FOREIGN = st.builds(
    lambda value, other: Say(pack(_json({**value, **other}))),
    HONEST | CALLS,
    st.sampled_from(
        [
            {"id": OTHER_ID, "kind": "done"},
            {"id": "", "kind": "done"},
            {"kind": "rich"},
            {"kind": ""},
            {"kind": "call"},
        ]
    ),
)
_CHECKED = Say(pack(_json({"id": ID, "kind": "done"})), honest=True)
_CALLED = st.tuples(CALLS.map(lambda value: Say(pack(_json(value)), wait=True, honest=True)), _ANSWER)
SAYS = st.one_of(
    _CALLED,
    _CALLED,
    _FOREIGN.map(lambda say: (say,)),
    _FOREIGN.map(lambda say: (say,)),
    _ANSWER.map(lambda say: (say,)),
    st.tuples(_CALL, _ANSWER),
    st.lists(_CALL, min_size=1, max_size=4).flatmap(lambda calls: _ANSWER.map(lambda say: (*calls, say))),
    _FRAMES.map(lambda say: (say,)),
    st.tuples(_CALL | _FRAMES, _FRAMES | _ANSWER),
    st.lists(_ANSWER | _CALL | _FRAMES, min_size=2, max_size=4).map(tuple),
)
_RARELY = _FRAMES.map(lambda say: say.data)
_HUGE = st.builds(
    lambda length, value: Script((Say(HEADER.pack(length) + _json(value)[:-1]),), end="flood"),
    st.integers(2**19, 2**32 - 1),
    HONEST | CALLS,
)
_USUAL = st.builds(
    Script,
    says=SAYS,
    greeting=st.integers(0, 19).flatmap(lambda number: _RARELY if number == 19 else st.just(GREETING)),
    early=st.integers(0, 19).flatmap(lambda number: _RARELY if number == 19 else st.just(b"")),
    piece=st.sampled_from([0, 0, 0, 1, 3, 4, 100]),
    end=st.sampled_from(["close", "close", "stay", "stay", "flood"]),
)
SCRIPTS = st.integers(0, 9).flatmap(lambda number: _HUGE if number == 5 else _USUAL)
"""What a worker may do."""

CHECK_SCRIPTS = SCRIPTS | st.builds(
    lambda more, together: Script((_CHECKED, more) if not together else (Say(_CHECKED.data + more.data),), end="stay"),
    _FOREIGN | _FRAMES,
    st.booleans(),
)
"""The same for a worker that only compiles, which more often says something after a good answer."""
