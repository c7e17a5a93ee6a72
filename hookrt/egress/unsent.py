"""A way out that sends nothing: it judges and records a request as the real one does, and then stops."""

from __future__ import annotations

from collections.abc import Sequence

from hookrt.egress.call import HttpCall
from hookrt.egress.header_check import check_authorization
from hookrt.egress.record import Sent
from hookrt.egress.response import Answer
from hookrt.egress.target import read_place
from hookrt.model.access import Access
from hookrt.plugin.protocols import HttpError


class UnsentCall(HttpCall):
    """As HttpCall, but every `send` raises HttpError with the reason `not-sent` once the request is recorded.

    Names are not looked up, so that an address behind a name is judged only when it is really sent.
    """

    __slots__ = ()

    async def addresses_of(self, host: str, port: int, *, written: bool = False) -> Sequence[str]:
        """Raises HttpError, `not-sent` where it is a host: nothing is connected to."""
        read_place(host, port, written=written)
        raise HttpError("not-sent", "this is a rehearsal")

    async def _send(self, sent: Sent, deadline: float) -> Answer:
        raise HttpError("not-sent", "this is a rehearsal")

    async def _send_by(self, access: Access, sent: Sent, deadline: float) -> Answer:
        if access.oauth is not None:
            check_authorization(sent.headers)
            sent.headers = {**sent.headers, "authorization": "Bearer (fetched when it is sent)"}
        return await self._send(sent, deadline)
