"""Connections of other protocols go to judged addresses too."""

from __future__ import annotations

import asyncio

import pytest

from hookrt.delivery.marked_http import MarkedHttp
from hookrt.plugin import HttpError
from hookrt.testing import RecordedHttp


async def refused(http, host: str, port: int = 587, *, written: bool = False) -> str:
    with pytest.raises(HttpError) as raised:
        await http.addresses_of(host, port, written=written)
    assert raised.value.permanent
    return raised.value.reason


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "localhost", "[::1]", "::1", "0.0.0.0", "10.0.0.5", "１２７.0.0.1"]
)
def test_a_local_server_is_the_will_of_whoever_wrote_it_out_and_of_no_event(kit, host):
    async def run():
        async with kit.going_out() as egress:
            http = MarkedHttp(egress.http_for((), 5))
            assert await refused(http, host) == "blocked-address"
            assert await http.addresses_of(host, 587, written=True)

    asyncio.run(run())


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal"])
def test_a_metadata_service_is_refused_whoever_wrote_it(kit, host):
    async def run():
        async with kit.going_out() as egress:
            assert await refused(egress.http_for((), 5), host, written=True) == "blocked-address"

    asyncio.run(run())


def test_a_public_name_that_leads_inside_is_refused_although_it_is_written_out(kit):
    names = {name: ["10.0.0.5"] for name in ("smtp.example.com", "smtp.internal")}

    async def run():
        async with kit.going_out(names=names) as egress:
            assert await refused(egress.http_for((), 5), "smtp.example.com", written=True) == "blocked-address"
            inside = await egress.http_for((), 5).addresses_of("smtp.internal", 587, written=True)
            assert list(inside) == ["10.0.0.5"]

    asyncio.run(run())


def test_all_addresses_of_a_name_are_given_and_judged(kit):
    found = ["192.0.2.1", "93.184.216.34", "2606:2800:220:1::1"]

    names = {"good.example.com": found[1:], "bad.example.com": found}

    async def run():
        async with kit.going_out(names=names) as egress:
            http = egress.http_for((), 5)
            assert list(await http.addresses_of("good.example.com", 25)) == found[1:]
            assert await refused(http, "bad.example.com") == "blocked-address"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("host", "port"),
    [("", 25), ("a b", 25), ("a/b", 25), ("a?b", 25), ("u@a", 25), ("a:26", 25), ("a\n", 25), ("a", 0), ("a", 65536)],
)
def test_what_is_no_host_is_refused(kit, host, port):
    async def run():
        async with kit.going_out() as egress:
            assert await refused(egress.http_for((), 5), host, port, written=True) == "bad-url"
        assert await refused(RecordedHttp(), host, port, written=True) == "bad-url"

    asyncio.run(run())


def test_a_rehearsal_connects_to_nothing(kit):
    async def run():
        async with kit.going_out() as egress:
            with pytest.raises(HttpError) as raised:
                await egress.unsent_for((), 5).addresses_of("localhost", 25, written=True)
            assert raised.value.reason == "not-sent"

    asyncio.run(run())
