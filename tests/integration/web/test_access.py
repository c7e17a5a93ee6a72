"""Who gets in, over the wire."""

import asyncio

import pytest

from hookrt.web.auth import Token

TOKENS = (Token.make("emit-1", ["emit"]), Token.make("read-1", ["read"]), Token.make("root-1", ["admin"]))
JSON = {"content-type": "application/json"}


def bearer(value: str) -> dict[str, str]:
    return {**JSON, "authorization": f"Bearer {value}"}


@pytest.mark.parametrize("path", ["/v1/events", "/v1/hooks", "/v1/nothing", "/metrics", "/elsewhere"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "hooks.example.com"},
        {"x-forwarded-for": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
        {"origin": "https://evil.example"},
    ],
)
def test_without_a_token_neither_a_tunnel_nor_a_web_page_opens_it(serving, path, headers):
    async def run():
        async with serving() as (client, _, _):
            assert (await client.get(path, headers=headers)).status_code == 403
            answer = await client.post("/v1/events", json={"type": "A"}, headers=headers)
            assert answer.status_code == 403
            assert "token" in answer.json()["detail"]

    asyncio.run(run())


def test_without_a_token_a_form_cannot_post(serving):
    async def run():
        async with serving() as (client, _, _):
            for path in ("/v1/events", "/v1/deliveries/x/cancel"):
                assert (await client.post(path, data={"a": "b"})).status_code == 415
                assert (await client.post(path, content=b'{"type":"A"}')).status_code == 415

    asyncio.run(run())


def test_health_needs_no_token(serving):
    async def run():
        async with serving(tokens=TOKENS) as (client, _, _):
            for path in ("/healthz", "/readyz", "/", "/openapi.json"):
                answer = await client.get(path, headers={"host": "hooks.example.com", "x-forwarded-for": "1.2.3.4"})
                assert answer.status_code == 200, path
            for path in ("/healthz", "/readyz"):
                assert (await client.head(path)).status_code == 200

    asyncio.run(run())


def test_each_scope_opens_its_routes_and_no_other(serving):
    routes = [
        ("emit-1", "POST", "/v1/events", {"type": "A"}, 202),
        ("emit-1", "GET", "/v1/events", None, 403),
        ("emit-1", "POST", "/v1/explain", {"type": "A"}, 403),
        ("read-1", "GET", "/v1/events", None, 200),
        ("read-1", "POST", "/v1/explain", {"type": "A"}, 200),
        ("read-1", "GET", "/metrics", None, 200),
        ("read-1", "POST", "/v1/events", {"type": "A"}, 403),
        ("read-1", "POST", "/v1/deliveries/x/cancel", {}, 403),
        ("root-1", "POST", "/v1/events", {"type": "A"}, 202),
        ("root-1", "GET", "/v1/hooks", None, 200),
        ("root-1", "POST", "/v1/deliveries/x/cancel", {}, 404),
        ("wrong", "GET", "/v1/hooks", None, 401),
    ]

    async def run():
        async with serving(tokens=TOKENS, metrics=lambda accept: (b"up 1\n", "text/plain")) as (client, _, _):
            for token, method, path, body, status in routes:
                answer = await client.request(method, path, json=body, headers=bearer(token))
                assert answer.status_code == status, (token, method, path, answer.text)

    asyncio.run(run())


def test_with_tokens_a_tokenless_request_on_loopback_is_401_with_a_challenge(serving):
    async def run():
        async with serving(tokens=TOKENS) as (client, _, _):
            for method, path in (("POST", "/v1/events"), ("GET", "/v1/hooks"), ("GET", "/metrics"), ("GET", "/no")):
                answer = await client.request(method, path, headers=JSON)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Bearer")

    asyncio.run(run())


def test_with_a_token_any_host_origin_and_data_type_may_emit(serving):
    async def run():
        async with serving(tokens=TOKENS) as (client, _, _):
            headers = {
                **bearer("emit-1"),
                "host": "hooks.example.com",
                "origin": "https://app.example.com",
                "x-forwarded-for": "203.0.113.9",
                "content-type": "text/plain",
                "ce-specversion": "1.0",
                "ce-id": "1",
                "ce-source": "s",
                "ce-type": "A",
            }
            assert (await client.post("/v1/events", content=b"hello", headers=headers)).status_code == 202

    asyncio.run(run())


def test_no_answer_allows_another_origin_or_names_the_server(serving):
    async def run():
        async with serving() as (client, _, _):
            for answer in [
                await client.options("/v1/events", headers={"origin": "https://evil.example"}),
                await client.get("/v1/hooks"),
                await client.post("/v1/events", json={"type": "A"}),
            ]:
                assert not [name for name in answer.headers if name.startswith("access-control-")]
                assert "server" not in answer.headers

    asyncio.run(run())
