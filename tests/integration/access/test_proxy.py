"""An HTTP proxy of a destination: the operator's own, asked for nothing that the guard would not let through."""

from __future__ import annotations

import asyncio

import pytest

from hookrt.egress import identity
from hookrt.model.access import Access, OAuthClient, Proxy, TlsIdentity
from hookrt.plugin import HttpError


def by(proxy, origin: str, **more) -> Access:
    return Access("crm", origin, proxy=Proxy(proxy.origin, **more.pop("login", {})), **more)


def own(authority) -> TlsIdentity:
    return TlsIdentity(None, identity.read_certificates(authority.file.read_bytes()))


async def fault(http, url: str, access: Access) -> HttpError:
    with pytest.raises(HttpError) as raised:
        await http.send("POST", url, access=access)
    return raised.value


def test_https_goes_through_a_tunnel_that_ends_at_the_endpoint(kit, authority):
    async def run():
        names = {"crm.example.com": ["93.184.216.34"]}
        async with kit.serve(tls=authority.context("crm.example.com")) as endpoint:
            leads = {"crm.example.com": endpoint.port}
            async with kit.proxying("me:p w", **leads) as proxy, kit.going_out(names) as egress:
                url = "https://crm.example.com/in"
                login = {"user": "me", "password": "p w"}
                access = by(proxy, "https://crm.example.com", login=login, tls=own(authority))
                http = egress.http_for((), 30)
                answer = await http.send(
                    "POST", url, content=b"x", headers={"authorization": "Bearer t"}, access=access
                )
                assert answer.status_code == 200
                assert proxy.asked == ["CONNECT crm.example.com:443 HTTP/1.1"]
                assert "authorization" not in proxy.requests[0].headers
                assert endpoint.authorizations == ["Bearer t"]
                assert "proxy-authorization" not in endpoint.requests[0].headers
                assert http.exchange.address == "127.0.0.1"

    asyncio.run(run())


def test_a_proxy_may_speak_tls_itself(kit, authority):
    async def run():
        names = {"crm.example.com": ["93.184.216.34"]}
        here, there = authority.context("127.0.0.1"), authority.context("crm.example.com")
        async with (
            kit.serve(tls=there) as endpoint,
            kit.going_out(names) as egress,
            kit.proxying("me:pw", here, **{"crm.example.com": endpoint.port}) as proxy,
        ):
            access = by(proxy, "https://crm.example.com", login={"user": "me", "password": "pw"}, tls=own(authority))
            answer = await egress.http_for((), 30).send("POST", "https://crm.example.com/", access=access)
            assert (answer.status_code, len(endpoint.requests)) == (200, 1)
            stranger = Access("other", "https://crm.example.com", proxy=Proxy(proxy.origin, "me", "pw"))
            error = await fault(egress.http_for((), 30), "https://crm.example.com/", stranger)
            assert error.reason == "tls"

    asyncio.run(run())


def test_the_proxy_cannot_pass_another_host_off_as_the_endpoint(kit, authority):
    async def run():
        names = {"crm.example.com": ["93.184.216.34"]}
        async with (
            kit.serve(tls=authority.context("inner.example.com")) as inner,
            kit.proxying(**{"crm.example.com": inner.port}) as proxy,
            kit.going_out(names) as egress,
        ):
            access = by(proxy, "https://crm.example.com", tls=own(authority))
            error = await fault(egress.http_for((), 30), "https://crm.example.com/", access)
            assert error.reason == "tls"
            assert inner.requests == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://10.0.0.5/", "10.0.0.5 is a private network"),
        ("https://169.254.169.254/", "metadata"),
        ("https://metadata.google.internal/", "metadata"),
        ("https://inner.example.com/", "inner.example.com is at 10.0.0.5"),
        ("http://crm.example.com/", "without TLS nothing shows"),
    ],
)
def test_the_guard_judges_targets_behind_a_proxy_too(kit, url, why):
    async def run():
        names = {"inner.example.com": ["10.0.0.5"], "crm.example.com": ["93.184.216.34"]}
        async with kit.proxying() as proxy, kit.going_out(names) as egress:
            error = await fault(egress.http_for((), 30), url, by(proxy, url.rstrip("/")))
            assert error.reason == "blocked-address"
            assert why in error.message
            assert "service: {egress: {allow: [" in error.message
            assert proxy.connections == 0

    asyncio.run(run())


