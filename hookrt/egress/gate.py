"""The gate that every request passes: its URL read, its address judged, pinned, and only then connected to."""

from __future__ import annotations

import functools
from datetime import timedelta
from time import monotonic

from pyreqwest.exceptions import PyreqwestError

from hookrt.egress.clients import LITERAL, Clients, PinnedClient
from hookrt.egress.faults import Unconnected, explain_fault
from hookrt.egress.header_check import explain_headers
from hookrt.egress.names import Addresses, Names, Resolver
from hookrt.egress.record import Sent
from hookrt.egress.response import Answer
from hookrt.egress.rules import EgressRules
from hookrt.egress.target import Target, read_target
from hookrt.plugin.protocols import HttpError

MAX_ANSWER = 1024 * 1024
"""Most bytes of an answer's body that are read, counted after decompression."""

MAX_TARGETS = 2048
"""Most URLs that are remembered with their judgement."""


class Gate:
    """Sends requests, each to an address that the rules allow and that the connection cannot leave again."""

    def __init__(self, rules: EgressRules, resolver: Resolver | None = None) -> None:
        self._rules = rules
        self._names = Names(resolver)
        self._clients = Clients()
        self.read = functools.lru_cache(MAX_TARGETS)(self._read)
        """The target of a URL text and the origins that the operator wrote out; raises HttpError."""

    async def send(self, sent: Sent, deadline: float) -> Answer:
        """Send and read the answer; `deadline` is on the monotonic clock. Raises HttpError.

        Where no connection comes about, the name's other addresses are tried.
        """
        if sent.target.literal is not None:
            return await self._send_to(sent, LITERAL, sent.target.host, deadline)
        tries = 0
        while True:
            addresses = await self._addresses(sent.target, deadline)
            address = addresses.address
            try:
                return await self._send_to(sent, sent.target.host, address, deadline)
            except Unconnected:
                addresses.leave(address)
                tries += 1
                if tries >= len(addresses.texts):
                    raise

    async def close(self) -> None:
        """Close every connection; requests under way fail."""
        await self._names.close()
        await self._clients.close()

    def _read(self, url: str, trusted: tuple[str, ...]) -> Target:
        target = read_target(url, trusted)
        refusal = self._rules.refuse_name(target)
        if refusal is None and target.literal is not None:
            refusal = self._rules.refuse(target, target.literal)
        if refusal is not None:
            raise HttpError("blocked-address", refusal)
        return target

    async def _addresses(self, target: Target, deadline: float) -> Addresses:
        found = self._names.remembered(target.host, monotonic()) or await self._names.ask(target.host, deadline)
        if target.cleared is not found:
            for address in found.addresses:
                if refusal := self._rules.refuse(target, address):
                    raise HttpError("blocked-address", refusal)
            target.cleared = found
        return found

    async def _send_to(self, sent: Sent, host: str, address: str, deadline: float) -> Answer:
        pinned = LITERAL if host == LITERAL else address
        home = self._clients.find(host, pinned) or await self._clients.pin(host, pinned)
        sent.address = address
        home.used = now = monotonic()
        if now >= deadline:
            raise HttpError("timeout", f"no time was left to send to {sent.target.place} (total timeout)")
        home.in_flight += 1
        try:
            return await _exchange(home, sent, deadline - now)
        except PyreqwestError as error:
            raise explain_fault(error, sent.target.place, deadline - now) from None
        finally:
            self._clients.release(home)


async def _exchange(home: PinnedClient, sent: Sent, seconds: float) -> Answer:
    try:
        builder = home.client.request(sent.method, sent.target.url).timeout(timedelta(seconds=seconds))
        builder.headers(sent.headers)
    except ValueError:
        raise HttpError("bad-request", explain_headers(sent.method, sent.headers)) from None
    if sent.body is not None:
        builder.body_bytes(sent.body)
    async with builder.build_streamed() as response:
        answer = sent.answer = Answer(response.status, response.headers)
        if response.headers.get("content-length") == "0":  # nothing to wait for, as with most receivers of webhooks
            return answer
        content = await response.body_reader.read(MAX_ANSWER + 1)  # less than that only at the end
    if content is not None:
        answer.content = content.to_bytes()
        if len(content) > MAX_ANSWER:
            raise HttpError("too-large", f"the answer of {sent.target.place} has more than {MAX_ANSWER} bytes")
    return answer
