"""What the routes of many are asked wrongly: refused before anything is stored, in words for people."""

import asyncio
from dataclasses import replace

import pytest

from hookrt import Runtime
from hookrt.model.job import Job, JobKind, JobStatus, Progress
from hookrt.model.policy import NO_RETRY
from hookrt.plugin import Outcome
from hookrt.web.auth import Token

TOKENS = (Token.make("emit-1", ["emit"]), Token.make("read-1", ["read"]), Token.make("root-1", ["admin"]))
ROUTES = ("deliveries/replay", "deliveries/cancel", "events/replay")
JSON = {"content-type": "application/json"}


def make_runtime() -> Runtime:
    runtime = Runtime(store="memory:")

    @runtime.on("A.*", name="x", retry=NO_RETRY)
    async def run(event, call):
        return Outcome.reject("nope")

    return runtime


async def assert_no_jobs(client) -> None:
    answer = await client.get("/v1/jobs")
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("span", [{"until": "9999-12-31T23:59:59-14:00"}, {"since": "0001-01-01T00:00:00+14:00"}])
def test_a_time_outside_the_calendar_is_refused_before_anything_is_stored(serving, route, span):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            answer = await client.post(f"/v1/{route}", json={"hook": "x", **span})
            assert (answer.status_code, "years 1 to 9999" in answer.json()["detail"]) == (400, True)
            await assert_no_jobs(client)

    asyncio.run(run())


@pytest.mark.parametrize(
    "request_", [b'{"hook":"x","until_us":253402351199000000}', b"no JSON", b"[]", b'{"rate":"a"}']
)
def test_the_list_of_jobs_survives_a_row_that_it_cannot_show(serving, request_):
    async def run():
        runtime = make_runtime()
        async with serving(runtime) as (client, _, _):
            now_us = runtime.store.now_us()
            job = Job("job_a", JobKind.CANCEL_DELIVERIES, JobStatus.DONE, request_, Progress(), now_us, now_us)
            await runtime.store.jobs.add(job)
            await runtime.store.jobs.add(replace(job, id="job_b", request=b'{"hook":"x"}'))
            answer = await client.get("/v1/jobs")
            assert answer.status_code == 200
            assert [item["id"] for item in answer.json()["items"]] == ["job_b", "job_a"]
            assert (await client.get("/v1/jobs/job_a")).status_code == 200

    asyncio.run(run())


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        rb'{"hook":"\ud800"}',
        rb'{"hook":"x","reason":"\ud800","dry_run":true}',
        rb'{"hook":"x","type":"\ud800"}',
        rb'{"hook":"x","source":"\uDFFF"}',
        rb'{"hook":"x","\ud800":1}',
    ],
)
def test_half_of_a_surrogate_pair_is_bad_input(serving, route, body):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            answer = await client.post(f"/v1/{route}", content=body, headers=JSON)
            assert (answer.status_code, answer.json()["type"]) == (400, "urn:hookrt:problem:request-invalid")
            assert "half of a surrogate pair" in answer.json()["detail"]
            await assert_no_jobs(client)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("route", "body", "detail"),
    [
        ("deliveries/replay", {"status": ["gone"]}, "status: it must be 'dead', 'cancelled' or 'succeeded'"),
        ("deliveries/replay", {"status": "dead"}, "status: it must be a list"),
        ("deliveries/replay", {"status": []}, "status: it must have 1 item or more"),
        ("deliveries/replay", {"hook": 5}, "hook: it must be text"),
        ("deliveries/replay", {"hook": "x", "limit": "a"}, "limit: it must be a whole number"),
        ("deliveries/replay", {"hook": "x", "limit": 101}, "limit: it must be 100 or less"),
        ("deliveries/replay", {"hook": "x", "limit": -1}, "limit: it must be 0 or more"),
        ("deliveries/replay", {"hook": "x", "dry_run": "perhaps"}, "dry_run: it must be true or false"),
        ("deliveries/replay", {}, "body: name at least one of hook, status, reason, since and until"),
        ("events/replay", {"since": "24h"}, "hook: it must be given"),
        ("events/replay", [], "body: it must be a JSON object"),
    ],
)
def test_what_is_wrong_is_said_in_words_for_people(serving, route, body, detail):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            answer = await client.post(f"/v1/{route}", json=body)
            assert (answer.status_code, answer.json()["detail"]) == (400, detail)

    asyncio.run(run())