def test_a_name_that_only_the_proxy_knows_goes_through_if_the_operator_answers_for_it(kit):
    async def run():
        async with kit.serve() as endpoint:
            url = f"http://crm.example.com:{endpoint.port}"
            async with kit.proxying(**{"crm.example.com": endpoint.port}) as proxy:
                for rules, local in (({"allow": ("crm.example.com",)}, False), ({}, True)):
                    async with kit.going_out(**rules) as egress:
                        there = url.replace("example.com", "internal") if local else url
                        proxy.leads["crm.internal"] = endpoint.port
                        http = egress.http_for((there,), 30)
                        assert (await http.send("GET", there, access=by(proxy, there))).status_code == 200
                async with kit.going_out() as egress:
                    there = url.replace("http:", "https:")
                    error = await fault(egress.http_for((), 30), there, by(proxy, there))
                    assert error.reason == "dns"
            assert len(endpoint.requests) == 2

    asyncio.run(run())


def test_deny_wins_behind_a_proxy_and_over_the_proxy_itself(kit):
    async def run():
        async with kit.proxying() as proxy:
            async with kit.going_out({"crm.internal": ["10.0.0.5"]}, deny=("10.0.0.0/8",)) as egress:
                url = "http://crm.internal"
                assert "service.egress.deny" in (await fault(egress.http_for((url,), 30), url, by(proxy, url))).message
            async with kit.going_out(deny=("127.0.0.1",)) as egress:
                assert "service.egress.deny" in (await fault(egress.http_for((url,), 30), url, by(proxy, url))).message
            assert proxy.connections == 0

    asyncio.run(run())


def test_a_proxy_at_a_public_name_in_private_space_is_the_operators_will_and_never_a_metadata_service(kit):
    async def run():
        async with kit.serve() as endpoint, kit.proxying() as proxy:
            names = {"proxy.example.com": ["127.0.0.1"], "sly.example.com": ["169.254.169.254"]}
            async with kit.going_out(names) as egress:
                http = egress.http_for((endpoint.origin,), 30)
                named = Proxy(f"http://proxy.example.com:{proxy.port}")
                answer = await http.send("GET", endpoint.origin, access=Access("crm", endpoint.origin, proxy=named))
                assert answer.status_code == 200
                assert proxy.asked == [f"GET {endpoint.origin}/ HTTP/1.1"]
                sly = Access("sly", endpoint.origin, proxy=Proxy("http://sly.example.com"))
                assert "metadata" in (await fault(http, endpoint.origin, sly)).message

    asyncio.run(run())


def test_what_goes_wrong_at_the_proxy_is_told_without_its_password(kit, authority):
    async def run():
        names = {"crm.example.com": ["93.184.216.34"]}
        login = {"user": "me", "password": "wr0ng-one"}
        async with kit.proxying("me:right") as proxy, kit.going_out(names) as egress:
            url = "https://crm.example.com"
            error = await fault(egress.http_for((), 30), url, by(proxy, url, login=login))
            assert error.reason == "refused"
            assert "the proxy wants other credentials" in error.message
            assert "wr0ng" not in error.message
        async with kit.going_out(names) as egress:
            error = await fault(egress.http_for((), 30), url, by(proxy, url, login=login))
            assert error.reason == "refused"
            assert f"(by the proxy 127.0.0.1:{proxy.port}) was refused" in error.message

    asyncio.run(run())


def test_the_proxy_of_one_destination_is_nobody_elses(kit):
    async def run():
        async with kit.serve() as endpoint, kit.proxying() as proxy, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 30)
            await http.send("GET", endpoint.origin, access=by(proxy, endpoint.origin))
            await http.send("GET", endpoint.origin)
            await http.send("GET", endpoint.origin, access=Access("other", endpoint.origin))
            assert (len(proxy.requests), len(endpoint.requests)) == (1, 3)

    asyncio.run(run())


@pytest.mark.parametrize("variable", ["NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def test_the_environment_has_no_say_in_it(kit, monkeypatch, variable):
    monkeypatch.setenv(variable, "127.0.0.1")
    monkeypatch.setenv(variable.lower(), "127.0.0.1")

    async def run():
        async with kit.serve() as endpoint, kit.proxying() as proxy, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 30)
            await http.send("GET", endpoint.origin, access=by(proxy, endpoint.origin))
            assert len(proxy.requests) == 1

    asyncio.run(run())


def test_token_requests_go_by_the_proxy_too(kit):
    async def run():
        given = {"access_token": "t", "token_type": "bearer"}
        async with (
            kit.serve() as endpoint,
            kit.serve(lambda request: kit.reply(200, given)) as issuer,
            kit.proxying() as proxy,
            kit.going_out() as egress,
        ):
            access = by(proxy, endpoint.origin, oauth=OAuthClient(issuer.origin + "/token", "me", "secret"))
            await egress.http_for((endpoint.origin,), 30).send("POST", endpoint.origin, access=access)
            assert proxy.asked[0] == f"POST {issuer.origin}/token HTTP/1.1"
            assert endpoint.authorizations == ["Bearer t"]

    asyncio.run(run())
