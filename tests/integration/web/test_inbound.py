"""DESIGN section 7: `POST /in/{source}`: verified, stored, and only then answered; whatever is wrong is a problem
document that tells nobody what was expected."""

import asyncio
import hashlib
import hmac
import json

import httpx
import pytest

from hookrt import Runtime
from hookrt.plugin import Inbound, InboundSettings, InboundSource, Received, Refused, Reply
from hookrt.plugin.manager import load_plugins

SECRET, NEXT = "first-secret-of-the-sender", "second-secret-of-the-sender"

FILE = f"""
sources:
  shop:
    hmac: {{header: X-Signature, secret: [{SECRET}, {NEXT}], max_body: 1KiB}}
  machine:
    token:
      secret: {SECRET}
      type: '"Machine." + body.kind'
      subject: query.unit
      id: headers["x-delivery"]
      respond: {{status: 202, headers: {{content-type: text/xml}}, body: "<Response/>"}}
  odd: {{odd: {{secret: {SECRET}}}}}
hooks:
  ordered:
    on: order.paid
    from: shop
    steps:
      - log: ${{{{ event.data.n }}}}
"""


class OddSettings(InboundSettings):
    """Of a source that is not well."""


class Odd(InboundSource[OddSettings]):
    """Does as the body says."""

    name = "odd"
    made = 0

    def __init__(self) -> None:
        Odd.made += 1

    def receive(self, request: Inbound, settings: OddSettings):
        wish = request.body.decode()
        if wish == "raise":
            raise RuntimeError(f"expected {settings.plain_secrets[0]} and {signature(b'raise')}")
        if wish == "refuse":
            raise Refused("malformed", f"it says {settings.plain_secrets[0]}")
        if wish == "reply":
            return Reply(200, {"content-type": "text/plain"}, request.query.get("challenge", "").encode())
        if wish == "split":
            return Reply(200, {"x": "a\r\nset-cookie: b=c"}, b"")
        if wish == "several":
            return [Received("odd.one", {"n": 1}), Received("odd.two", {"n": 2})]
        if wish == "nothing":
            return []
        if wish == "none":
            return None
        if wish == "url":
            return Received("odd.url", {"url": request.url, "method": request.method, "headers": dict(request.headers)})
        return Received(wish, None)


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def runtime(tmp_path, store_url):
    registry = load_plugins()
    registry.add_source(Odd)
    (tmp_path / "hooks.yaml").write_text(FILE)
    return Runtime.from_file(tmp_path / "hooks.yaml", store=store_url, registry=registry, env={})


async def post(client: httpx.AsyncClient, body: bytes, path="/in/shop", **headers):
    given = {"x-signature": signature(body), "content-type": "application/json", **headers}
    return await client.post(path, content=body, headers=given)


async def events(client: httpx.AsyncClient) -> list[dict]:
    return (await client.get("/v1/events")).json()["items"]


def test_a_verified_request_is_stored_before_it_is_answered(serving, runtime, ended):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            body = b'{ "type": "order.paid", "n": 1.50 }'
            answer = await post(client, body)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
            stored = await runtime.store.event("shop", answer.json()["id"])
            assert stored is not None
            assert (stored.event.content, stored.event.type, stored.event.source) == (body, "order.paid", "shop")
            assert answer.json() == {"id": "sha256:" + hashlib.sha256(body).hexdigest()}
            [delivery] = stored.deliveries
            await ended(client, delivery.id, "succeeded")

    asyncio.run(scenario())


