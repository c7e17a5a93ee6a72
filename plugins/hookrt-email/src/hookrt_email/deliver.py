"""One message to one SMTP server, by a connection to an address that was judged."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiosmtplib

CONNECT_S = 10.0
"""Seconds for connecting to one address."""

FAREWELL_S = 1.0
"""Seconds that the server has to say goodbye; the message is its own by then."""

_CLOSING_TURNS = 20
"""Turns of the loop in which a connection is closed that is at its end."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_MAX_REPLY = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Where to: `addresses` are those of the host, best first; `tls` is None for none."""

    host: str
    port: int
    addresses: Sequence[str]
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    username: str | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message on its way: who gets it is said here, and not by its headers."""

    sender: str
    recipients: Sequence[str]
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server said of a recipient that it does not take."""

    address: str
    code: int
    reply: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The server has the message: what it said, and for whom it does not have it."""

    reply: str
    refused: tuple[Refusal, ...] = ()


class Refused(Exception):  # noqa: N818 - it says what is the case
    """The server does not take the message; `code` is that of its reply, `stage` what it was asked."""

    def __init__(self, code: int, stage: str, reply: str) -> None:
        super().__init__(f"{stage}: {code} {reply}")
        self.code = code
        self.stage = stage


class Unreached(Exception):  # noqa: N818 - likewise
    """There was no usable connection; `reason` is refused, reset, tls, timeout or protocol."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


async def deliver(place: Place, envelope: Envelope, seconds: float) -> Taken:
    """Hand it over; raises Refused or Unreached.

    All recipients get it or none, but for those that are refused for good: with one that is refused for now nothing
    is sent, so that a later attempt brings nobody a second copy.
    """
    at = f"{place.host}:{place.port}"
    try:
        opened = await _connect(place)
        client = _client(place, opened, seconds)
        try:
            return await _converse(client, place, envelope)
        finally:
            client.close()
            await _close(opened)
    except aiosmtplib.SMTPAuthenticationError as error:
        raise Refused(error.code, "login", _shown(error.message)) from None
    except aiosmtplib.SMTPResponseException as error:
        raise Refused(error.code, "greeting", _shown(error.message)) from None
    except ssl.SSLError as error:
        raise Unreached("tls", f"no TLS connection to {at}: {_why(error)}") from None
    except TimeoutError:
        raise Unreached("timeout", f"{at} did not answer in time") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _unreached(error, at) from None


async def _connect(place: Place) -> socket.socket:
    """A connection to the first address that takes one."""
    last: OSError | None = None
    for address in place.addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setblocking(False)  # noqa: FBT003 - its own shape
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().sock_connect(opened, (address, place.port))
            return opened
        except OSError as error:  # TimeoutError is one
            opened.close()
            last = error
        except BaseException:
            opened.close()
            raise
    at = f"{place.host}:{place.port}"
    if isinstance(last, TimeoutError):
        raise Unreached("timeout", f"no connection to {at} within {CONNECT_S:g} s")
    raise Unreached("refused", f"no connection to {at}: {getattr(last, 'strerror', None) or last}")


class _Client(aiosmtplib.SMTP):
    """A client that hangs up at once, whenever it does: for a farewell of TLS it would wait for half a minute."""

    def close(self) -> None:
        """Let go of the connection."""
        transport = self.transport
        super().close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


def _client(place: Place, opened: socket.socket, seconds: float) -> _Client:
    own = opened.getsockname()[0].partition("%")[0]
    return _Client(
        hostname=place.host,
        sock=opened,
        local_hostname=f"[IPv6:{own}]" if ":" in own else f"[{own}]",  # no name of this machine leaves it
        timeout=seconds,
        use_tls=place.implicit,
        start_tls=False,
        tls_context=place.tls,
    )


async def _converse(client: aiosmtplib.SMTP, place: Place, envelope: Envelope) -> Taken:
    async with asyncio.timeout(client.timeout):
        await client.connect(timeout=None)  # else it connects in a task, and a cancelled one loses the connection
    await client.ehlo()
    if place.tls is not None and not place.implicit:
        if not client.supports_extension("starttls"):
            raise Unreached("tls", f"{place.host}:{place.port} offers no STARTTLS, and nothing is sent without")
        await client.starttls()
        await client.ehlo()  # nothing counts that was said before
    if place.username is not None:
        await client.login(place.username, place.password)
    refused = await _address(client, envelope)
    try:
        reply = await client.data(envelope.content)
    except aiosmtplib.SMTPDataError as error:
        raise Refused(error.code, "message", _shown(error.message)) from None
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            await client.quit()
    return Taken(f"{reply.code} {_shown(reply.message)}", refused)


async def _close(opened: socket.socket) -> None:
    """See to it that the connection is closed; one that was cancelled in the middle of its handshake is nobody's."""
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)  # whoever still waits for it sees its end, and closes it
    for _ in range(_CLOSING_TURNS):
        if opened.fileno() < 0:
            return
        await asyncio.sleep(0)


async def _address(client: aiosmtplib.SMTP, envelope: Envelope) -> tuple[Refusal, ...]:
    size = [f"SIZE={len(envelope.content)}"] if client.supports_extension("size") else []
    try:
        await client.mail(envelope.sender, options=size)  # with it a server can refuse before it has read all
    except aiosmtplib.SMTPSenderRefused as error:
        raise Refused(error.code, f"sender {envelope.sender}", _shown(error.message)) from None
    refused: list[Refusal] = []
    for recipient in envelope.recipients:
        try:
            await client.rcpt(recipient)
        except aiosmtplib.SMTPRecipientRefused as error:
            refusal = Refusal(recipient, error.code, _shown(error.message))
            if not 500 <= error.code <= 599:
                raise Refused(error.code, f"recipient {recipient}", refusal.reply) from None
            refused.append(refusal)
    if len(refused) == len(envelope.recipients):
        raise Refused(refused[0].code, f"recipient {refused[0].address}", refused[0].reply)
    return tuple(refused)


def _unreached(error: Exception, at: str) -> Unreached:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError):
        return Unreached("tls", f"no TLS connection to {at}: {_why(cause)}")
    if isinstance(error, (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPConnectError, OSError)):
        return Unreached("reset", f"{at} broke the connection off")
    return Unreached("protocol", f"{at}: {_shown(str(error))}")


def _why(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    return _shown(error.reason or str(error))


def _shown(text: str) -> str:
    """What the server said, on one line."""
    return _CONTROL.sub(" ", text).strip()[:_MAX_REPLY]
