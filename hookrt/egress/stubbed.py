"""A way out that sends nothing and is answered all the same, by whoever rehearses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from pyreqwest.http import HeaderMap

from hookrt.egress.record import Sent
from hookrt.egress.response import Answer
from hookrt.egress.unsent import UnsentCall
from hookrt.model.hook_test import StubAnswer


@dataclass(frozen=True, slots=True)
class StubbedRequest:
    """A request as it would be sent, with every secret in it; names of headers in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


Answering = Callable[[StubbedRequest], StubAnswer]
"""Says what a request is answered; raises HttpError for no answer."""


class StubbedCall(UnsentCall):
    """As UnsentCall, but a request is answered."""

    __slots__ = ("_answering",)

    _answering: Answering

    def answered_by(self, answering: Answering) -> Self:
        """This call, answered so."""
        self._answering = answering
        return self

    async def _send(self, sent: Sent, deadline: float) -> Answer:
        headers = {name.lower(): value for name, value in sent.headers.items()}
        stub = self._answering(StubbedRequest(sent.method, str(sent.target.url), headers, sent.body))
        sent.answer = Answer(stub.status, HeaderMap(dict(stub.headers)), stub.content)
        return sent.answer
