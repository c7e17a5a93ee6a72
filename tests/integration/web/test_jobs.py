"""Replays and cancellations of many over HTTP: a job, its progress, and what it made."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from hookrt import Runtime
from hookrt.model.delivery import Status
from hookrt.model.policy import NO_RETRY, RetryPolicy
from hookrt.plugin import Outcome
from hookrt.web.auth import Token

TOKENS = (Token.make("emit-1", ["emit"]), Token.make("read-1", ["read"]), Token.make("root-1", ["admin"]))


class Flaky:
    """A hook that fails until it is told not to, and keeps the message ids that it saw."""

    def __init__(self, runtime: Runtime, name: str = "flaky", retry: RetryPolicy = NO_RETRY) -> None:
        self.outcome = Outcome.reject("nope")
        self.seen: list[tuple[str, str]] = []

        @runtime.on("A.*", name=name, retry=retry)
        async def run(event, call):
            self.seen.append((event.id, call.message_id))
            return self.outcome


@pytest.fixture
def finished():
    """Waits until a job is final, asking the service."""

    async def wait(client, job, headers=None) -> dict:
        async with asyncio.timeout(30):
            while True:
                shown = (await client.get(f"/v1/jobs/{job['id']}", headers=headers)).json()
                if shown["status"] not in {"queued", "running"}:
                    return shown
                await asyncio.sleep(0.01)

    return wait


@asynccontextmanager
async def all_dead(serving, count: int, store: str = "memory:"):
    """A service with a flaky hook and so many deliveries to it, all dead: their ids."""
    runtime = Runtime(store=store)
    flaky = Flaky(runtime)
    async with serving(runtime) as (client, _, _):
        receipts = [await runtime.emit("A.B", {"n": n}) for n in range(count)]
        ended = [await receipt.wait(20) for receipt in receipts]
        assert {delivery.status.value for one in ended for delivery in one} == {"dead"}
        yield client, runtime, flaky, [delivery.id for one in ended for delivery in one]


def made_at(event: str) -> str:
    """The time in ms that an id begins with, as text that sorts like it; within one the order of ids is chance."""
    return event.removeprefix("evt_")[:10]


async def all_settled(runtime: Runtime) -> None:
    async with asyncio.timeout(30):
        while True:
            counts = await runtime.store.counts()
            if not any(count for status, count in counts.items() if not status.final):
                return
            await asyncio.sleep(0.01)


def test_a_replay_by_filter_is_a_job_that_replays_each_delivery_once(serving, store_url, finished):
    async def run():
        async with all_dead(serving, 250, store_url) as (client, runtime, flaky, dead):
            flaky.outcome = Outcome.done()
            answer = await client.post("/v1/deliveries/replay", json={"hook": "flaky"})
            assert answer.status_code == 202
            job = answer.json()
            assert (job["kind"], job["status"], job["total"]) == ("deliveries.replay", "queued", 250)
            ended = await finished(client, job)
            assert (ended["status"], ended["done"], ended["skipped"], ended["failed"]) == ("done", 250, 0, 0)
            await all_settled(runtime)
            items = (await client.get("/v1/deliveries", params={"status": "succeeded", "limit": 500})).json()["items"]
            assert sorted(item["replay_of"] for item in items) == sorted(dead)
            assert len(set(flaky.seen)) == 250, "the message ids are those of the first deliveries"
            made = [made_at(event) for event, _ in flaky.seen]
            assert made[:250] == sorted(made[:250]), "they were delivered in the order in which they were made"

    asyncio.run(run())


def test_a_second_replay_passes_over_what_was_replayed_unless_again(serving, finished):
    async def run():
        async with all_dead(serving, 3) as (client, runtime, flaky, _):
            flaky.outcome = Outcome.done()
            totals = []
            for again in (False, False, True):
                body = {"status": ["dead"], "again": again}
                job = (await client.post("/v1/deliveries/replay", json=body)).json()
                totals.append((await finished(client, job))["done"])
            assert totals == [3, 0, 3]
            await all_settled(runtime)
            assert len(flaky.seen) == 9
            assert len(set(flaky.seen)) == 3

    asyncio.run(run())


def test_a_job_never_meets_what_it_makes_itself(serving, finished):
    async def run():
        async with all_dead(serving, 120) as (client, runtime, flaky, _):
            # its replays die at once, too, while it goes on
            body = {"status": ["dead"], "again": True}
            job = await finished(client, (await client.post("/v1/deliveries/replay", json=body)).json())
            assert (job["total"], job["done"]) == (120, 120)
            await all_settled(runtime)
            assert len(flaky.seen) == 240

    asyncio.run(run())


def test_a_new_message_id_is_another_for_each_delivery(serving, finished):
    async def run():
        async with all_dead(serving, 3) as (client, runtime, flaky, _):
            body = {"hook": "flaky", "new_message_id": True, "from": "start"}
            await finished(client, (await client.post("/v1/deliveries/replay", json=body)).json())
            await all_settled(runtime)
            assert len({message for _, message in flaky.seen}) == 6

    asyncio.run(run())


def test_a_rate_is_kept_and_the_job_can_be_cancelled_in_the_middle(serving):
    async def run():
        async with all_dead(serving, 40) as (client, runtime, _, _):
            job = (await client.post("/v1/deliveries/replay", json={"hook": "flaky", "rate": "3/m"})).json()
            assert job["request"] == {"status": ["dead"], "hook": "flaky", "rate": "0.05/s"}
            async with asyncio.timeout(20):
                while (shown := (await client.get(f"/v1/jobs/{job['id']}")).json())["done"] == 0:
                    await asyncio.sleep(0.01)
            assert (shown["status"], shown["done"]) == ("running", 1), "20 seconds to the next one"
            answer = await client.post(f"/v1/jobs/{job['id']}/cancel", json={})
            assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
            again = await client.post(f"/v1/jobs/{job['id']}/cancel", json={})
            assert (again.status_code, again.json()["detail"]) == (409, f"the job {job['id']} is cancelled already")
            await all_settled(runtime)
            assert len((await client.get("/v1/deliveries", params={"limit": 500})).json()["items"]) == 41

    asyncio.run(run())


def test_what_cannot_be_replayed_is_counted_and_named(serving, finished):
    async def run():
        async with all_dead(serving, 25) as (client, runtime, flaky, [first, *_]):
            runtime.router.remove("flaky")
            job = await finished(client, (await client.post("/v1/deliveries/replay", json={"hook": "flaky"})).json())
            assert (job["status"], job["done"], job["failed"], len(job["errors"])) == ("done", 0, 25, 20)
            assert job["errors"][0]["of"] == first
            assert "no hook 'flaky' any more" in job["errors"][0]["message"]
            assert len(flaky.seen) == 25

    asyncio.run(run())


def test_a_filter_cancels_only_what_it_matches(serving, finished):
    async def run():
        runtime = Runtime(store="memory:")
        slow = RetryPolicy("slow", (timedelta(hours=1),) * 3)
        waits, other = Flaky(runtime, "waits", slow), Flaky(runtime, "other", slow)
        waits.outcome, other.outcome = Outcome.retry("busy"), Outcome.retry("busy")
        async with serving(runtime) as (client, _, _):
            for _ in range(130):
                await runtime.emit("A.B")
            async with asyncio.timeout(20):
                while (await runtime.store.counts())[Status.WAITING] < 260:
                    await asyncio.sleep(0.01)
            answer = await client.post("/v1/deliveries/cancel", json={"hook": "waits", "reason": "busy"})
            job = await finished(client, answer.json())
            assert (answer.status_code, job["kind"]) == (202, "deliveries.cancel")
            assert (job["total"], job["done"], job["status"]) == (130, 130, "done")
            counts = await runtime.store.counts()
            assert (counts[Status.CANCELLED], counts[Status.WAITING]) == (130, 130)
            [one] = (await client.get("/v1/deliveries", params={"hook": "waits", "limit": 1})).json()["items"]
            assert (one["status"], one["reason"]) == ("cancelled", "cancelled-by-hand")

    asyncio.run(run())


@pytest.mark.parametrize("route", ["replay", "cancel"])
def test_a_forgotten_filter_does_not_mean_all(serving, route):
    async def run():
        async with serving(Runtime(store="memory:")) as (client, _, _):
            for body in ({}, {"rate": "5/s"}, {"dry_run": True}):
                answer = await client.post(f"/v1/deliveries/{route}", json=body)
                assert (answer.status_code, "at least one" in answer.json()["detail"]) == (400, True)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("route", "body", "word"),
    [
        ("deliveries/replay", {"hook": "a", "rate": "fast"}, "100/s"),
        ("deliveries/replay", {"hook": "a", "since": "yesterday"}, "24h"),
        ("deliveries/replay", {"hook": "a", "since": "2026-01-31T12:00:00"}, "zone"),
        ("deliveries/replay", {"hook": "a", "since": 5}, "24h"),
        ("deliveries/replay", {"status": ["pending"]}, "dead"),
        ("deliveries/replay", {"hook": "a", "reasn": "x"}, "did you mean 'reason'"),
        ("deliveries/cancel", {"status": ["dead"]}, "pending"),
        ("events/replay", {"since": "24h"}, "hook"),
    ],
)
def test_what_cannot_be_understood_says_how_to_write_it(serving, route, body, word):
    async def run():
        async with serving(Runtime(store="memory:")) as (client, _, _):
            answer = await client.post(f"/v1/{route}", json=body)
            assert answer.status_code == 400
            assert word in answer.json()["detail"]
            assert (await client.get("/v1/jobs")).json() == {"items": [], "next": None}

    asyncio.run(run())


def test_a_dry_run_names_what_it_would_touch_and_changes_nothing(serving):
    async def run():
        async with all_dead(serving, 30) as (client, _, flaky, dead):
            body = {"hook": "flaky", "dry_run": True, "limit": 5}
            answer = await client.post("/v1/deliveries/replay", json=body)
            assert (answer.status_code, answer.json()["total"]) == (200, 30)
            assert [item["id"] for item in answer.json()["items"]] == dead[:5]
            assert (await client.get("/v1/jobs")).json()["items"] == []
            assert len(flaky.seen) == 30

    asyncio.run(run())


def test_each_route_wants_its_scope(serving):
    routes = [
        ("GET", "/v1/jobs", None, "read-1", 200),
        ("GET", "/v1/jobs/job_none", None, "read-1", 404),
        ("GET", "/v1/deliveries/tail?wait=0", None, "read-1", 200),
        ("POST", "/v1/jobs/job_none/cancel", {}, "root-1", 404),
        ("POST", "/v1/deliveries/replay", {"reason": "a"}, "root-1", 202),
        ("POST", "/v1/deliveries/replay", {"reason": "a", "dry_run": True}, "read-1", 200),
        ("POST", "/v1/deliveries/cancel", {"reason": "a"}, "root-1", 202),
        ("POST", "/v1/events/replay", {"hook": "none"}, "root-1", 404),
    ]

    async def run():
        async with serving(Runtime(store="memory:"), tokens=TOKENS) as (client, _, _):
            for method, path, body, right, status in routes:
                for token in ("emit-1", "read-1", "root-1"):
                    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
                    answer = await client.request(method, path, json=body, headers=headers)
                    allowed = token in {right, "root-1"}
                    assert answer.status_code == (status if allowed else 403), (token, method, path, answer.text)
                unknown = await client.request(method, path, json=body)
                assert unknown.status_code == 401

    asyncio.run(run())


def test_openapi_describes_every_new_route(serving):
    async def run():
        async with serving(Runtime(store="memory:")) as (client, _, _):
            document = (await client.get("/openapi.json")).json()
            paths = {path for path in document["paths"] if "job" in path or path.endswith(("/replay", "/tail"))}
            assert {
                "/v1/jobs",
                "/v1/jobs/{job_id}",
                "/v1/jobs/{job_id}/cancel",
                "/v1/deliveries/replay",
                "/v1/deliveries/tail",
                "/v1/events/replay",
            } <= paths
            assert {"JobShown", "ReplayAsked", "CancelAsked", "EventsDryRun", "NewsShown"} <= set(
                document["components"]["schemas"]
            )

    asyncio.run(run())
