"""Which addresses are reached: judged on the address that the socket connects to."""

from __future__ import annotations

import asyncio

import pytest

from hookrt.plugin import HttpError


async def blocked(http, url: str) -> str:
    with pytest.raises(HttpError) as raised:
        await http.send("POST", url, content=b"x")
    assert raised.value.reason == "blocked-address"
    assert raised.value.permanent
    return raised.value.message


LOOPBACK_SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "１２７.0.0.1",
    "%31%32%37.0.0.1",
    "127.0.0.1.",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
]


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
def test_an_address_from_an_event_is_blocked_however_it_is_spelled(kit, host):
    async def run():
        async with kit.serve() as endpoint, kit.going_out() as egress:
            message = await blocked(egress.http_for((), 5), f"http://{host}:{endpoint.port}/")
            assert "service: {egress: {allow: [" in message
            assert endpoint.connections == 0

    asyncio.run(run())


def test_a_local_origin_that_is_written_out_is_reached_and_its_neighbours_are_not(kit):
    async def run():
        async with kit.serve() as endpoint, kit.serve() as other, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 5)
            assert (await http.send("POST", endpoint.origin + "/x", content=b"hi")).status_code == 200
            assert endpoint.body == b"hi"
            await blocked(http, other.origin)
            await blocked(egress.http_for((), 5), endpoint.origin)
            assert other.connections == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("localhost", True),
        ("crm", True),
        ("api.corp.internal", True),
        ("nas.local", True),
        ("api.default.svc", True),
        ("app.localhost", True),
        ("crm.example.com", False),
        ("internal", True),
        ("evil-internal.example", False),
    ],
)
def test_only_a_local_looking_name_that_is_written_out_may_resolve_to_private_space(kit, name, reached):
    async def run():
        async with kit.serve() as endpoint, kit.going_out(names={name: ["127.0.0.1"]}) as egress:
            url = f"http://{name}:{endpoint.port}"
            await blocked(egress.http_for((), 5), url)
            if reached:
                assert (await egress.http_for((url,), 5).send("GET", url)).status_code == 200
                assert f"Host: {name}:{endpoint.port}".encode() in endpoint.head
            else:
                assert f"{name} is at 127.0.0.1" in await blocked(egress.http_for((url,), 5), url)

    asyncio.run(run())


def test_one_private_address_among_public_ones_blocks_the_name(kit):
    async def run():
        names = {"mixed.example": ["93.184.216.34", "127.0.0.1"]}
        async with kit.going_out(names=names) as egress:
            await blocked(egress.http_for((), 5), "http://mixed.example/")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("allow", "reached"),
    [
        ("127.0.0.0/8", True),
        ("127.0.0.1", True),
        ("private", True),
        ("crm.example.com", True),
        ("crm.example.com:{port}", True),
        ("127.0.0.1:{port}", True),
        ("crm.example.com:1", False),
        ("127.0.0.1:1", False),
        ("other.example.com", False),
        ("10.0.0.0/8", False),
    ],
)
def test_allow_takes_networks_addresses_hosts_ports_and_private(kit, allow, reached):
    async def run():
        async with kit.serve() as endpoint:
            names = {"crm.example.com": ["127.0.0.1"]}
            async with kit.going_out(allow=(allow.format(port=endpoint.port),), names=names) as egress:
                http, url = egress.http_for((), 5), f"http://crm.example.com:{endpoint.port}/"
                if reached:
                    assert (await http.send("GET", url)).status_code == 200
                else:
                    await blocked(http, url)

    asyncio.run(run())


@pytest.mark.parametrize("deny", ["127.0.0.1", "127.0.0.0/8", "private", "crm", "crm:{port}"])
def test_deny_wins_over_allow_and_over_what_is_written_out(kit, deny):
    async def run():
        async with kit.serve() as endpoint:
            rules = {"allow": ("private",), "deny": (deny.format(port=endpoint.port),)}
            async with kit.going_out(**rules, names={"crm": ["127.0.0.1"]}) as egress:
                url = f"http://crm:{endpoint.port}"
                assert "service.egress.deny" in await blocked(egress.http_for((url,), 5), url)
                assert endpoint.connections == 0

    asyncio.run(run())


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"])
def test_metadata_addresses_are_never_reached_though_written_out_or_private(kit, host):
    async def run():
        async with kit.going_out(allow=("private", "169.254.0.0/16", "fd00::/8")) as egress:
            origin = f"http://{host}"
            assert "metadata" in await blocked(egress.http_for((origin,), 5), origin)

    asyncio.run(run())


