"""How names are resolved once, pinned, and moved when their address changes."""

from __future__ import annotations

import asyncio

import pytest

from hookrt.egress import Egress, EgressRules
from hookrt.egress.clients import Clients
from hookrt.plugin import HttpError


def counting(names: dict[str, list[str]], asked: list[str]):
    async def resolve(name: str) -> list[str]:
        asked.append(name)
        await asyncio.sleep(0)
        return names[name]

    return resolve


def test_many_requests_at_once_ask_for_a_name_once(kit):
    async def run():
        asked: list[str] = []
        egress = Egress(EgressRules(), str, counting({"crm": ["127.0.0.1"]}, asked))
        async with kit.serve() as endpoint:
            url = f"http://crm:{endpoint.port}"
            sends = [egress.http_for((url,), 5).send("GET", url) for _ in range(20)]
            assert {response.status_code for response in await asyncio.gather(*sends)} == {200}
            assert (await egress.http_for((url,), 5).send("GET", url)).status_code == 200
            assert asked == ["crm"]
            await egress.close()

    asyncio.run(run())


def test_a_failed_question_is_remembered_for_a_moment_and_then_asked_again(kit, monkeypatch):
    async def run():
        asked: list[str] = []

        async def resolve(name):
            asked.append(name)
            raise OSError("no such name")

        egress = Egress(EgressRules(), str, resolve)
        for _ in range(3):
            with pytest.raises(HttpError, match="no such name"):
                await egress.http_for((), 5).send("GET", "http://nowhere.example/")
        assert asked == ["nowhere.example"]
        monkeypatch.setattr("hookrt.egress.names.FAILURE_REMEMBERED_S", -1.0)
        for _ in range(2):
            with pytest.raises(HttpError):
                await egress.http_for((), 5).send("GET", "http://elsewhere.example/")
        assert asked[1:] == ["elsewhere.example"] * 2
        await egress.close()

    asyncio.run(run())


def test_a_silent_name_server_costs_its_own_request_its_time_and_nobody_else(kit):
    async def run():
        async def resolve(name):
            if name == "silent.example":
                await asyncio.Event().wait()
            return ["127.0.0.1"]

        egress = Egress(EgressRules(), str, resolve)
        async with kit.serve() as endpoint:
            waiting = asyncio.create_task(egress.http_for((), 0.3).send("GET", "http://silent.example/"))
            url = f"http://crm:{endpoint.port}"
            assert (await egress.http_for((url,), 5).send("GET", url)).status_code == 200
            with pytest.raises(HttpError) as raised:
                await waiting
            assert raised.value.reason == "timeout"
            await egress.close()

    asyncio.run(run())


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example", ".example"])
def test_a_name_that_no_resolver_takes_is_dns(kit, name):
    async def run():
        async with kit.going_out() as egress:
            with pytest.raises(HttpError) as raised:
                await egress.http_for((), 5).send("GET", f"http://{name}/")
            assert raised.value.reason in {"dns", "bad-url"}

    asyncio.run(run())


def test_the_system_resolver_finds_localhost_wherever_it_listens(kit):
    async def run():
        async with kit.serve() as endpoint, kit.going_out() as egress:
            url = f"http://localhost:{endpoint.port}"
            assert (await egress.http_for((url,), 5).send("GET", url)).status_code == 200

    asyncio.run(run())


def test_where_nothing_listens_the_next_address_is_tried_and_then_kept(kit):
    async def run():
        names = {"crm": ["127.0.0.9", "127.0.0.8", "127.0.0.1"]}
        async with kit.serve() as endpoint, kit.going_out(names=names) as egress:
            url = f"http://crm:{endpoint.port}"
            for _ in range(2):
                http = egress.http_for((url,), 5)
                assert (await http.send("GET", url)).status_code == 200
                assert http.exchange.address == "127.0.0.1"
            assert len(endpoint.requests) == 2
            dead = f"http://crm:{kit.free_port()}"
            with pytest.raises(HttpError) as raised:
                await egress.http_for((dead,), 5).send("GET", dead)
            assert raised.value.reason == "refused"

    asyncio.run(run())


