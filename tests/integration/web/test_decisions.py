"""`POST /v1/decisions`: the same guards as for events, and what the hooks say as the answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hookrt.observability.metrics import Metrics
from hookrt.runtime import Runtime
from hookrt.web.auth import Token

TOKENS = (Token.make("emit-1", ["emit"]), Token.make("read-1", ["read"]), Token.make("root-1", ["admin"]))
HOOKS = """
sources:
  logto: {logto: {secret: whsec_abcdefgh}}
hooks:
  adults:
    on: PreRegister
    mode: decide
    when: event.data.age < 18
    steps: [{log: hm}]
  ordinary:
    on: PreRegister
    steps: [{log: registered}]
"""


def made(tmp_path: Path, **options: Any) -> Runtime:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    return Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env={}, **options)


def test_a_decision_is_asked_for_and_shown(serving: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(made(tmp_path)) as (client, _, _):
            answer = await client.post("/v1/decisions", json={"type": "PreRegister", "data": {"age": 18}})
            assert answer.status_code == 200
            shown = answer.json()
            assert (shown["decision"], shown["data"], shown["hooks"]) == ("allow", {"age": 18}, [])
            asked = {"type": "PreRegister", "data": {"age": 3}, "timeout": 20, "subject": "u1"}
            shown = (await client.post("/v1/decisions", json=asked)).json()
            [said] = shown["hooks"]
            assert (shown["decision"], shown["reason"]) == ("deny", "no answer: bad-answer")
            assert (said["hook"], said["by"], said["cause"]) == ("adults", "on_error", "bad-answer")
            event = (await client.get(f"/v1/events/{shown['id']}")).json()
            assert (event["type"], event["subject"], event["source"]) == ("PreRegister", "u1", "http")
            assert event["attributes"] == {"hookrtdecision": True}
            record = (await client.get(f"/v1/deliveries/{said['delivery']}")).json()
            assert (record["status"], record["reason"]) == ("dead", "deny: bad-answer")
            assert len(record["attempts"]) == 1
            assert [one["hook"] for one in (await client.get("/v1/deliveries")).json()["items"]] == ["adults"]
            again = await client.post(f"/v1/deliveries/{said['delivery']}/replay", json={})
            assert (again.status_code, "never run again" in again.json()["detail"]) == (409, True)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"data": 1}', 400),
        (b'{"type": "A B"}', 400),
        (b'{"type": "hookrt.test"}', 400),
        (b'{"type": "A", "source": "logto"}', 400),
        (b'{"type": "A", "source": "hook:x"}', 400),
        (b'{"type": "A", "id": "x"}', 400),
        (b'{"type": "A", "timeout": 0}', 400),
        (b'{"type": "A", "timeout": 31}', 400),
        (b'{"type": "A", "timeout": NaN}', 400),
        (b'{"type": "A", "data": NaN}', 400),
        (b'{"type": "A", "data": "\\ud800"}', 400),
        (b'{"type": "A", "data": ' + b"[" * 70 + b"]" * 70 + b"}", 400),
        (b'{"type": "A", "data": "' + b"x" * 1_100_000 + b'"}', 413),
        (b"[]", 400),
    ],
)
def test_what_cannot_be_asked(serving: Any, tmp_path: Path, body: bytes, status: int) -> None:
    async def run() -> None:
        async with serving(made(tmp_path)) as (client, _, _):
            answer = await client.post("/v1/decisions", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"

    asyncio.run(run())


def test_it_needs_the_scope_emit(serving: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(made(tmp_path), tokens=TOKENS) as (client, _, _):
            for token, status in (("emit-1", 200), ("root-1", 200), ("read-1", 403), ("other", 401)):
                headers = {"authorization": f"Bearer {token}"}
                answer = await client.post("/v1/decisions", json={"type": "A"}, headers=headers)
                assert answer.status_code == status, token

    asyncio.run(run())


def test_without_a_token_neither_a_tunnel_nor_a_web_page_nor_a_form_opens_it(serving: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(made(tmp_path)) as (client, _, _):
            for headers in ({"host": "a.example"}, {"x-forwarded-for": "1.2.3.4"}, {"origin": "https://evil.example"}):
                answer = await client.post("/v1/decisions", json={"type": "A"}, headers=headers)
                assert answer.status_code == 403
            assert (await client.post("/v1/decisions", data={"type": "A"})).status_code == 415

    asyncio.run(run())


def test_openapi_hooks_and_explain_tell_of_it(serving: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(made(tmp_path)) as (client, _, _):
            document = (await client.get("/openapi.json")).json()
            route = document["paths"]["/v1/decisions"]["post"]
            assert "DecisionShown" in json.dumps(route["responses"]["200"])
            assert "timeout" in document["components"]["schemas"]["DecisionAsked"]["properties"]
            hooks = {one["name"]: one for one in (await client.get("/v1/hooks")).json()["items"]}
            assert (hooks["adults"]["mode"], hooks["adults"]["on_error"]) == ("decide", "deny")
            assert (hooks["ordinary"]["mode"], hooks["ordinary"]["on_error"]) == ("deliver", None)
            asked = {"type": "PreRegister", "data": {"age": 3}}
            found = {one["hook"]: one for one in (await client.post("/v1/explain", json=asked)).json()["items"]}
            assert (found["adults"]["fires"], found["adults"]["reason"]) == (False, "decide")
            assert found["ordinary"]["fires"]

    asyncio.run(run())


def test_decisions_are_counted(serving: Any, tmp_path: Path) -> None:
    async def run() -> None:
        metrics = Metrics()
        async with serving(made(tmp_path, observers=[metrics]), metrics=metrics.render) as (client, _, _):
            await client.post("/v1/decisions", json={"type": "PreRegister", "data": {"age": 3}, "timeout": 20})
            text = (await client.get("/metrics")).text
        assert 'hookrt_decisions_total{decision="deny"} 1.0' in text
        labels = 'by="on_error",cause="bad-answer",decision="deny",hook="adults"'
        assert f"hookrt_decision_answers_total{{{labels}}} 1.0" in text
        assert "hookrt_decision_seconds_count 1.0" in text

    asyncio.run(run())