def test_a_name_that_leads_to_a_metadata_address_is_blocked_and_the_known_name_unasked(kit):
    async def run():
        async with kit.going_out(allow=("private", "sly"), names={"sly": ["169.254.169.254"]}) as egress:
            http = egress.http_for(("http://sly", "http://metadata.google.internal"), 5)
            assert "metadata" in await blocked(http, "http://sly/")
            assert "metadata" in await blocked(http, "http://metadata.google.internal./")

    asyncio.run(run())


def test_a_name_that_moves_to_private_space_later_is_blocked_then(kit, monkeypatch):
    monkeypatch.setattr("hookrt.egress.names.REMEMBERED_S", 0.0)

    async def run():
        async with kit.serve() as endpoint:
            names = {"crm.example.com": ["127.0.0.1"]}
            async with kit.going_out(allow=("127.0.0.1",), names=names) as egress:
                url = f"http://crm.example.com:{endpoint.port}/"
                assert (await egress.http_for((), 5).send("GET", url)).status_code == 200
                names["crm.example.com"] = ["127.0.0.2"]
                assert "127.0.0.2" in await blocked(egress.http_for((), 5), url)

    asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "unix:/run/x.sock",
        "http://user:pass@example.com/",
        "http://user@example.com/",
        "http://exa\nmple.com/",
        "http://example.com/\r\nx: y",
        "http://example.com/\x00",
        "http://",
        "http:///",
        "",
        "example.com",
        "//example.com/",
        "http://exa mple.com/",
        "http://[fe80::1%25eth0]/",
        "http://example.com:99999/",
        "http://127.0.0.1:0/",
        "http://example.com/" + "x" * 9000,
    ],
)
def test_what_is_no_plain_http_url_is_bad_url(kit, url):
    async def run():
        async with kit.going_out(allow=("private",)) as egress:
            with pytest.raises(HttpError) as raised:
                await egress.http_for((), 5).send("GET", url)
            assert raised.value.reason == "bad-url"
            assert "pass" not in raised.value.message.replace("password", "")

    asyncio.run(run())


def test_redirects_are_not_followed(kit):
    async def run():
        async with kit.serve() as inner:
            to = b"HTTP/1.1 302 Found\r\nlocation: %s/\r\ncontent-length: 0\r\n\r\n" % inner.origin.encode()
            async with kit.serve(to) as outer, kit.going_out() as egress:
                response = await egress.http_for((outer.origin, inner.origin), 5).send("GET", outer.origin)
                assert response.status_code == 302
                assert inner.connections == 0

    asyncio.run(run())


def test_a_proxy_of_the_environment_is_not_asked(kit, monkeypatch):
    async def run():
        async with kit.serve() as endpoint, kit.serve() as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
                monkeypatch.setenv(name, proxy.origin)
            async with kit.going_out() as egress:
                assert (await egress.http_for((endpoint.origin,), 5).send("GET", endpoint.origin)).status_code == 200
            assert proxy.connections == 0

    asyncio.run(run())


def test_the_final_dot_of_a_name_changes_nothing(kit):
    async def run():
        async with kit.serve() as endpoint, kit.going_out(names={"crm": ["127.0.0.1"]}) as egress:
            http = egress.http_for((f"http://crm:{endpoint.port}",), 5)
            assert (await http.send("GET", f"http://crm.:{endpoint.port}/")).status_code == 200
            assert f"Host: crm:{endpoint.port}\r".encode() in endpoint.head

    asyncio.run(run())


def test_the_default_port_may_be_written_or_left_out(kit):
    async def run():
        async with kit.going_out(names={"crm": ["127.0.0.1"]}) as egress:
            for origin, url in (("http://crm:80", "http://crm/"), ("https://crm", "https://CRM:443/")):
                with pytest.raises(HttpError) as raised:
                    await egress.http_for((origin,), 5).send("GET", url)
                assert raised.value.reason in {"refused", "tls", "reset"}  # reached, whatever listens there

    asyncio.run(run())
