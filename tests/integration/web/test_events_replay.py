"""Recorded events through a hook as it is now: what would be sent, and the deliveries that are made."""

import asyncio
import json

import pytest

from hookrt import Runtime

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOKS = """
destinations:
  crm: {{url: "{url}", signing_secret: "${{{{ secrets.KEY }}}}", headers: {{x-team: "${{{{ secrets.TEAM }}}}"}}}}
hooks:
  {name}:
    on: Order.*
    when: event.data.total > 10
    steps:
      - webhook: {{to: crm, path: /orders, body: {{n: "${{{{ event.data.total }}}}", team: "${{{{ secrets.TEAM }}}}"}}}}
      - log: {{message: "sent ${{{{ event.id }}}}"}}
      - webhook: {{to: crm, body: "${{{{ steps.webhook.output.status }}}}"}}
"""


class Sink:
    """An endpoint that counts."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                headers = {"": line.decode()}
                while (line := await reader.readline()).strip():
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append((headers, body))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        finally:
            writer.close()


@pytest.fixture
def with_hook(serving, tmp_path, store_url):
    """Serves a store that holds six orders from before the hook was there; runs a scenario on it."""

    def run(scenario, name: str = "orders") -> None:
        async def go() -> None:
            async with Runtime(store=store_url) as before:
                for total in (5, 15, 25):
                    await before.emit("Order.Paid", {"total": total}, id=f"paid-{total}")
                await before.emit("Order.Lost", {}, id="lost")
                await before.emit("User.Created", {}, id="user")
            sink = Sink()
            server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            path = tmp_path / "hooks.yaml"
            path.write_text(HOOKS.format(url=url, name=name))
            env = {"HOOKRT_SECRET_KEY": SECRET, "HOOKRT_SECRET_TEAM": "blue-team-47"}
            runtime = Runtime.from_file(path, store=store_url, env=env)
            async with server, serving(runtime) as (client, _, _):
                await scenario(client, runtime, sink)

        asyncio.run(go())

    return run


async def finish(client, job) -> dict:
    async with asyncio.timeout(30):
        while (shown := (await client.get(f"/v1/jobs/{job['id']}")).json())["status"] in {"queued", "running"}:
            await asyncio.sleep(0.01)
    return shown


async def settle(runtime) -> None:
    async with asyncio.timeout(30):
        while any(count for status, count in (await runtime.store.counts()).items() if not status.final):
            await asyncio.sleep(0.01)


def test_a_dry_run_shows_which_would_fire_and_what_would_be_sent_and_changes_nothing(with_hook):
    async def scenario(client, runtime, sink):
        answer = await client.post("/v1/events/replay", json={"hook": "orders", "since": "1h", "dry_run": True})
        assert answer.status_code == 200
        shown = answer.json()
        assert {key: shown[key] for key in ("total", "delivered", "looked_at", "fires", "reasons")} == {
            "total": 5,
            "delivered": 0,
            "looked_at": 5,
            "fires": 2,
            "reasons": {"condition": 1, "unanswerable": 1, "type": 1},
        }
        assert [item["event"]["id"] for item in shown["items"]] == ["paid-15", "paid-25"]
        sent, logged, later = shown["items"][0]["steps"]
        request = sent["request"]
        assert (request["method"], request["url"].rpartition("/")[2]) == ("POST", "orders")
        assert json.loads(request["body"]) == {"n": 15, "team": "***"}
        assert request["headers"]["webhook-signature"] == "***"
        assert request["headers"]["webhook-id"].startswith("msg_")
        assert "blue-team-47" not in answer.text
        assert SECRET.removeprefix("whsec_") not in answer.text
        assert (logged["step"], logged["request"], logged["settings"]["message"]) == ("log", None, "sent paid-15")
        assert "depends on what the steps before it give" in later["note"]
        assert sink.requests == []
        assert (await client.get("/v1/deliveries")).json()["items"] == []
        assert (await client.get("/v1/jobs")).json()["items"] == []

    with_hook(scenario)


def test_the_real_run_makes_what_the_dry_run_showed_with_the_same_message_ids(with_hook):
    async def scenario(client, runtime, sink):
        body = {"hook": "orders", "type": "Order.Paid"}
        dry = (await client.post("/v1/events/replay", json={**body, "dry_run": True})).json()
        answer = await client.post("/v1/events/replay", json=body)
        assert answer.status_code == 202
        job = await finish(client, answer.json())
        assert (job["status"], job["total"], job["done"], job["skipped"]) == ("done", 3, 2, 1)
        await settle(runtime)
        shown = [item["steps"][0]["request"]["headers"]["webhook-id"] for item in dry["items"]]
        sent = [headers["webhook-id"] for headers, _ in sink.requests if "/orders" in headers[""]]
        assert sorted(sent) == sorted(shown)
        deliveries = (await client.get("/v1/deliveries")).json()["items"]
        assert {item["replay_of"] for item in deliveries} == {job["id"]}
        assert {item["status"] for item in deliveries} == {"succeeded"}

    with_hook(scenario)


def test_an_event_with_a_delivery_for_the_hook_is_passed_over_unless_again(with_hook):
    async def scenario(client, runtime, sink):
        counts = []
        for again in (False, False, True):
            answer = await client.post("/v1/events/replay", json={"hook": "orders", "again": again})
            counts.append((await finish(client, answer.json()))["done"])
        assert counts == [2, 0, 2]
        await settle(runtime)
        dry = (await client.post("/v1/events/replay", json={"hook": "orders", "dry_run": True})).json()
        assert (dry["total"], dry["delivered"], dry["fires"]) == (5, 2, 0)
        ids = [headers["webhook-id"] for headers, _ in sink.requests if "/orders" in headers[""]]
        assert (len(ids), len(set(ids))) == (4, 2)

    with_hook(scenario)


def test_a_repeated_event_is_still_answered_with_its_first_deliveries(with_hook):
    async def scenario(client, runtime, sink):
        answer = await client.post("/v1/events/replay", json={"hook": "orders"})
        await finish(client, answer.json())
        receipt = await runtime.emit("Order.Paid", {"total": 15}, id="paid-15")
        assert (receipt.duplicate, receipt.deliveries) == (True, ())

    with_hook(scenario)


def test_a_hook_that_is_not_there_is_named(with_hook):
    async def scenario(client, runtime, sink):
        for dry_run in (True, False):
            answer = await client.post("/v1/events/replay", json={"hook": "none", "dry_run": dry_run})
            assert (answer.status_code, answer.json()["detail"]) == (404, "no hook is named 'none'")

    with_hook(scenario)


def test_a_job_whose_hook_goes_away_fails_and_says_so(with_hook):
    async def scenario(client, runtime, sink):
        answer = await client.post("/v1/events/replay", json={"hook": "orders", "rate": "60/m"})
        runtime.router.remove("orders")
        job = await finish(client, answer.json())
        assert (job["status"], job["errors"][-1]["of"]) == ("failed", None)
        assert "no hook 'orders' any more" in job["errors"][-1]["message"]

    with_hook(scenario)