def test_a_rotating_answer_moves_nobody_and_a_changed_address_moves_the_host(kit, monkeypatch):
    monkeypatch.setattr("hookrt.egress.names.REMEMBERED_S", 0.0)

    async def run():
        names = {"crm": ["127.0.0.1", "127.0.0.2"]}
        async with kit.serve(host="0.0.0.0") as endpoint, kit.going_out(names=names) as egress:
            url, used = f"http://crm:{endpoint.port}", []
            for answer in (["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.3"]):
                names["crm"] = answer
                http = egress.http_for((url,), 5)
                await http.send("GET", url)
                used.append(http.exchange.address)
            assert used == ["127.0.0.1", "127.0.0.1", "127.0.0.3"]
            assert endpoint.connections == 2

    asyncio.run(run())


def test_a_request_under_way_survives_the_move_of_its_host(kit, monkeypatch):
    monkeypatch.setattr("hookrt.egress.names.REMEMBERED_S", 0.0)

    async def run():
        go_on = asyncio.Event()

        async def script(writer):
            if len(endpoint.requests) == 1:
                await go_on.wait()
            writer.write(kit.OK)

        names = {"crm": ["127.0.0.1"]}
        async with kit.serve(script, host="0.0.0.0") as endpoint, kit.going_out(names=names) as egress:
            url = f"http://crm:{endpoint.port}"
            first = asyncio.create_task(egress.http_for((url,), 10).send("GET", url))
            await kit.until(lambda: len(endpoint.requests) == 1)
            names["crm"] = ["127.0.0.2"]
            assert (await egress.http_for((url,), 10).send("GET", url)).status_code == 200
            go_on.set()
            assert (await first).text == "ok"
            await kit.until(lambda: endpoint.open_connections == 1)  # the older client is closed once drained

    asyncio.run(run())


def test_hosts_that_are_wanted_together_share_a_client():
    async def run():
        clients = Clients(max_pins=4)
        homes = await asyncio.gather(*[clients.pin(f"h{n}.example", "127.0.0.1") for n in range(10)])
        assert len(set(map(id, homes))) == 3
        assert max(len(home.pins) for home in homes) == 4
        await clients.close()

    asyncio.run(run())


def test_there_are_never_more_clients_than_allowed_small_ones_are_merged_and_the_oldest_goes():
    async def run():
        clients = Clients(max_pins=2, max_clients=3)
        for n in range(4):  # one by one, so that each gets a client of its own
            await clients.pin(f"h{n}.example", "127.0.0.1")
        assert all(clients.find(f"h{n}.example", "127.0.0.1") for n in range(4))
        for n in range(4, 12):
            (await clients.pin(f"h{n}.example", "127.0.0.1")).used = float(n)
        alive = [n for n in range(12) if clients.find(f"h{n}.example", "127.0.0.1")]
        assert len(alive) <= 6
        assert 11 in alive
        assert clients.find("h11.example", "127.0.0.2") is None
        await clients.close()
        with pytest.raises(HttpError):
            await clients.pin("late.example", "127.0.0.1")

    asyncio.run(run())


def test_a_cancelled_request_leaves_nothing_behind(kit):
    async def run():
        async def script(writer):
            if len(endpoint.requests) == 1:
                await asyncio.Event().wait()
            writer.write(kit.OK)

        async with kit.serve(script) as endpoint, kit.going_out() as egress:
            task = asyncio.create_task(egress.http_for((endpoint.origin,), 10).send("GET", endpoint.origin))
            await kit.until(lambda: len(endpoint.requests) == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await egress.http_for((endpoint.origin,), 10).send("GET", endpoint.origin)).status_code == 200

    asyncio.run(run())
