"""Which addresses are public, and what the others are; pure.

The table holds what the IANA registries of special-purpose addresses list as not globally reachable, and what the
clouds use for their metadata services. What is not in it and not global by Python's own tables is refused too, and so
is IPv6 that has been given to nobody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Range:
    """A range of addresses that are not public. `private` says whether the word `private` in a rule means it."""

    network: Network
    meaning: str
    private: bool = False


def _ranges(*rows: tuple[str, str], private: bool) -> list[Range]:
    return [Range(ipaddress.ip_network(network), meaning, private) for network, meaning in rows]


_RANGES = (
    *_ranges(
        ("127.0.0.0/8", "this machine (loopback)"),
        ("10.0.0.0/8", "a private network"),
        ("172.16.0.0/12", "a private network"),
        ("192.168.0.0/16", "a private network"),
        ("169.254.0.0/16", "link-local"),
        ("100.64.0.0/10", "a provider's shared network (carrier-grade NAT)"),
        ("::1/128", "this machine (loopback)"),
        ("fc00::/7", "a private network (unique local)"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "a private network (site-local)"),
        private=True,
    ),
    *_ranges(
        ("0.0.0.0/8", "this network"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.88.99.0/24", "reserved (6to4 relays)"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/96", "reserved (IPv4-compatible)"),
        ("::ffff:0:0:0/96", "reserved (IPv4-translated)"),
        ("64:ff9b:1::/48", "a local translation to IPv4"),
        ("100::/63", "a black hole"),
        ("2001::/23", "reserved for protocols"),
        ("2001:db8::/32", "reserved for documentation"),
        ("3fff::/20", "reserved for documentation"),
        ("5f00::/16", "reserved for segment routing"),
        ("ff00::/8", "multicast"),
        private=False,
    ),
)

_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, DigitalOcean, Oracle, OpenStack and others
        "169.254.169.253",  # AWS: the resolver, which answers for private zones
        "169.254.169.123",  # AWS: time
        "169.254.170.2",  # AWS: credentials of containers
        "169.254.170.23",  # AWS: credentials of pods
        "169.254.169.249",  # AWS: further addresses of its resolver, time and licences
        "169.254.169.250",
        "169.254.169.251",
        "169.254.169.252",  # Google: the metadata server of Kubernetes' nodes
        "169.254.42.42",  # Scaleway
        "169.254.0.23",  # Tencent
        "168.63.129.16",  # Azure: the host's agent
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle, older
        "fd00:ec2::254",  # AWS
        "fd00:ec2::253",  # AWS: the resolver
        "fd00:ec2::23",  # AWS: credentials of pods
        "fd20:ce::254",  # Google
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd00:42::42",  # Scaleway
    )
)

METADATA_HOSTS = frozenset(
    {
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "metadata.tencentyun.com",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "rancher-metadata",
        "instance-data.ec2.internal",
    }
)
"""Names under which clouds offer their metadata services."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = ipaddress.IPv6Network("::/96")
_V4_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_CARRIES_V4 = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"), _NAT64)
_UNICAST = ipaddress.IPv6Network("2000::/3")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def canonical(address: Address) -> Address:
    """The address that a socket really connects to: an IPv4-mapped one is the IPv4 address."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


def readings(address: Address) -> Iterator[Address]:
    """The address, and every IPv4 address that it carries inside: a gateway on the way may unwrap it."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        yield from _carried(address)


def is_metadata(address: Address) -> bool:
    """Whether a cloud offers its metadata service, and so credentials, at this very address."""
    return address in _METADATA


def not_public(address: Address) -> Range | None:
    """The range that makes this address not public; None for a public one.

    An address that only wraps an IPv4 address (NAT64, 6to4, Teredo) counts as public by itself; what it wraps is
    judged as a reading of its own.
    """
    for known in _RANGES:
        if address.version == known.network.version and address in known.network and not _wraps(address):
            return known
    if _wraps(address):
        return None
    if not address.is_global or (address.version == 6 and address not in _UNICAST):
        return Range(ipaddress.ip_network(address), "not a public address")
    return None


def _wraps(address: Address) -> bool:
    return any(address.version == network.version and address in network for network in _CARRIES_V4)


def _carried(address: ipaddress.IPv6Address) -> Iterator[Address]:
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64 or address in _V4_TRANSLATED or (address in _V4_COMPATIBLE and int(address) > 1):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
