"""What comes in is counted, shown and, where it is refused, logged: without the secret, and without a flood."""

import asyncio
import hashlib
import hmac
import time

import httpx
import pytest

from hookrt import Runtime
from hookrt.observability.metrics import Metrics

SECRET = "first-secret-of-the-sender"

FILE = f"""
sources:
  shop:
    hmac: {{header: X-Signature, secret: {SECRET}, tolerance: 2m, respond: {{body: "{SECRET}!"}}}}
  logto: {{logto: {SECRET}}}
hooks:
  ordered: {{on: order.paid, steps: [{{log: x}}]}}
"""


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def runtime(tmp_path, store_url, metrics):
    (tmp_path / "hooks.yaml").write_text(FILE)
    return Runtime.from_file(tmp_path / "hooks.yaml", store=store_url, env={}, observers=[metrics])


async def post(client: httpx.AsyncClient, body: bytes, path="/in/shop", signature=None):
    signature = signature or hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return await client.post(path, content=body, headers={"x-signature": signature})


def test_what_comes_is_counted_and_shown(serving, runtime, metrics):
    async def scenario():
        async with serving(runtime, metrics=metrics.render) as (client, _, _):
            for _ in range(2):
                await post(client, b"{}")
            await post(client, b"{}", signature="0" * 64)
            await post(client, b"{}", "/in/nobody")
            await client.get("/in/shop")
            shown = (await client.get("/v1/sources")).json()["items"]
            return shown, (await client.get("/metrics")).text

    shown, text = asyncio.run(scenario())
    for outcome in ("accepted", "duplicate", "bad-signature", "method-not-allowed"):
        assert f'hookrt_inbound_total{{outcome="{outcome}",source="shop"}} 1.0' in text
    assert 'hookrt_inbound_total{outcome="not-found",source="unknown"} 1.0' in text
    shop, logto = shown
    assert (shop["plugin"], shop["path"], shop["types"]) == ("hmac", "/in/shop", None)
    assert shop["requests"] == {"accepted": 1, "duplicate": 1, "bad-signature": 1, "method-not-allowed": 1}
    assert shop["last_accepted"] <= shop["last_refused"]
    assert shop["last_refusal"] == "method-not-allowed"
    assert (logto["requests"], logto["last_accepted"], len(logto["types"])) == ({}, None, 31)


def test_one_source_is_shown_with_its_settings_and_without_its_secret(serving, runtime):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            assert (await client.get("/v1/sources/nobody")).status_code == 404
            answer = await client.get("/v1/sources/shop")
            assert SECRET not in answer.text
            return answer.json()

    shown = asyncio.run(scenario())
    assert (shown["methods"], shown["max_body"], shown["path"]) == (["POST"], 1024 * 1024, "/in/shop")
    assert shown["settings"]["secret"] == ["***"]
    assert (shown["settings"]["tolerance"], shown["settings"]["header"]) == ("2m", "X-Signature")
    assert shown["settings"]["respond"]["body"] == "***!"
    assert shown["description"].startswith("Senders with an HMAC")


def test_a_flood_of_refusals_is_a_few_lines_of_log(serving, runtime, caplog):
    async def scenario():
        async with serving(runtime) as (client, _, _):
            for _ in range(60):
                await post(client, b"{}", signature="0" * 64)

    with caplog.at_level("WARNING"):
        started = time.monotonic()
        asyncio.run(scenario())
    lines = [record for record in caplog.records if "inbound-refused" in str(record.msg)]
    assert 1 <= len(lines) <= 11 * (time.monotonic() - started + 1)
    assert not any(SECRET in str(record.msg) for record in lines)
