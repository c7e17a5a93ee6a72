"""The way out as one attempt has it: its deadline, its trusted origins, its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

import msgspec

from hookrt.egress.gate import Gate
from hookrt.egress.header_check import check_headers
from hookrt.egress.lazy_client import LazyClient
from hookrt.egress.record import Mask, Sent, show
from hookrt.egress.response import Answer
from hookrt.egress.target import read_place
from hookrt.model.access import Access
from hookrt.model.attempt import Exchange

_encode = msgspec.json.Encoder().encode
_NO_HEADERS: Mapping[str, str] = {}


class HttpCall(LazyClient):
    """Keeps the promises of `hookrt.plugin.Http` for one attempt, which ends in `timeout_s` seconds."""

    __slots__ = ("_deadline", "_gate", "_mask", "_sent", "_timeout_s", "_trusted")

    def __init__(self, gate: Gate, mask: Mask, trusted: tuple[str, ...], timeout_s: float) -> None:
        self._gate = gate
        self._mask = mask
        self._trusted = trusted
        self._timeout_s = timeout_s
        self._deadline = monotonic() + timeout_s
        self._sent: Sent | None = None

    def restart(self) -> None:
        """The attempt had to wait for its place, and has all of its time from now on."""
        self._deadline = monotonic() + self._timeout_s

    async def send(  # noqa: PLR0913 - httpx's own shape
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | str | None = None,
        json: Any = ...,
        params: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        access: Access | None = None,
    ) -> Answer:
        """Send one request and read the answer, up to 1 MiB of it; raises HttpError.

        `json` is encoded and sets the content type. `timeout` can only shorten the attempt's own. `access` is how the
        destination is reached to which the URL belongs, None for most.
        """
        target = self._gate.read(url, self._trusted)
        if params:
            target = self._gate.read(str(target.url.extend_query(params)), self._trusted)
        body = content.encode() if isinstance(content, str) else content
        if json is not ...:
            body = _encode(json)
            headers = _with_json_type(headers or _NO_HEADERS)
        deadline = self._deadline
        if timeout is not None:
            deadline = min(deadline, monotonic() + timeout.total_seconds())
        sent = Sent(method, target, headers or _NO_HEADERS, body)
        check_headers(sent.headers)
        self._sent = sent
        return await self._send(sent, deadline) if access is None else await self._send_by(access, sent, deadline)

    async def addresses_of(self, host: str, port: int, *, written: bool = False) -> Sequence[str]:
        """The judged addresses for a connection of another protocol; raises HttpError."""
        return await self._gate.addresses_of(read_place(host, port, written=written), self._deadline)

    @property
    def exchange(self) -> Exchange | None:
        """The last request and its answer, as they will be recorded; made when it is read."""
        return show(self._sent, self._mask) if self._sent is not None else None

    async def _send(self, sent: Sent, deadline: float) -> Answer:
        return await self._gate.send(sent, deadline)

    async def _send_by(self, access: Access, sent: Sent, deadline: float) -> Answer:
        return await self._gate.send_by(access, sent, deadline)


def _with_json_type(headers: Mapping[str, str]) -> Mapping[str, str]:
    if any(name.lower() == "content-type" for name in headers):
        return headers
    return {**headers, "content-type": "application/json"}
