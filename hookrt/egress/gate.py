"""The gate that every request passes: its URL read, its address judged, pinned, and only then connected to."""

from __future__ import annotations

import functools
from datetime import timedelta
from http import HTTPStatus
from time import monotonic

from pyreqwest.exceptions import PyreqwestError

from hookrt.egress.clients import LITERAL, Clients, PinnedClient
from hookrt.egress.faults import Unconnected, explain_fault
from hookrt.egress.header_check import check_authorization, explain_headers
from hookrt.egress.names import Addresses, Names, Resolver
from hookrt.egress.ranges import canonical
from hookrt.egress.record import Sent
from hookrt.egress.response import Answer
from hookrt.egress.rules import EgressRules
from hookrt.egress.target import Target, read_target
from hookrt.egress.ways import Remember, Way, Ways
from hookrt.model.access import Access
from hookrt.plugin.protocols import HttpError

MAX_ANSWER = 1024 * 1024
"""Most bytes of an answer's body that are read, counted after decompression."""

MAX_TARGETS = 2048
"""Most URLs that are remembered with their judgement."""


class Gate:
    """Sends requests, each to an address that the rules allow and that the connection cannot leave again."""

    def __init__(
        self, rules: EgressRules, resolver: Resolver | None = None, remember: Remember = lambda name, token: None
    ) -> None:
        self._rules = rules
        self._names = Names(resolver)
        self._clients = Clients()
        self._ways = Ways(self._clients, self._send_way, remember)
        self.read = functools.lru_cache(MAX_TARGETS)(self._read)
        """The target of a URL text and the origins that the operator wrote out; raises HttpError."""

    async def send(self, sent: Sent, deadline: float, way: Way | None = None) -> Answer:
        """Send and read the answer; `deadline` is on the monotonic clock. Raises HttpError.

        Where no connection comes about, the name's other addresses are tried. With a way, connections are those of the
        way, and lead to its proxy.
        """
        if way is None:
            clients, to = self._clients, sent.target
        else:
            clients, to = way.clients, way.proxy or sent.target
        if to.literal is not None:
            return await self._send_to(clients, sent, (to, LITERAL, to.host), deadline)
        tries = 0
        while True:
            addresses = await self._addresses(to, deadline)
            address = addresses.address
            try:
                return await self._send_to(clients, sent, (to, to.host, address), deadline)
            except Unconnected:
                addresses.leave(address)
                tries += 1
                if tries >= len(addresses.texts):
                    raise

    async def send_by(self, access: Access, sent: Sent, deadline: float) -> Answer:
        """As `send`, by the way of a destination: its certificate, its proxy, its token, which is renewed once if the
        answer is 401. What does not go to the destination's own origin is refused.
        """
        way = self._ways.of(access)
        way.check(sent.target)
        if way.tokens is None:
            return await self._send_way(way, sent, deadline)
        check_authorization(sent.headers)
        headers = sent.headers
        token = await way.tokens.get(deadline)
        sent.headers = {**headers, "authorization": f"Bearer {token}"}
        answer = await self._send_way(way, sent, deadline)
        if answer.status_code != HTTPStatus.UNAUTHORIZED:
            return answer
        renewed = await way.tokens.renew(token, deadline)
        if renewed is None:
            return answer
        sent.headers = {**headers, "authorization": f"Bearer {renewed}"}
        answer = await self._send_way(way, sent, deadline)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            way.tokens.refuse_renewed()
        return answer

    async def _send_way(self, way: Way, sent: Sent, deadline: float) -> Answer:
        self._refuse(sent.target)
        if way.proxy is not None:
            self._refuse(way.proxy)
            await self._judge_behind_proxy(sent.target, deadline)
        return await self.send(sent, deadline, way)

    async def _judge_behind_proxy(self, target: Target, deadline: float) -> None:
        """The proxy looks the name up itself: so it is judged here as well, as far as it is known here.

        Over https the certificate proves that the proxy found the same host. Over http nothing does, so that only a
        name goes through that the operator answers for.
        """
        if target.literal is not None:
            return
        answered_for = target.trusted or self._rules.names_host(target)
        if not answered_for and target.url.scheme == "http":
            raise HttpError("blocked-address", self._rules.explain_behind_proxy(target))
        try:
            await self._addresses(target, deadline)
        except HttpError as error:
            if error.reason != "dns" or not answered_for:
                raise

    async def addresses_of(self, target: Target, deadline: float) -> tuple[str, ...]:
        """The addresses at which this target may be connected to, best first; raises HttpError."""
        self._refuse(target)
        if target.literal is not None:
            return (str(canonical(target.literal)),)
        found = await self._addresses(target, deadline)
        return (*found.texts[found.used :], *found.texts[: found.used])

    async def close(self) -> None:
        """Close every connection; requests under way fail."""
        await self._names.close()
        await self._ways.close()
        await self._clients.close()

    def _read(self, url: str, trusted: tuple[str, ...]) -> Target:
        target = read_target(url, trusted)
        self._refuse(target)
        return target

    def _refuse(self, target: Target) -> None:
        refusal = self._rules.refuse_name(target)
        if refusal is None and target.literal is not None:
            refusal = self._rules.refuse(target, target.literal)
        if refusal is not None:
            raise HttpError("blocked-address", refusal)

    async def _addresses(self, target: Target, deadline: float) -> Addresses:
        found = self._names.remembered(target.host, monotonic()) or await self._names.ask(target.host, deadline)
        if target.cleared is not found:
            for address in found.addresses:
                if refusal := self._rules.refuse(target, address):
                    raise HttpError("blocked-address", refusal)
            target.cleared = found
        return found

    async def _send_to(self, clients: Clients, sent: Sent, at: tuple[Target, str, str], deadline: float) -> Answer:
        to, host, address = at
        pinned = LITERAL if host == LITERAL else address
        home, began = clients.find(host, pinned), monotonic()
        now = began
        if home is None:
            home = await clients.pin(host, pinned)
            now = monotonic()
        sent.address = address
        home.used = now
        if now >= deadline:
            raise HttpError("timeout", f"no time was left to send to {sent.target.place} (total timeout)")
        home.in_flight += 1
        try:
            return await _exchange(home, sent, deadline - now)
        except PyreqwestError as error:
            place = sent.target.place if to is sent.target else f"{sent.target.place} (by the proxy {to.place})"
            raise explain_fault(error, place, deadline - began) from None
        finally:
            clients.release(home)


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
