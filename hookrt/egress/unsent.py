"""A way out that sends nothing: it judges and records a request as the real one does, and then stops."""

from __future__ import annotations

from hookrt.egress.call import HttpCall
from hookrt.egress.header_check import check_headers
from hookrt.egress.record import Sent
from hookrt.egress.response import Answer
from hookrt.plugin.protocols import HttpError


class UnsentCall(HttpCall):
    """As HttpCall, but every `send` raises HttpError with the reason `not-sent` once the request is recorded.

    Names are not looked up, so that an address behind a name is judged only when it is really sent.
    """

    __slots__ = ()

    async def _send(self, sent: Sent, deadline: float) -> Answer:
        check_headers(sent.headers)
        self._sent = sent
        raise HttpError("not-sent", "this is a rehearsal")
