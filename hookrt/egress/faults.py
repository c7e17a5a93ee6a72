"""What the HTTP client raises, told in our words: one table.

The client's own classes say little (a timeout before the head is a `ConnectTimeoutError`, a reset a `ConnectError`);
the texts of the causes tell. They are those of pyreqwest 0.15, which the project pins. The first cause holds the whole
URL and is never used, since a URL may hold a secret.
"""

from __future__ import annotations

from pyreqwest.exceptions import (
    BuilderError,
    ClientClosedError,
    PyreqwestError,
    ReadError,
    ReadTimeoutError,
    RequestTimeoutError,
)

from hookrt.egress import clients
from hookrt.plugin.protocols import HttpError

_CONNECTING = "client error (connect)"
_NOT_CONNECTED = "no connection to {at} within {limit} s (connect timeout)"


class Unconnected(HttpError):  # noqa: N818 - a state, as its parent says the rest
    """No connection came about, so nothing was sent, and another address of the same name may be tried."""


_CONNECT_ROWS = (  # (a part of the text, the reason, the message)
    ("proxy authorization required", "refused", "no connection to {at}: the proxy wants other credentials"),
    ("tunnel error: unsuccessful", "refused", "no connection to {at}: the proxy does not let it through"),
    ("dns error", "dns", "the name has no address"),
    ("connection refused", "refused", "the connection to {at} was refused"),
    ("unreachable", "refused", "{at} cannot be reached from here"),
    ("no route to host", "refused", "there is no route to {at}"),
    ("timed out", "timeout", _NOT_CONNECTED),
    ("deadline has elapsed", "timeout", _NOT_CONNECTED),
    ("connection reset", "reset", "{at} broke the connection off while it was set up"),
    ("broken pipe", "reset", "{at} broke the connection off while it was set up"),
    ("certificate", "tls", "the certificate of {at} is not valid: {why}"),
    ("handshake", "tls", "no TLS connection to {at}: {why}"),
    ("corrupt message", "tls", "{at} does not speak TLS: is it http rather than https?"),
    ("alert", "tls", "{at} refused the TLS connection: {why}"),
    ("tls", "tls", "no TLS connection to {at}: {why}"),
)

_ROWS = (
    ("end of file before message length", "reset", "{at} closed the connection in the middle of its answer"),
    ("unexpected eof during chunk", "reset", "{at} closed the connection in the middle of its answer"),
    ("connection closed before message", "reset", "{at} closed the connection without an answer"),
    ("connection reset", "reset", "{at} broke the connection off"),
    ("broken pipe", "reset", "{at} broke the connection off"),
    ("connection aborted", "reset", "{at} broke the connection off"),
    ("close_notify", "reset", "{at} closed the connection in the middle of its answer"),
    ("message head is too large", "protocol", "the head of the answer of {at} is too large"),
)


def explain_fault(error: PyreqwestError, at: str, seconds: float) -> HttpError:
    """An error of the client in our words; `at` is host and port, `seconds` the time that the request had."""
    causes = _causes(error)
    text = " | ".join(causes).lower()
    why = causes[-1] if causes else type(error).__name__
    if isinstance(error, BuilderError):
        return HttpError("bad-request", "the request cannot be built")
    if isinstance(error, ClientClosedError):
        return HttpError("reset", "the connection was closed on this side: the runtime is stopping")
    if _CONNECTING in text:
        found = _find(_CONNECT_ROWS, text, at, why) or HttpError("refused", f"no connection to {at}: {why}")
        return Unconnected(found.reason, found.message) if found.reason in {"refused", "timeout"} else found
    if isinstance(error, RequestTimeoutError):
        return HttpError("timeout", _explain_timeout(error, at, seconds))
    broken = "reset" if isinstance(error, ReadError) else "protocol"
    return _find(_ROWS, text, at, why) or HttpError(broken, f"the answer of {at} cannot be read: {why}")


def _explain_timeout(error: RequestTimeoutError, at: str, seconds: float) -> str:
    """Which time ran out. Connecting has less of it than a longer request, so that one of these was connected."""
    shown = f"{round(seconds, 1):g} s"
    if isinstance(error, ReadTimeoutError):
        return f"the answer of {at} did not end within {shown} (total timeout)"
    if seconds > clients.CONNECT_TIMEOUT.total_seconds():
        return f"{at} took the request and did not answer within {shown} (read timeout)"
    return f"{at} did not answer within {shown}, connecting included (total timeout)"


def _find(rows: tuple[tuple[str, str, str], ...], text: str, at: str, why: str) -> HttpError | None:
    for part, reason, message in rows:
        if part in text:
            limit = f"{clients.CONNECT_TIMEOUT.total_seconds():g}"
            return HttpError(reason, message.format(at=at, why=why, limit=limit))
    return None


def _causes(error: PyreqwestError) -> list[str]:
    details = getattr(error, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or ()][1:]
