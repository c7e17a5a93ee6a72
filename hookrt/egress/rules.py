"""Which addresses a request may go to: the operator's rules over the built-in ones; pure."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hookrt.egress.ranges import METADATA_HOSTS, Address, Network, canonical, is_metadata, not_public, readings
from hookrt.egress.target import Target, read_host

PRIVATE = "private"
"""The word in a rule that stands for loopback, private and link-local addresses, but no cloud's metadata service."""

_HOST_PORT = re.compile(r"(\[[^\]]+\]|[^:\[\]/\\?#@*%\s]+)(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `allow` or `deny`: addresses or a host name, at one port or all; or the word `private`."""

    text: str
    network: Network | None = None
    host: str | None = None
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read `10.0.0.0/8`, `10.0.0.5`, `10.0.0.5:8080`, `[fd00::1]:80`, `crm.internal`, `crm.internal:8080`
        or `private`; raises ValueError naming the entry and what is wrong.
        """
        if text == PRIVATE:
            return cls(text)
        if "://" in text:
            raise ValueError(f"{text!r} is a URL: write its host, like crm.example.com or crm.example.com:8443")
        if "/" in text:
            return cls(text, network=_read_network(text))
        if text.count(":") > 1 and not text.startswith("["):
            text = f"[{text}]"
        found = _HOST_PORT.fullmatch(text)
        port = int(found[2]) if found and found[2] else None
        if not found or (port is not None and not 0 < port < 65536):
            raise ValueError(f"{text!r} is no host, host:port, IP address or network like 10.0.0.0/8")
        host, literal = _read_host(found[1], text)
        if literal is not None:
            return cls(text, network=ipaddress.ip_network(canonical(literal)), port=port)
        return cls(text, host=host, port=port)

    def covers(self, target: Target, address: Address) -> bool:
        """Whether this entry speaks of this address, or of the target's host."""
        if self.port is not None and self.port != target.port:
            return False
        if self.network is not None:
            return address.version == self.network.version and address in self.network
        if self.host is not None:
            return self.host == target.host
        found = not_public(address)
        return found is not None and found.private and not is_metadata(address)

    def names(self, target: Target, address: Address) -> bool:
        """Whether it names this very address, or the name of a metadata service that is asked for."""
        if self.network is not None and self.network.num_addresses > 1:
            return False
        if self.host is not None and self.host not in METADATA_HOSTS:
            return False
        return self.text != PRIVATE and self.covers(target, address)


@dataclass(frozen=True, slots=True)
class EgressRules:
    """What `service.egress` says, over the built-in rule that only public addresses are reached. `deny` wins."""

    allow: tuple[Rule, ...] = ()
    deny: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, allow: Sequence[str] = (), deny: Sequence[str] = ()) -> EgressRules:
        """Read both lists; raises ValueError naming the entry that cannot be read."""
        return cls(tuple(Rule.parse(text) for text in allow), tuple(Rule.parse(text) for text in deny))

    def refuse_name(self, target: Target) -> str | None:
        """Why this host is not asked for at all, before any address is known; None when it may be."""
        if target.literal is not None:
            return None
        for rule in self.deny:
            if rule.host == target.host and rule.port in {None, target.port}:
                return f"{target.host} is denied by service.egress.deny ({rule.text})"
        if target.host in METADATA_HOSTS and not any(
            rule.host == target.host and rule.port in {None, target.port} for rule in self.allow
        ):
            return f"{target.host} is a cloud's metadata service, which hands out credentials. {_line(target.host)}"
        return None

    def names_host(self, target: Target) -> bool:
        """Whether `allow` names this very host, so that the operator answers for wherever it leads."""
        return any(rule.host == target.host and rule.port in {None, target.port} for rule in self.allow)

    def explain_behind_proxy(self, target: Target) -> str:
        """Why a name is not asked for over http by a proxy."""
        return (
            f"{target.host} would be looked up by the proxy, and without TLS nothing shows that it finds the host that "
            f"was judged here: use https. {_line(target.host)}"
        )

    def refuse(self, target: Target, address: Address) -> str | None:
        """Why a request to this target must not connect to this address; None when it may.

        The text names the address, the rule, and the line that would allow it.
        """
        address = canonical(address)
        seen = tuple(readings(address))
        shown = str(address) if target.literal is not None else f"{target.host} is at {address}, and that"
        for rule in self.deny:
            if any(rule.covers(target, reading) for reading in seen):
                return f"{shown} is denied by service.egress.deny ({rule.text})"
        if any(map(is_metadata, seen)):
            return self._refuse_metadata(target, address, seen, shown)
        if target.trusted or self._allows(target, [address]):
            return None
        return self._refuse_not_public(target, address, seen, shown)

    def _refuse_metadata(self, target: Target, address: Address, seen: tuple[Address, ...], shown: str) -> str | None:
        if any(rule.names(target, reading) for rule in self.allow for reading in seen):
            return None
        return f"{shown} is a cloud's metadata service, which hands out credentials. {_line(str(address))}"

    def _refuse_not_public(self, target: Target, address: Address, seen: tuple[Address, ...], shown: str) -> str | None:
        for reading in seen:
            found = not_public(reading)
            if found is None or self._allows(target, [reading]):
                continue
            inside = "" if reading == address else f", wrapping {reading}"
            return (
                f"{shown} is {found.meaning} ({found.network}{inside}); only public addresses are reached, "
                "and local ones whose origin is written out in the step or its destination, not rendered. "
                f"{_line(str(address))}"
            )
        return None

    def _allows(self, target: Target, addresses: Iterable[Address]) -> bool:
        return any(rule.covers(target, address) for rule in self.allow for address in addresses)


def _line(entry: str) -> str:
    return f"To allow it, write in hooks.yaml: service: {{egress: {{allow: [{json.dumps(entry)}]}}}}"


def _read_network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        try:
            meant = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is no network: {error}") from None
        raise ValueError(f"{text!r} has bits set behind the prefix: write {meant}") from None


def _read_host(host: str, text: str) -> tuple[str, Address | None]:
    try:
        return read_host(host)
    except ValueError as error:
        raise ValueError(f"{text!r} is no host: {error}") from None
