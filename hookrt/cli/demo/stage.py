"""The demo's stage: the user's hooks, kept to this machine, with invented secrets and a receiver of its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from hookrt.config.load import Configuration
from hookrt.model.hook import Destination
from hookrt.signing import SigningKey, new_secret

RECEIVER_PORT = 4666
"""Where the example's destinations point, and the demo's receiver listens if it can."""

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(slots=True)
class InventedSecrets:
    """A provider of secrets that has an answer to every name: it is asked last, and remembers what it made up."""

    made: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """A secret for this name, the same each time, fit for signing."""
        if name not in self.made:
            self.made[name] = new_secret()
        return self.made[name]


@dataclass(frozen=True, slots=True)
class Stage:
    """A configuration fit for the demo, and the destinations that were pointed to its receiver."""

    configuration: Configuration
    redirected: tuple[str, ...]


def set_stage(configuration: Configuration, receiver_url: str, port: int) -> Stage:
    """The configuration with every destination on the demo's receiver, and no way off this machine.

    The service listens on loopback without tokens, keeps its log quiet, and denies every address but loopback.
    """
    destinations, redirected = {}, []
    for key, destination in configuration.destinations.items():
        destinations[key] = _redirect(destination, receiver_url)
        if destinations[key] is not destination:
            redirected.append(destination.name)
    service = configuration.service
    egress = service.egress.model_copy(
        update={"allow": (*service.egress.allow, _host_and_port(receiver_url)), "deny": tuple(_all_but_loopback())}
    )
    local = service.model_copy(update={"host": "127.0.0.1", "port": port, "tokens": (), "egress": egress})
    return Stage(replace(configuration, destinations=destinations, service=local), tuple(redirected))


def signing_secrets(configuration: Configuration, invented: Mapping[str, str]) -> list[str]:
    """Every secret that a webhook of the demo may be signed with: those of destinations, the invented, the given."""
    destinations = configuration.destinations.values()
    found = [secret.value for destination in destinations for secret in destination.signing_secrets]
    found += invented.values()
    lookup = configuration.secrets
    found += [value for name in sorted(lookup.names()) if (value := lookup.get(name))]
    return [secret for secret in dict.fromkeys(found) if _can_sign(secret)]


def _redirect(destination: Destination, receiver_url: str) -> Destination:
    if destination.url is None or _same_place(destination.url, receiver_url):
        return destination
    return replace(destination, url=receiver_url + urlsplit(destination.url).path.rstrip("/"))


def _same_place(url: str, receiver_url: str) -> bool:
    ours, theirs = urlsplit(receiver_url), urlsplit(url)
    return theirs.scheme == "http" and theirs.port == ours.port and theirs.hostname in _LOCAL_HOSTS


def _host_and_port(url: str) -> str:
    return urlsplit(url).netloc


def _can_sign(secret: str) -> bool:
    try:
        SigningKey.parse(secret)
    except ValueError:
        return False
    return True


def _all_but_loopback() -> Iterable[str]:
    yield from map(str, ipaddress.IPv4Network("0.0.0.0/0").address_exclude(ipaddress.IPv4Network("127.0.0.0/8")))
    yield from map(str, ipaddress.IPv6Network("::/0").address_exclude(ipaddress.IPv6Network("::1/128")))
