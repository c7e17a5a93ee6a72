"""Every error is a problem document, and none shows a traceback."""

import asyncio
from datetime import timedelta

import pytest

from hookrt.errors import Overloaded
from hookrt.runtime import Runtime
from hookrt.store.contract import EventQuery
from hookrt.web.auth import Token


def problem(answer) -> dict:
    assert answer.headers["content-type"] == "application/problem+json"
    shown = answer.json()
    assert shown["type"].startswith("urn:hookrt:problem:")
    assert shown["status"] == answer.status_code
    assert shown["title"]
    assert shown["detail"]
    assert "Traceback" not in answer.text
    return shown


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/events/none", 404),
        ("GET", "/v1/deliveries/none", 404),
        ("GET", "/v1/hooks/none", 404),
        ("GET", "/docs", 404),
        ("GET", "/metrics", 404),
        ("GET", "/v1/events/", 404),
        ("POST", "/v1/deliveries/none/replay", 404),
        ("POST", "/v1/deliveries/none/retry", 404),
        ("POST", "/v1/deliveries/none/cancel", 404),
        ("PUT", "/v1/events", 405),
        ("DELETE", "/v1/hooks", 405),
        ("HEAD", "/v1/hooks", 405),
    ],
)
def test_what_is_not_there_is_a_problem_document(serving, method, path, status):
    async def run():
        async with serving() as (client, _, _):
            answer = await client.request(method, path, headers={"content-type": "application/json"})
            assert answer.status_code == status
            if method != "HEAD":
                problem(answer)
            if status == 405:
                assert answer.headers["allow"] == ("GET, POST" if path == "/v1/events" else "GET")

    asyncio.run(run())


@pytest.mark.parametrize("scope", [None, "emit"])
def test_a_post_to_the_ingest_route_with_a_slash_behind_it_names_the_route(serving, scope):
    async def run():
        headers = {"content-type": "application/json", "authorization": "Bearer word"}
        async with serving(tokens=[Token.make("word", [scope])] if scope else ()) as (client, _, runtime):
            answer = await client.post("/v1/events/", content=b'{"type": "A.B"}', headers=headers)
            assert answer.status_code == 404
            assert "the route is /v1/events, without the slash" in problem(answer)["detail"]
            assert (await runtime.store.events(EventQuery())).items == ()

    asyncio.run(run())


def test_a_slash_behind_the_ingest_route_opens_nothing(serving):
    async def run():
        async with serving(tokens=[Token.make("word", ["read"])]) as (client, _, _):
            assert (await client.post("/v1/events/", json={"type": "A"})).status_code == 401
            headers = {"authorization": "Bearer word"}
            assert (await client.post("/v1/events/", json={"type": "A"}, headers=headers)).status_code == 403

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v1/deliveries?statu=dead", ["unknown, did you mean 'status'?"]),
        ("/v1/deliveries?status=gone&limit=0", ["status", "limit"]),
        ("/v1/events?limit=100000", ["limit"]),
        ("/v1/events?since=yesterday", ["since"]),
        ("/v1/events?since=2026-01-01T00:00:00", ["since", "zone"]),
        ("/v1/events?cursor=nonsense", ["cursor"]),
        ("/v1/deliveries?cursor=nonsense", ["cursor"]),
        ("/v1/hooks?hook=x", ["hook"]),
    ],
)
def test_a_bad_query_names_each_parameter(serving, path, names):
    async def run():
        async with serving() as (client, _, _):
            answer = await client.get(path)
            assert answer.status_code == 400
            detail = problem(answer)["detail"]
            for name in names:
                assert name in detail

    asyncio.run(run())


@pytest.mark.parametrize("body", [b"{", b'{"from":"end"}', b'{"frm":"start"}', b"[" * 1000, b"\xff", b'"x"'])
def test_a_bad_body_is_a_problem_document(serving, body):
    async def run():
        async with serving() as (client, _, _):
            headers = {"content-type": "application/json"}
            answer = await client.post("/v1/deliveries/none/replay", content=body, headers=headers)
            assert answer.status_code == 400
            problem(answer)

    asyncio.run(run())


class Broken(Runtime):
    """A runtime with a fault that nobody foresaw."""

    async def accept(self, drafts, *, default_source="http"):
        raise ZeroDivisionError("the secret plan")

    def explain(self, event):
        raise ZeroDivisionError("the secret plan")


@pytest.mark.parametrize("path", ["/v1/events", "/v1/explain"])
def test_an_unexpected_error_is_500_with_an_id_that_is_logged(serving, store_url, log, path, caplog):
    async def run():
        async with serving(Broken(store=store_url)) as (client, _, _):
            answer = await client.post(path, json={"type": "A"})
            assert answer.status_code == 500
            shown = problem(answer)
            assert "secret plan" not in answer.text
            [(event, fields)] = log.lines
            assert (event, fields["error_id"]) == ("request-failed", shown["error_id"])

    asyncio.run(run())
    assert not caplog.records


class Busy(Runtime):
    """A runtime that can take no more."""

    async def accept(self, drafts, *, default_source="http"):
        raise Overloaded("the limit is reached", timedelta(seconds=7))


def test_503_with_retry_after_when_nothing_more_can_be_taken(serving, store_url):
    async def run():
        async with serving(Busy(store=store_url)) as (client, _, _):
            for body in ({"type": "A"}, [{"type": "A"}]):
                answer = await client.post("/v1/events", json=body)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
                assert problem(answer)["detail"] == "the limit is reached"

    asyncio.run(run())


def test_openapi_describes_every_route(serving):
    async def run():
        async with serving() as (client, _, _):
            document = (await client.get("/openapi.json")).json()
            assert set(document["paths"]) >= {
                "/v1/events",
                "/v1/events/{event_id}",
                "/v1/deliveries",
                "/v1/deliveries/{delivery_id}",
                "/v1/deliveries/{delivery_id}/replay",
                "/v1/deliveries/{delivery_id}/retry",
                "/v1/deliveries/{delivery_id}/cancel",
                "/v1/hooks",
                "/v1/hooks/{name}",
                "/v1/explain",
                "/v1/plugins",
                "/v1/sources",
                "/healthz",
                "/readyz",
                "/metrics",
            }
            post = document["paths"]["/v1/events"]["post"]
            assert set(post["responses"]) >= {"202", "400", "409", "413", "415", "503"}
            described = [path for path, item in document["paths"].items() if "'422'" in str(item)]
            assert described == ["/v1/hooks/{name}/test"], "invalid input is a 400; this one is a failed test"
            _resolve_all(document, document)

    asyncio.run(run())


def _resolve_all(document: dict, node: object) -> None:
    """Every `$ref` in the document points at something."""
    if isinstance(node, dict):
        if "$ref" in node:
            found = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
        for value in node.values():
            _resolve_all(document, value)
    elif isinstance(node, list):
        for value in node:
            _resolve_all(document, value)


def test_a_body_that_is_no_json_says_so_and_where(serving):
    async def run():
        async with serving() as (client, _, _):
            headers = {"content-type": "application/json"}
            answer = await client.post("/v1/deliveries/none/replay", headers=headers, content=b'{"from":')
            shown = problem(answer)
            assert answer.status_code == 400
            words = "body: the JSON is malformed: it ends too early: expecting value (line 1, column 9, byte 8)"
            assert shown["detail"] == words

    asyncio.run(run())
