"""The action `email`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from hookrt.plugin import STANDARD, Action, ActionCall, ActionSetup, Outcome, PluginError, SettingsProblem
from hookrt_email.authorities import Authorities
from hookrt_email.deliver import Envelope, Place, Refused, Taken, Unreached, deliver
from hookrt_email.message import build_message, sender_of
from hookrt_email.settings import EmailSettings, ServiceSettings

MAX_MESSAGE = 10 * 1024 * 1024
"""Bytes of a message; most servers take twice that, and mailboxes less."""


class Email(Action[EmailSettings]):
    """Send an e-mail by SMTP."""

    name = "email"
    service_settings = ServiceSettings
    html = frozenset({"html"})
    static = frozenset({"ca"})
    retry = STANDARD
    default_timeout = timedelta(seconds=30)
    reasons: ClassVar[Mapping[str, str]] = {
        "smtp-4xx": "the server answered with a code from 400 to 499: not now",
        "smtp-5xx": "the server answered with a code from 500 to 599: not at all",
        "login": "the server does not take the username and the password",
        "refused": "no connection came about",
        "reset": "the connection was broken off",
        "tls": "no TLS connection, or a certificate that is not valid, or no STARTTLS",
        "timeout": "no answer in time",
        "protocol": "the server does not speak SMTP as it should",
        "bad-text": "half a character in a text",
        "too-large": "the message has more than 10 MiB",
        "bad-ca": "the file of authorities cannot be read any more",
    }

    def __init__(self) -> None:
        self._service: ServiceSettings | None = None
        self._authorities = Authorities(Path())

    async def open(self, setup: ActionSetup) -> None:
        """Read the authorities; raises PluginError for a file that holds none."""
        if not isinstance(setup.settings, ServiceSettings):
            raise PluginError("the action `email` needs `service: {actions: {email: {host: ..., from: ...}}}`")
        self._service = setup.settings
        self._authorities = Authorities(setup.base_dir)
        if setup.settings.tls != "none":
            try:
                await asyncio.to_thread(self._authorities.context, setup.settings.ca)
            except PluginError as error:
                raise PluginError(f"`service.actions.email`: {error}") from None

    def check_in(self, settings: EmailSettings, base_dir: Path) -> Iterable[SettingsProblem]:
        """Look at the file of authorities."""
        if settings.ca is not None:
            try:
                Authorities(base_dir).context(settings.ca)
            except PluginError as error:
                yield SettingsProblem(("ca",), str(error))

    def lane(self, written: Mapping[str, Any]) -> str | None:
        """The server is the lane; that of the service is called `email`."""
        host = written.get("host")
        if host is None:
            return "email"
        port = written.get("port", "")
        return None if "${{" in f"{host}{port}" else f"smtp://{host}:{port}"

    async def run(self, call: ActionCall[EmailSettings]) -> Outcome:
        """Send it, by a connection of its own."""
        if self._service is None:
            raise PluginError("the action email has not been opened")
        settings = call.settings
        sender = sender_of(settings, self._service.sender)
        try:
            message = await asyncio.to_thread(build_message, settings, sender, call.message_id, call.started)
        except UnicodeError:
            return Outcome.reject("bad-text", "there is half a character in a text, which no message can hold")
        if len(message.content) > MAX_MESSAGE:
            return Outcome.reject(
                "too-large", f"the message has {len(message.content):,} bytes, at most {MAX_MESSAGE:,}"
            )
        recipients = dict.fromkeys(one.address for one in settings.recipients())
        try:
            place = await self._place(call)
        except PluginError as error:
            return Outcome.retry("bad-ca", str(error))
        try:
            taken = await deliver(place, Envelope(sender.address, list(recipients), message.content), _seconds(call))
        except Refused as refused:
            return _refused(refused)
        except Unreached as unreached:
            return Outcome.retry(unreached.reason, str(unreached))
        return _done(call, taken, message.id, list(recipients))

    async def _place(self, call: ActionCall[EmailSettings]) -> Place:
        """The server, at addresses that the rules of the way out allow."""
        settings, service = call.settings, self._service
        assert service is not None
        own = settings.host is not None
        server = settings if own else service
        host, port = settings.host or service.host, server.actual_port
        tls = None if server.tls == "none" else await self._context(server.ca)
        return Place(
            host=host,
            port=port,
            addresses=await call.http.addresses_of(host, port, written=not own or "host" not in call.rendered),
            tls=tls,
            implicit=server.tls == "implicit",
            username=server.username,
            password="" if server.password is None else server.password.get_secret_value(),
        )

    async def _context(self, ca: str | None) -> ssl.SSLContext:
        known = self._authorities.known(ca)
        return known if known is not None else await asyncio.to_thread(self._authorities.context, ca)


def _seconds(call: ActionCall[EmailSettings]) -> float:
    """How long the server may take for one reply; the attempt as a whole is cut off by the engine."""
    return max(call.timeout.total_seconds(), 1.0)


def _refused(refused: Refused) -> Outcome:
    if refused.stage == "login" and refused.code >= 500:
        return Outcome.reject("login", f"the server answered to the {refused}")
    message = f"the server answered to the {refused}"
    if 500 <= refused.code <= 599:
        return Outcome.reject("smtp-5xx", message)
    return Outcome.retry("smtp-4xx" if 400 <= refused.code <= 499 else "protocol", message)


def _done(call: ActionCall[EmailSettings], taken: Taken, message_id: str, recipients: list[str]) -> Outcome:
    refused = {one.address: f"{one.code} {one.reply}" for one in taken.refused}
    for address, reply in refused.items():
        call.log.warning("recipient-refused", address=address, reply=reply)
    call.log.info("sent", message_id=message_id, recipients=len(recipients) - len(refused), reply=taken.reply)
    accepted = [address for address in recipients if address not in refused]
    return Outcome.done(
        {"message_id": message_id, "accepted": accepted, "refused": refused, "reply": taken.reply},
    )