def test_either_secret_verifies_during_a_rotation(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            for secret in (SECRET, NEXT):
                body = json.dumps({"n": len(secret)}).encode()
                answer = await post(client, body, **{"x-signature": signature(body, secret)})
                assert answer.status_code == 200

    asyncio.run(scenario())


def test_a_repeated_delivery_is_answered_like_the_first_and_is_no_event(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            answers = [await post(client, b'{"type":"order.paid","n":1}') for _ in range(3)]
            assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
            assert len(await events(client)) == 1

    asyncio.run(scenario())


def test_a_delivery_id_that_was_seen_is_a_duplicate_whatever_its_body_says_now(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            headers = {"authorization": f"Bearer {SECRET}", "x-delivery": "d1"}
            for retries in range(2):
                body = json.dumps({"kind": "Started", "retries": retries}).encode()
                answer = await post(client, body, "/in/machine?unit=u", **headers)
                assert answer.status_code == 202
            [event] = await events(client)
            assert event["id"] == "d1"

    asyncio.run(scenario())


def test_type_subject_and_id_are_expressions_over_the_request_and_respond_is_the_answer(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            headers = {"authorization": f"Bearer {SECRET}", "x-delivery": "d7"}
            answer = await post(client, b'{"kind":"Started"}', "/in/machine?unit=press%207&unit=x", **headers)
            assert (answer.status_code, answer.text) == (202, "<Response/>")
            assert answer.headers["content-type"] == "text/xml"
            [event] = await events(client)
            assert (event["type"], event["subject"], event["id"]) == ("Machine.Started", "press 7", "d7")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("body", "headers", "part"),
    [
        (b'{"other": 1}', {"x-delivery": "d"}, "type cannot be told: body.kind is missing"),
        (b'{"kind": ["x"]}', {"x-delivery": "d"}, "type cannot be told"),
        (b'{"kind": "x"}', {}, "id cannot be told"),
        (b'{"kind": "a b"}', {"x-delivery": "d"}, "'type' is 'Machine.a b'"),
        (b'{"kind": "' + b"x" * 300 + b'"}', {"x-delivery": "d"}, "'type' must have 1 to 255 characters"),
    ],
)
def test_an_expression_without_a_value_is_malformed_and_says_which(serving, runtime, body, headers, part):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            given = {"authorization": f"Bearer {SECRET}", **headers}
            answer = await post(client, body, "/in/machine?unit=u", **given)
            assert answer.status_code == 400
            assert part in answer.json()["detail"]
            assert await events(client) == []

    asyncio.run(scenario())


def problem(answer: httpx.Response) -> dict:
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    return found


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        (b"{}", {"x-signature": "0" * 64}, 401, "bad-signature"),
        (b"{}", {"x-signature": ""}, 401, "bad-signature"),
        (b"{}", {"x-signature": "é".encode().decode("latin-1")}, 401, "bad-signature"),
        (b"{}", {"x-signature": signature(b"{ }")}, 401, "bad-signature"),
        (b"{", {"x-signature": signature(b"{")}, 400, "malformed"),
        (b"[" * 500, {"x-signature": signature(b"[" * 500)}, 400, "malformed"),
        (b"x" * 1025, {"x-signature": signature(b"x" * 1025)}, 413, "too-large"),
    ],
)
def test_what_is_refused_is_a_problem_that_tells_nothing(serving, runtime, log, body, headers, status, kind):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            answer = await client.post(
                "/in/shop",
                content=body,
                headers={"content-type": "application/json", **{k: v.encode("latin-1") for k, v in headers.items()}},
            )
            found = problem(answer)
            assert (answer.status_code, found["type"]) == (status, f"urn:hookrt:problem:{kind}")
            assert signature(body) not in answer.text
            assert SECRET not in answer.text
            assert await events(client) == []
            return runtime.inbound.accounts()["shop"]

    account = asyncio.run(scenario())
    assert account.outcomes == {kind: 1}
    assert (account.last_refusal, account.last_accepted) == (kind, None)


@pytest.mark.parametrize("name", ["nobody", "", "shop/", "shop/x", "%2e%2e", "SHOP", "http", "shop%00"])
def test_what_no_source_is_named_is_not_found(serving, runtime, name):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            answer = await post(client, b"{}", f"/in/{name}")
            assert problem(answer)["type"] == "urn:hookrt:problem:not-found"
            assert answer.status_code == 404

    asyncio.run(scenario())


def test_another_method_is_refused_with_those_that_are_allowed(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            for method in ("GET", "PUT", "DELETE", "OPTIONS", "PROPFIND"):
                answer = await client.request(method, "/in/shop")
                assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
                problem(answer)
            assert (await client.head("/in/shop")).status_code == 405

    asyncio.run(scenario())


def test_no_token_is_needed_where_the_api_wants_one(serving, runtime):
    from hookrt.web.auth import Token

    async def scenario():
        async with serving(runtime, tokens=(Token.make("t", ["admin"]),)) as (client, _, _):
            assert (await client.get("/v1/sources")).status_code == 401
            headers = {"x-forwarded-for": "203.0.113.7", "origin": "https://else.example", "host": "hooks.example.com"}
            assert (await post(client, b"{}", **headers)).status_code == 200

    asyncio.run(scenario())


def test_a_plugin_that_raises_is_answered_500_and_neither_answer_nor_log_tells_what(serving, runtime, caplog):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            for wish in (b"raise", b"none", b"split"):
                answer = await post(client, wish, "/in/odd")
                assert (answer.status_code, problem(answer)["type"]) == (500, "urn:hookrt:problem:source-failed")
                assert SECRET not in answer.text
                assert signature(b"raise") not in answer.text
            return runtime.inbound.accounts()["odd"].outcomes

    with caplog.at_level("WARNING"):
        assert asyncio.run(scenario()) == {"failed": 3}
    told = " ".join(str(record.msg) for record in caplog.records)
    assert "inbound-failed" in told
    assert "RuntimeError" in told
    assert SECRET not in told
    assert signature(b"raise") not in told


def test_a_secret_in_a_refusal_is_masked(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            assert "it says ***" in (await post(client, b"refuse", "/in/odd")).text

    asyncio.run(scenario())


def test_a_challenge_is_answered_by_the_source_and_is_no_event(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            answer = await post(client, b"reply", "/in/odd?challenge=abc")
            assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "abc", "text/plain")
            assert await events(client) == []

    asyncio.run(scenario())


def test_several_events_of_one_request_are_stored_all_or_none(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            answers = [await post(client, b"several", "/in/odd") for _ in range(2)]
            digest = "sha256:" + hashlib.sha256(b"several").hexdigest()
            assert [answer.json() for answer in answers] == [{"ids": [digest, f"{digest}-1"]}] * 2
            assert sorted(event["type"] for event in await events(client)) == ["odd.one", "odd.two"]
            assert (await post(client, b"nothing", "/in/odd")).status_code == 200

    asyncio.run(scenario())


def test_reserved_types_are_refused(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            assert (await post(client, b"hookrt.delivery.dead", "/in/odd")).status_code == 400

    asyncio.run(scenario())


def test_a_source_sees_the_url_that_the_sender_asked_for(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, server, _):
            await client.post("/in/odd?a=%20b&c", content=b"url", headers=[("X-Twice", "1"), ("x-twice", "2")])
            [event] = await events(client)
            said = (await client.get(f"/v1/events/{event['id']}")).json()["data"]
            assert said["url"] == f"http://127.0.0.1:{server.port}/in/odd?a=%20b&c"
            assert (said["method"], said["headers"]["x-twice"]) == ("POST", "1, 2")

    asyncio.run(scenario())


def test_behind_a_proxy_the_url_is_the_one_that_the_proxy_was_asked_for(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            headers = {"x-forwarded-proto": "https", "x-forwarded-host": "hooks.example.com, inner"}
            await client.post("/in/odd", content=b"url", headers=headers)
            [event] = await events(client)
            said = (await client.get(f"/v1/events/{event['id']}")).json()["data"]
            assert said["url"] == "https://hooks.example.com/in/odd"

    asyncio.run(scenario())


def test_a_request_to_a_stopping_service_is_to_come_again(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            await runtime.stop()
            answer = await post(client, b"{}")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")

    asyncio.run(scenario())
