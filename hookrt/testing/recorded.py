"""The way out and the log of an action under test, without a network and without output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from pyreqwest.http import HeaderMap

from hookrt.egress.header_check import check_headers
from hookrt.egress.lazy_client import LazyClient
from hookrt.egress.record import Sent, show
from hookrt.egress.response import Answer as RealAnswer
from hookrt.egress.target import read_place, read_target
from hookrt.model.access import Access
from hookrt.model.attempt import Exchange
from hookrt.plugin.protocols import HttpError
from hookrt.testing.exchange import Answer, ReceivedRequest, Script


class RecordedHttp(LazyClient, Script):
    """Hookrt's Http without a network: it keeps every request, and answers as told by `answer`.

    Without instructions it answers 200 with the JSON `{}`. URLs, headers and answers are read by the real one's own
    code, so what that refuses is refused here too; only addresses are not judged, since none is connected to.
    """

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answer(*(answers or (Answer(json={}),)))
        self._sent: Sent | None = None

    async def send(  # noqa: PLR0913 - the protocol's own shape
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
    ) -> RealAnswer:
        """Keep the request and give the next answer; raises HttpError for one with a fault."""
        target = read_target(url, ())
        if params:
            target = read_target(str(target.url.extend_query(params)), ())
        given = {name.lower(): value for name, value in (headers or {}).items()}
        body = content.encode() if isinstance(content, str) else content
        if json is not ...:
            body = msgspec.json.encode(json)
            given.setdefault("content-type", "application/json")
        check_headers(given)
        self._sent = Sent(method, target, given, body)
        answer = self.take(ReceivedRequest(method, str(target.url), given, body or b""))
        if answer.fault:
            raise HttpError(answer.fault, f"{answer.fault}, as the test wants it")
        self._sent.answer = RealAnswer(answer.status, HeaderMap(answer.all_headers), answer.content)
        return self._sent.answer

    async def addresses_of(self, host: str, port: int, *, written: bool = False) -> Sequence[str]:
        """The host itself, not looked up and not judged; raises HttpError for what is no host."""
        read_place(host, port, written=written)
        return (host,)

    @property
    def exchange(self) -> Exchange | None:
        """The last request and its answer, as they would be recorded."""
        return show(self._sent, str) if self._sent else None


class RecordedLog:
    """A log that keeps its lines: `lines` holds level, event and fields of each."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def debug(self, event: str, **fields: Any) -> None:
        """Keep a line."""
        self.lines.append(("debug", event, fields))

    def info(self, event: str, **fields: Any) -> None:
        """Keep a line."""
        self.lines.append(("info", event, fields))

    def warning(self, event: str, **fields: Any) -> None:
        """Keep a line."""
        self.lines.append(("warning", event, fields))

    def error(self, event: str, **fields: Any) -> None:
        """Keep a line."""
        self.lines.append(("error", event, fields))
