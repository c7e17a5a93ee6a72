"""Which addresses count as public, and the operator's rules over that; no I/O."""

from __future__ import annotations

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hookrt.egress.ranges import METADATA_HOSTS, canonical, is_metadata, not_public, readings
from hookrt.egress.rules import EgressRules, Rule
from hookrt.egress.target import is_local, read_target
from hookrt.plugin import HttpError

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.1.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::8.8.8.8",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:c0a8:101::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]

METADATA = ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"]


def refusal(url: str, rules: EgressRules | None = None, trusted: tuple[str, ...] = ()) -> str | None:
    target = read_target(url, trusted)
    rules = rules or EgressRules()
    return rules.refuse_name(target) or (rules.refuse(target, target.literal) if target.literal else None)


def url_of(address: str) -> str:
    bare = address.partition("%")[0]
    return f"http://[{bare}]/" if ":" in bare else f"http://{bare}/"


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public_is_refused_with_the_line_that_would_allow_it(address: str):
    message = refusal(url_of(address))
    assert message is not None
    line = message[message.index("allow: [") + 8 : message.index("]}}")].strip('"')
    assert refusal(url_of(address), EgressRules.parse([line])) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_reached(address: str):
    assert refusal(url_of(address)) is None


@given(st.ip_addresses())
def test_nothing_that_python_calls_not_global_is_reached(address):
    address = canonical(address)
    if not address.is_global and not any(True for extra in list(readings(address))[1:]):
        assert not_public(address) is not None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_wrapping(address):
    plain = refusal(url_of(str(address))) is None
    for wrapped in (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::",
    ):
        assert (refusal(url_of(wrapped)) is None) == plain


@pytest.mark.parametrize("address", METADATA)
def test_metadata_needs_a_rule_that_names_it(address: str):
    url = url_of(address)
    network = str(ipaddress.ip_network(address).supernet(8))
    for rules in ([], ["private"], [network], ["0.0.0.0/0", "::/0"]):
        assert "metadata" in (refusal(url, EgressRules.parse(rules), trusted=(url.rstrip("/"),)) or "")
    for rule in (address, f"{address}/{32 if '.' in address else 128}"):
        assert refusal(url, EgressRules.parse([rule])) is None
    assert refusal(url, EgressRules.parse([address], ["private", network])) is not None


@pytest.mark.parametrize("host", sorted(METADATA_HOSTS))
def test_a_metadata_name_needs_a_rule_that_names_it(host: str):
    url = f"http://{host.upper()}./"
    target = read_target(url, ())
    assert "metadata" in (refusal(url, EgressRules.parse(["private"]), (f"http://{host}",)) or "")
    rules = EgressRules.parse([host])
    assert rules.refuse_name(target) is None
    assert rules.refuse(target, ipaddress.ip_address("169.254.169.254")) is None
    assert EgressRules.parse(["x.example"]).refuse(target, ipaddress.ip_address("169.254.169.254")) is not None


def test_private_means_local_networks_and_nothing_else():
    rules = EgressRules.parse(["private"])
    for address in ("10.0.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "fd12::1", "::1"):
        assert refusal(url_of(address), rules) is None
    for address in ("224.0.0.1", "240.0.0.1", "192.0.2.1", "0.0.0.0", "169.254.169.254", "fd00:ec2::254"):
        assert refusal(url_of(address), rules) is not None


def test_deny_sees_through_wrappings_and_names():
    rules = EgressRules.parse(["private"], ["10.0.0.0/8", "evil.example.com", "x.example:8443"])
    assert "10.0.0.0/8" in (refusal("http://[64:ff9b::10.1.2.3]/", rules) or "")
    assert "evil.example.com" in (refusal("https://EVIL.example.com./", rules) or "")
    assert refusal("https://x.example:8443/", rules) is not None
    assert refusal("https://x.example/", rules) is None


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("http://crm.example.com", "crm.example.com:8443"),
        ("a b", "a b"),
        ("", "''"),
        ("crm:0", "crm:0"),
        ("crm:99999", "crm:99999"),
        ("*.example.com", "*.example.com"),
        ("user@crm", "user@crm"),
        ("10.0.0.0/33", "10.0.0.0/33"),
        ("crm/path", "crm/path"),
        ("[fd00::1", "[fd00::1"),
        ("256.1.1.1", "256.1.1.1"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named(entry: str, part: str):
    for lists in (([entry], []), ([], [entry])):
        with pytest.raises(ValueError, match=r"no|URL|bits") as raised:
            EgressRules.parse(*lists)
        assert part in str(raised.value)


def test_entries_are_read_as_the_client_reads_hosts():
    assert Rule.parse("LOCALHOST.").host == "localhost"
    assert Rule.parse("münchen.example:443").host == "xn--mnchen-3ya.example"
    assert str(Rule.parse("2130706433").network) == "127.0.0.1/32"
    assert str(Rule.parse("::ffff:10.0.0.1").network) == "10.0.0.1/32"
    assert (str(Rule.parse("[fd00::1]:8080").network), Rule.parse("[fd00::1]:8080").port) == ("fd00::1/128", 8080)
    assert str(Rule.parse("fd00::1").network) == "fd00::1/128"


@pytest.mark.parametrize("host", ["localhost", "crm", "a.internal", "a.local", "a.svc", "a.b.svc", "a.localhost"])
def test_a_local_name_is_one_label_or_has_a_local_suffix(host: str):
    assert is_local(host, None)


@pytest.mark.parametrize("host", ["example.com", "internal.example.com", "alocal.io", "svc.io", "10.0.0.1.nip.io"])
def test_a_public_looking_name_is_not_local(host: str):
    assert not is_local(host, None)


@pytest.mark.parametrize(
    ("origin", "url", "trusted"),
    [
        ("http://localhost:80", "http://LOCALHOST/", True),
        ("http://localhost", "http://localhost.:80/", True),
        ("https://10.0.0.5", "https://10.0.0.5:443/x", True),
        ("http://2130706433", "http://127.0.0.1/", True),
        ("http://localhost", "https://localhost/", False),
        ("http://localhost:8000", "http://localhost:8001/", False),
        ("http://localhost", "http://localhost.evil.com/", False),
        ("http://localhost", "http://localhost@evil.internal/", False),
        ("https://crm.example.com", "https://crm.example.com/", False),
        ("nonsense", "http://localhost/", False),
    ],
)
def test_an_origin_is_trusted_when_it_is_the_same_to_the_client(origin: str, url: str, trusted: bool):
    with suppress(HttpError):
        assert read_target(url, (origin,)).trusted is trusted


@example(".")
@given(st.text(max_size=60))
def test_a_hostile_url_is_read_or_refused_and_nothing_else(text: str):
    for url in (text, f"http://{text}", f"https://example.com/{text}"):
        with suppress(HttpError):
            target = read_target(url, ())
            assert target.url.scheme in {"http", "https"}
            assert not target.url.username


def test_every_metadata_address_is_known():
    assert all(is_metadata(ipaddress.ip_address(address)) for address in METADATA)
