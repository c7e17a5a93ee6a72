"""TLS as the operator wants it: an authority of their own, a client certificate, and nothing shared."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hookrt.egress import identity
from hookrt.model.access import Access, TlsIdentity
from hookrt.plugin import HttpError


def trusting(authority, *client: str) -> TlsIdentity:
    found = identity.read_certificates(authority.file.read_bytes())
    if not client:
        return TlsIdentity(None, found)
    certificate, key = authority.issue(client[0])
    chain = identity.read_certificates(certificate.read_bytes())
    return TlsIdentity(identity.pair(chain, identity.read_key(key.read_bytes())), found)


async def reason(http, url: str, access: Access | None) -> str:
    with pytest.raises(HttpError) as raised:
        await http.send("POST", url, access=access)
    return f"{raised.value.reason}: {raised.value.message}"


def test_an_authority_of_ones_own_is_trusted_by_its_destination_only(kit, authority):
    async def run():
        async with kit.serve(tls=authority.context("127.0.0.1")) as endpoint, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 30)
            access = Access("crm", endpoint.origin, tls=trusting(authority))
            assert (await http.send("POST", endpoint.origin, access=access)).status_code == 200
            assert (await reason(http, endpoint.origin, None)).startswith("tls: the certificate of 127.0.0.1")
            other = Access("other", endpoint.origin)
            assert (await reason(http, endpoint.origin, other)).startswith("tls: ")
            assert len(endpoint.requests) == 1

    asyncio.run(run())


def test_a_client_certificate_is_shown_and_without_one_the_endpoint_refuses(kit, authority):
    async def run():
        context = authority.context("127.0.0.1", clients=True)
        async with kit.serve(tls=context) as endpoint, kit.going_out() as egress:
            http = egress.http_for((endpoint.origin,), 30)
            access = Access("crm", endpoint.origin, tls=trusting(authority, "hookrt"))
            assert (await http.send("POST", endpoint.origin, access=access)).status_code == 200
            assert endpoint.requests[-1].peer == "hookrt"
            without = Access("other", endpoint.origin, tls=trusting(authority))
            assert (await reason(http, endpoint.origin, without)).split(":")[0] in {"tls", "reset"}
            assert len(endpoint.requests) == 1

    asyncio.run(run())


def test_no_connection_is_shared_between_destinations_with_different_certificates(kit, authority):
    async def run():
        context = authority.context("127.0.0.1", clients=True)
        async with kit.serve(tls=context) as endpoint, kit.going_out() as egress:
            ways = [Access(name, endpoint.origin, tls=trusting(authority, name)) for name in ("one", "two")]
            for access in (*ways, *ways):
                await egress.http_for((endpoint.origin,), 30).send("POST", endpoint.origin, access=access)
            assert [request.peer for request in endpoint.requests] == ["one", "two", "one", "two"]
            assert endpoint.connections == 2

    asyncio.run(run())


def test_a_changed_certificate_counts_from_the_next_request_and_lets_the_last_one_finish(kit, authority):
    async def run():
        waiting, go_on = asyncio.Event(), asyncio.Event()

        async def slow(request) -> bytes:
            if request.line.startswith("POST /slow"):
                waiting.set()
                await go_on.wait()
            return kit.reply()

        async with kit.serve(slow, authority.context("127.0.0.1", clients=True)) as endpoint, kit.going_out() as egress:
            old = Access("crm", endpoint.origin, tls=trusting(authority, "old"))
            new = replace(old, tls=trusting(authority, "new"))
            trusted = (endpoint.origin,)
            under_way = asyncio.create_task(
                egress.http_for(trusted, 30).send("POST", endpoint.origin + "/slow", access=old)
            )
            await waiting.wait()
            await egress.http_for(trusted, 30).send("POST", endpoint.origin, access=new)
            go_on.set()
            assert (await under_way).status_code == 200
            assert [request.peer for request in endpoint.requests] == ["old", "new"]

    asyncio.run(run())


def test_an_equal_destination_after_a_reload_keeps_its_connections(kit, authority):
    async def run():
        async with kit.serve(tls=authority.context("127.0.0.1")) as endpoint, kit.going_out() as egress:
            access = Access("crm", endpoint.origin, tls=trusting(authority))
            for one in (access, replace(access, tls=trusting(authority))):
                await egress.http_for((endpoint.origin,), 30).send("POST", endpoint.origin, access=one)
            assert endpoint.connections == 1

    asyncio.run(run())


def test_a_certificate_for_another_name_is_refused_though_its_authority_is_trusted(kit, authority):
    async def run():
        names = {"crm.internal": ["127.0.0.1"]}
        async with kit.serve(tls=authority.context("billing.internal")) as endpoint, kit.going_out(names) as egress:
            url = f"https://crm.internal:{endpoint.port}"
            access = Access("crm", url, tls=trusting(authority))
            assert 'not valid for name "crm.internal"' in await reason(egress.http_for((url,), 30), url, access)
            assert endpoint.requests == []

    asyncio.run(run())


def test_an_authority_that_nobody_named_is_not_trusted(kit, authority, tmp_path):
    async def run():
        stranger = kit.Authority(tmp_path, "stranger")
        async with kit.serve(tls=stranger.context("127.0.0.1")) as endpoint, kit.going_out() as egress:
            access = Access("crm", endpoint.origin, tls=trusting(authority))
            http = egress.http_for((endpoint.origin,), 30)
            assert (await reason(http, endpoint.origin, access)).startswith("tls: the certificate")

    asyncio.run(run())


def test_a_bundle_of_authorities_is_trusted_whole(kit, authority, tmp_path):
    async def run():
        other = kit.Authority(tmp_path, "other")
        bundle = identity.read_certificates(other.file.read_bytes() + b"\n# ours\n" + authority.file.read_bytes())
        assert len(bundle) == 2
        async with kit.serve(tls=authority.context("127.0.0.1")) as endpoint, kit.going_out() as egress:
            access = Access("crm", endpoint.origin, tls=TlsIdentity(None, bundle))
            http = egress.http_for((endpoint.origin,), 30)
            assert (await http.send("POST", endpoint.origin, access=access)).status_code == 200

    asyncio.run(run())


def test_a_key_of_another_certificate_or_with_a_passphrase_is_told_apart(authority):
    certificate, _ = authority.issue("one")
    _, other = authority.issue("two")
    chain = identity.read_certificates(certificate.read_bytes())
    with pytest.raises(ValueError, match="does not belong to the certificate"):
        identity.pair(chain, identity.read_key(other.read_bytes()))
    with pytest.raises(ValueError, match="passphrase"):
        identity.read_key(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----")
    with pytest.raises(ValueError, match="no private key"):
        identity.read_key(certificate.read_bytes())
    with pytest.raises(ValueError, match="no certificate"):
        identity.read_certificates(b"junk")
    with pytest.raises(ValueError, match="cannot be read"):
        identity.read_certificates(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
    with pytest.raises(ValueError, match="cannot be read"):
        identity.pair(chain, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def test_nothing_shows_a_key(authority):
    access = Access("crm", "https://crm.example.com", tls=trusting(authority, "hookrt"))
    assert "BEGIN" not in repr(access)
