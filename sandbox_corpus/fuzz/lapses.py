"""Lapses on purpose, each a check that the service leaves out: the fuzzer of frames has to notice every one of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from hookrt.actions.python_snippet import checker, debt
from hookrt.actions.python_snippet.calls import reply_to
from hookrt.actions.python_snippet.process import Worker
from hookrt.actions.python_snippet.worker.wire import Answer, Call, Reply, decode_answer


class _AnyId(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


class _AnyKind(frozenset[str]):
    def __contains__(self, kind: object) -> bool:
        return kind != "call"


def _decode_any_id(body: bytes) -> Answer:
    answer = decode_answer(body)
    answer.id = _AnyId(answer.id)
    return answer


def _decode_loosely(body: bytes) -> Answer:
    try:
        return decode_answer(body)
    except Exception as error:
        raise ValueError from error


async def _reply_openly(call: Call, broker: Any) -> Reply:
    return await reply_to(call, _Open(broker))


class _Open:
    """A broker whose errors are shown."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker

    async def answer(self, name: str, arguments: Any) -> Any:
        """As the broker does, or the text of its error."""
        try:
            return await self._broker.answer(name, arguments)
        except RuntimeError as error:
            return str(error)


LAPSES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no frame is too big": lambda: patch.object(Worker, "_cap", lambda self: 2**40),
    "the id is not looked at": lambda: patch.object(debt, "decode_answer", _decode_any_id),
    "every kind is taken": lambda: patch.object(debt, "KINDS", _AnyKind()),
    "unreadable frames are not expected": lambda: patch.object(debt, "decode_answer", _decode_loosely),
    "errors of the service are shown": lambda: patch.object(debt, "reply_to", _reply_openly),
}
"""By name."""

CHECKER_LAPSES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no frame is too big": lambda: patch.object(checker, "MAX_ANSWER", 2**40),
    "unreadable frames are not expected": lambda: patch.object(checker, "decode_answer", _decode_loosely),
    "the id is not looked at": lambda: patch.object(checker, "decode_answer", _decode_any_id),
}
"""By name."""
