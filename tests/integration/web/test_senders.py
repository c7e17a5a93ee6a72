"""Webhooks of real senders against a real server: signed by hand, stored, and answered as each of them wants it."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

from hookrt.runtime import Runtime

FILE = """
sources:
  hub: {github: "${{ secrets.KEY }}"}
  lab: {gitlab: {secret: ["old-token", "${{ secrets.KEY }}"]}}
  pay: {stripe: {secret: "${{ secrets.KEY }}", tolerance: 1m}}
  chat: {slack: "${{ secrets.KEY }}"}
  shop: {shopify: "${{ secrets.KEY }}"}
  phone: {twilio: {secret: "${{ secrets.KEY }}", url: "https://hooks.example.com/in/phone"}}
  events: {cloudevents: "${{ secrets.KEY }}"}
hooks:
  all:
    on: "**"
    steps:
      - log: seen
"""
KEY = "a-secret-of-the-sender"


def make(tmp_path, store_url) -> Runtime:
    (tmp_path / "hooks.yaml").write_text(FILE)
    return Runtime.from_file(tmp_path / "hooks.yaml", store=store_url, env={"HOOKRT_SECRET_KEY": KEY})


def digest(content: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(KEY.encode(), content, algorithm).digest()


def github(body: bytes) -> dict:
    signature = f"sha256={digest(body).hex()}"
    return {"x-hub-signature-256": signature, "x-github-event": "pull_request", "x-github-delivery": "72d3162e"}


def timed(body: bytes, separator: bytes, version: bytes = b"") -> tuple[str, str]:
    now = str(int(time.time()))
    return now, digest(version + now.encode() + separator + body).hex()


def serve(serving, tmp_path, store_url, check) -> None:
    async def run():
        async with serving(make(tmp_path, store_url)) as (client, _, runtime):
            await check(client, runtime)

    asyncio.run(run())


def test_a_pull_request_is_stored_when_github_is_answered_and_once(serving, tmp_path, store_url):
    body = b'{"action":"opened","number":1.10,"repository":{"full_name":"octo/hello"}}'

    async def check(client, runtime):
        for _ in range(2):
            answer = await client.post("/in/hub", content=body, headers=github(body))
            assert (answer.status_code, answer.json()) == (200, {"id": "72d3162e"})
            stored = await runtime.store.event("hub", "72d3162e")
            assert (stored.event.type, stored.event.subject) == ("pull_request.opened", "octo/hello")
            assert stored.event.content == body
            assert len(stored.deliveries) == 1

    serve(serving, tmp_path, store_url, check)


def test_refusals_say_why_and_show_nothing(serving, tmp_path, store_url, log):
    body = b'{"action":"opened"}'
    headers = github(body)

    async def check(client, _):
        wrong = await client.post("/in/hub", content=body + b" ", headers=headers)
        broken = await client.post("/in/hub", content=b"{", headers=github(b"{"))
        bare = await client.post("/in/hub", content=body)
        shown = wrong.text + broken.text + bare.text + repr(log.lines)
        assert [one.status_code for one in (wrong, broken, bare)] == [401, 400, 401]
        assert KEY not in shown
        assert digest(body + b" ").hex() not in shown

    serve(serving, tmp_path, store_url, check)


def test_an_old_event_of_stripe_is_refused(serving, tmp_path, store_url):
    body = b'{"id":"evt_1","type":"invoice.paid"}'
    now, signature = timed(body, b".")
    old = str(int(now) - 61)
    old_signature = digest(old.encode() + b"." + body).hex()

    async def check(client, runtime):
        sent = {"stripe-signature": f"t={old},v1={old_signature}"}
        refused = await client.post("/in/pay", content=body, headers=sent)
        assert (refused.status_code, "s ago, more than 1m" in refused.text) == (401, True)
        fresh = {"stripe-signature": f"t={now},v1={signature}"}
        assert (await client.post("/in/pay", content=body, headers=fresh)).status_code == 200
        assert (await runtime.store.event("pay", "evt_1")).event.type == "invoice.paid"

    serve(serving, tmp_path, store_url, check)


def test_slack_gets_its_challenge_and_its_silence(serving, tmp_path, store_url):
    async def post(client, body: bytes, media: str):
        now, signature = timed(body, b":", b"v0:")
        headers = {"x-slack-signature": f"v0={signature}", "x-slack-request-timestamp": now, "content-type": media}
        return await client.post("/in/chat", content=body, headers=headers)

    async def check(client, runtime):
        challenge = b'{"type":"url_verification","challenge":"3eZbrw1a"}'
        answer = await post(client, challenge, "application/json")
        assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZbrw1a"})
        assert (await client.post("/in/chat", content=challenge)).status_code == 401
        command = urlencode({"command": "/weather", "trigger_id": "1.2", "text": "94070"}).encode()
        answer = await post(client, command, "application/x-www-form-urlencoded")
        assert (answer.status_code, answer.text) == (200, "")
        assert (await runtime.store.event("chat", "1.2")).event.data["text"] == "94070"

    serve(serving, tmp_path, store_url, check)


def test_gitlab_may_show_its_old_token_or_the_new_one(serving, tmp_path, store_url):
    async def check(client, runtime):
        for number, token in enumerate(("old-token", KEY, "another")):
            headers = {"x-gitlab-token": token, "x-gitlab-event": "Push Hook", "idempotency-key": f"k{number}"}
            answer = await client.post("/in/lab", content=b'{"object_kind":"push"}', headers=headers)
            assert answer.status_code == (401 if token == "another" else 200)
        assert (await runtime.store.event("lab", "k1")).event.type == "push"

    serve(serving, tmp_path, store_url, check)


def test_a_topic_of_shopify_is_a_type(serving, tmp_path, store_url):
    body = b'{"id":820982911946154508}'
    signature = base64.b64encode(digest(body)).decode()
    headers = {"x-shopify-hmac-sha256": signature, "x-shopify-topic": "orders/create", "x-shopify-webhook-id": "b5"}

    async def check(client, runtime):
        assert (await client.post("/in/shop", content=body, headers=headers)).status_code == 200
        assert (await runtime.store.event("shop", "b5")).event.type == "orders.create"

    serve(serving, tmp_path, store_url, check)


def test_twilio_is_verified_by_its_public_url_and_answered_with_twiml(serving, tmp_path, store_url):
    fields = {"MessageSid": "SM1", "SmsStatus": "received", "Body": "hi & bye"}
    signed = "https://hooks.example.com/in/phone?a=1" + "".join(name + fields[name] for name in sorted(fields))
    headers = {"x-twilio-signature": base64.b64encode(digest(signed.encode(), "sha1")).decode()}

    async def check(client, runtime):
        answer = await client.post("/in/phone?a=1", data=fields, headers=headers)
        assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "<Response/>", "text/xml")
        assert (await runtime.store.event("phone", "SM1:received")).event.data == fields
        assert (await client.post("/in/phone?a=2", data=fields, headers=headers)).status_code == 401

    serve(serving, tmp_path, store_url, check)


def test_cloudevents_come_alone_or_in_a_batch_after_they_asked(serving, tmp_path, store_url):
    def event(number: int) -> dict:
        return {"specversion": "1.0", "type": "a.b", "source": "/s", "id": str(number), "ext": number, "data": number}

    def headers(kind: str) -> dict:
        return {"authorization": f"Bearer {KEY}", "content-type": f"application/cloudevents{kind}+json"}

    async def check(client, runtime):
        asked = await client.options("/in/events", headers={"webhook-request-origin": "example.com"})
        assert (asked.status_code, asked.headers["webhook-allowed-origin"]) == (200, "example.com")
        batch = json.dumps([event(1), event(2)])
        answer = await client.post("/in/events", content=batch, headers=headers("-batch"))
        suffix = hashlib.sha256(b"/s").hexdigest()[:16]
        assert answer.json() == {"ids": [f"1~{suffix}", f"2~{suffix}"]}
        stored = (await runtime.store.event("events", f"2~{suffix}")).event
        assert (stored.data, stored.attributes) == (2, {"ext": 2, "cesource": "/s"})
        again = await client.post("/in/events", content=json.dumps(event(2)), headers=headers(""))
        assert again.json() == {"id": f"2~{suffix}"}
        changed = json.dumps([{**event(1), "data": "changed"}, event(3)])
        assert (await client.post("/in/events", content=changed, headers=headers("-batch"))).status_code == 200
        assert (await runtime.store.event("events", f"1~{suffix}")).event.data == 1
        assert (await runtime.store.event("events", f"3~{suffix}")).event.data == 3

    serve(serving, tmp_path, store_url, check)


def test_a_github_type_that_is_none_gets_a_did_you_mean(tmp_path, store_url):
    text = FILE.replace('on: "**"', "on: pull_requests.opened\n    from: hub")
    (tmp_path / "hooks.yaml").write_text(text)
    runtime = Runtime.from_file(tmp_path / "hooks.yaml", store=store_url, env={"HOOKRT_SECRET_KEY": KEY})
    warned = [(problem.message, problem.hint) for problem in runtime.configuration.warnings]
    assert any("pull_request.opened" in (hint or "") for _, hint in warned), warned