def test_a_bad_rate_is_told_without_the_words_of_the_library(serving):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            answer = await client.post("/v1/deliveries/replay", json={"hook": "x", "rate": "fast"})
            assert answer.status_code == 400
            assert "Value error" not in answer.json()["detail"]

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/v1/deliveries", "/v1/events"])
def test_the_lists_take_how_long_ago_as_the_routes_of_many_do(serving, path):
    async def run():
        runtime = make_runtime()
        async with serving(runtime) as (client, _, _):
            await runtime.emit("A.B")
            found = await client.get(path, params={"since": "24h"})
            assert (found.status_code, len(found.json()["items"])) == (200, 1)
            assert (await client.get(path, params={"until": "24h"})).json()["items"] == []
            refused = await client.get(path, params={"since": "soon"})
            assert (refused.status_code, "24h" in refused.json()["detail"]) == (400, True)
            late = await client.get(path, params={"until": "9999-12-31T23:59:59-14:00"})
            assert late.status_code == 400

    asyncio.run(run())


@pytest.mark.parametrize(
    ("method", "path", "body", "word"),
    [
        ("GET", "/v1/jobs?status=running", None, "status"),
        ("POST", "/v1/deliveries/cancel", {"hook": "x", "type": "A"}, "type"),
        ("POST", "/v1/deliveries/cancel", {"hook": "x", "source": "A"}, "source"),
        ("POST", "/v1/events/replay", {"hook": "x", "reason": "A"}, "reason"),
    ],
)
def test_no_hint_suggests_the_same_word_or_one_that_the_route_does_not_know(serving, method, path, body, word):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            answer = await client.request(method, path, json=body, headers=JSON)
            detail = answer.json()["detail"]
            assert (answer.status_code, detail.startswith(f"{word}: unknown")) == (400, True)
            assert f"'{word}'" not in detail

    asyncio.run(run())


@pytest.mark.parametrize("route", ["replay", "cancel"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_hook_that_never_was_is_not_found(serving, route, dry_run):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            answer = await client.post(f"/v1/deliveries/{route}", json={"hook": "none", "dry_run": dry_run})
            assert (answer.status_code, "'none'" in answer.json()["detail"]) == (404, True)
            await assert_no_jobs(client)

    asyncio.run(run())


def test_a_removed_hook_with_deliveries_is_still_found(serving):
    async def run():
        runtime = make_runtime()
        async with serving(runtime) as (client, _, _):
            await (await runtime.emit("A.B")).wait(20)
            runtime.router.remove("x")
            for route in ("replay", "cancel"):
                assert (await client.post(f"/v1/deliveries/{route}", json={"hook": "x"})).status_code == 202

    asyncio.run(run())


@pytest.mark.parametrize("cursor", ["x", "job_", "job_é", "evt_00000000000000000000000000"])
def test_a_wrong_cursor_of_jobs_is_refused_like_that_of_other_lists(serving, cursor):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            answer = await client.get("/v1/jobs", params={"cursor": cursor})
            assert (answer.status_code, answer.json()["detail"].startswith("cursor: ")) == (400, True)

    asyncio.run(run())


def test_the_cursor_that_a_page_of_jobs_gives_leads_to_the_next(serving):
    async def run():
        async with serving(make_runtime()) as (client, _, _):
            made = [(await client.post("/v1/deliveries/cancel", json={"hook": "x"})).json()["id"] for _ in range(3)]
            page = (await client.get("/v1/jobs", params={"limit": 2})).json()
            rest = (await client.get("/v1/jobs", params={"cursor": page["next"]})).json()
            assert [item["id"] for item in (*page["items"], *rest["items"])] == made[::-1]

    asyncio.run(run())


@pytest.mark.parametrize("route", ROUTES)
def test_a_dry_run_only_reads_so_that_a_token_to_read_is_enough(serving, route):
    cases = [
        ("emit-1", {"hook": "x", "dry_run": True}, 403),
        ("read-1", {"hook": "x", "dry_run": True}, 200),
        ("root-1", {"hook": "x", "dry_run": True}, 200),
        ("read-1", {"hook": "x", "dry_run": False}, 403),
        ("read-1", {"hook": "x"}, 403),
        ("read-1", {"hook": "x", "dry_run": "false"}, 403),
        ("read-1", [True], 403),
    ]

    async def run():
        async with serving(make_runtime(), tokens=TOKENS) as (client, _, _):
            for token, body, status in cases:
                answer = await client.post(f"/v1/{route}", json=body, headers={"authorization": f"Bearer {token}"})
                assert answer.status_code == status, (token, body, answer.text)
            twice = b'{"hook":"x","dry_run":true,"dry_run":false}'
            headers = {"authorization": "Bearer read-1", **JSON}
            assert (await client.post(f"/v1/{route}", content=twice, headers=headers)).status_code == 403
            listed = await client.get("/v1/jobs", headers={"authorization": "Bearer read-1"})
            assert listed.json()["items"] == []

    asyncio.run(run())
