"""Tests of hooks on demand: Logto's `POST /api/hooks/:id/test`, as `POST /v1/hooks/{name}/test`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hookrt.sources.logto_events import EVENT_TYPES
from hookrt.testing import Answer

Within = Callable[..., None]
Verified = Callable[..., dict[str, Any]]

HOOKS = """
hooks:
  sync:
    on: [PostRegister, PostSignIn]
    from: logto
    when: event.data.userIp == "nobody"
    steps: [{webhook: {to: app}, retry: logto}]
  off:
    on: User.Created
    enabled: false
    steps: [{webhook: {to: app}}]
  open:
    on: Invoice.*
    steps: [{webhook: {to: app}}]
  rendered:
    on: PostSignIn
    steps: [{webhook: {url: "${{ event.data.url }}"}}]
  chain:
    on: Order.Paid
    steps:
      - id: shape
        python: |
          def run(event, ctx):
              return {"name": event["data"]["message"]}
      - {emit: {type: Order.Seen}}
      - {webhook: {to: app, body: "${{ steps.shape.output }}"}, continue_on_error: true}
      - {log: "${{ event.id }}", when: 'steps.webhook.status == "succeeded"'}
  unanswerable:
    on: Invoice.Odd
    steps: [{log: never, when: event.data.missing.field == 1}]
"""


async def ask(world: Any, hook: str, **asked: Any) -> tuple[int, dict[str, Any]]:
    answer = await world.client.post(f"/v1/hooks/{hook}/test", json=asked)
    return answer.status_code, answer.json()


def test_08_with_another_event_than_the_hook_listens_to(within: Within, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        world.receiver.answer(Answer(200, "thanks"))
        status, told = await ask(world, "sync", type="User.Deleted")
        assert (status, told["succeeded"], told["response"]["status"]) == (200, True, 200)
        assert (told["response"]["body"], told["sample"], told["fires"]) == ("thanks", "logto", False)
        [request] = world.receiver.requests
        assert verified(request)["event"] == "User.Deleted"
        assert request.headers["hookrt-test"] == "true"

    within(HOOKS, happens)


def test_09_of_an_unknown_hook(within: Within) -> None:
    async def happens(world: Any) -> None:
        status, told = await ask(world, "nobody")
        assert (status, told["type"]) == (404, "urn:hookrt:problem:not-found")

    within(HOOKS, happens)


@pytest.mark.parametrize(
    ("url", "reason"), [("not_work_url", "template"), ("http://10.0.0.1/", "blocked-address"), (None, "template")]
)
def test_10_to_an_endpoint_that_cannot_be_reached(within: Within, url: str | None, reason: str) -> None:
    async def happens(world: Any) -> None:
        status, told = await ask(world, "rendered", data={"url": url} if url else {})
        assert (status, told["type"]) == (422, "urn:hookrt:problem:test-failed")
        assert (told["reason"], told["response"], told["succeeded"]) == (reason, None, False)
        assert told["detail"].startswith(f"the test of rendered failed: {reason}: ")

    within(HOOKS, happens)


@pytest.mark.parametrize("status", [500, 404, 302, 410])
def test_11_to_an_endpoint_that_answers_with_an_error(within: Within, status: int) -> None:
    async def happens(world: Any) -> None:
        world.receiver.answer(Answer(status, "out of order"))
        code, told = await ask(world, "sync")
        assert (code, told["type"]) == (422, "urn:hookrt:problem:endpoint-responded-with-error")
        assert (told["response"]["status"], told["response"]["body"]) == (status, "out of order")
        assert len(world.receiver.requests) == 1
        assert (await world.get("/v1/hooks/sync"))["enabled"] is True

    within(HOOKS, happens)


def test_each_of_logtos_events_has_a_realistic_sample(within: Within, verified: Verified) -> None:
    async def happens(world: Any) -> None:
        for event in EVENT_TYPES:
            status, told = await ask(world, "sync", type=event)
            assert (status, told["event"]["subject"] is not None) == (200, event not in WITHOUT_SUBJECT), event
            body = verified(world.receiver.requests[-1])
            sample = (await world.get(f"/v1/samples/{event}"))["data"]
            assert (body["event"], body["hookId"]) == (event, "sync")
            assert list(body) == list(sample), event

    within(HOOKS, happens)


WITHOUT_SUBJECT = {"Identifier.Lockout", "Message.RateLimited"}
"""Events about an identifier that need not be anybody's."""


def test_a_disabled_hook_is_tested_too_and_nothing_of_it_is_recorded(within: Within) -> None:
    async def happens(world: Any) -> None:
        await world.client.post("/v1/hooks/sync/disable", json={})
        for hook in ("off", "sync"):
            status, told = await ask(world, hook)
            assert (status, told["test"], told["succeeded"]) == (200, True, True)
        assert len(world.receiver.requests) == 2
        assert (await world.deliveries(), (await world.get("/v1/events", type="User.Created"))["items"]) == ([], [])
        stats = (await world.get("/v1/hooks/sync"))["stats"]
        assert (stats["count"], stats["attempts"], stats["success_rate"]) == (0, 0, None)

    within(HOOKS, happens)


def test_without_a_type_it_is_the_first_one_and_patterns_take_the_first_sample(within: Within) -> None:
    async def happens(world: Any) -> None:
        assert (await ask(world, "sync"))[1]["event"]["type"] == "PostRegister"
        status, told = await ask(world, "open")
        assert (status, told["type"]) == (400, "urn:hookrt:problem:event-invalid")
        assert "Invoice.*" in told["detail"]
        status, told = await ask(world, "open", type="Invoice.Paid")
        assert (status, told["sample"], told["event"]["data"]["sample"]) == (200, "generic", True)
        status, told = await ask(world, "open", type="Invoice.Paid", data=None)
        assert (status, told["sample"], told["event"]["data"]) == (200, None, None)

    within(HOOKS, happens)


def test_it_says_whether_such_an_event_would_fire_the_hook(within: Within) -> None:
    async def happens(world: Any) -> None:
        _, told = await ask(world, "sync")
        assert (told["fires"], "nobody" in told["why_not"]) == (False, True)
        _, told = await ask(world, "sync", data={"userIp": "nobody"})
        assert (told["fires"], told["why_not"]) == (True, None)

    within(HOOKS, happens)


def test_every_step_runs_and_what_it_emits_is_only_told(within: Within) -> None:
    async def happens(world: Any) -> None:
        status, told = await ask(world, "chain")
        assert [(step["id"], step["status"]) for step in told["steps"]] == [
            ("shape", "succeeded"),
            ("emit", "succeeded"),
            ("webhook", "succeeded"),
            ("log", "succeeded"),
        ]
        assert (status, told["steps"][1]["emitted"]) == (200, ["Order.Seen"])
        assert (await world.get("/v1/events"))["items"] == []
        assert world.receiver.requests[0].json == {"name": "This is a test: nothing has happened."}
        world.receiver.answer(Answer(503))
        status, told = await ask(world, "chain")
        assert (status, told["reason"]) == (422, "status")
        assert [step["status"] for step in told["steps"]] == ["succeeded", "succeeded", "failed", "skipped"]
        status, told = await ask(world, "chain", data=["no message"])
        assert (status, told["type"], told["reason"]) == (422, "urn:hookrt:problem:test-failed", "error")
        assert [step["status"] for step in told["steps"]] == ["failed", "not-run", "not-run", "not-run"]

    within(HOOKS, happens)


@pytest.mark.parametrize("asked", [{"typ": "PostSignIn"}, {"type": ""}, {"type": "a b"}, {"type": 7}])
def test_a_request_that_cannot_be_meant_is_refused(within: Within, asked: dict[str, Any]) -> None:
    async def happens(world: Any) -> None:
        status, _ = await ask(world, "sync", **asked)
        assert status == 400
        assert not world.receiver.requests

    within(HOOKS, happens)


def test_many_tests_at_once_wait_for_their_turn(within: Within) -> None:
    async def happens(world: Any) -> None:
        told = await asyncio.gather(*(ask(world, "sync") for _ in range(31)))
        assert {status for status, _ in told} == {200}
        assert len({answer["event"]["id"] for _, answer in told}) == 31

    within(HOOKS, happens)


def test_samples_are_listed_and_an_unknown_one_has_a_suggestion(within: Within) -> None:
    async def happens(world: Any) -> None:
        listed = (await world.get("/v1/samples"))["items"]
        assert [item["type"] for item in listed if item["source"] == "logto"] == list(EVENT_TYPES)
        answer = await world.client.get("/v1/samples/PostSingIn")
        assert answer.status_code == 404
        assert "did you mean 'PostSignIn'?" in answer.json()["detail"]

    within(HOOKS, happens)


def test_an_event_for_one_hook_only_goes_to_no_other(within: Within) -> None:
    async def happens(world: Any) -> None:
        twice = HOOKS.replace("rendered:\n    on: PostSignIn", "rendered:\n    on: Never")
        await world.rewrite(twice + "  second:\n    on: Order.*\n    steps: [{webhook: {to: app}}]\n")
        body = {"type": "Order.Paid", "data": {"message": "x"}}
        for query, hooks in (({}, ["chain", "second"]), ({"only": "second"}, ["second"]), ({"only": "sync"}, [])):
            answer = await world.client.post("/v1/events", json=body, params=query)
            deliveries = answer.json()["deliveries"]
            shown = [(await world.get(f"/v1/deliveries/{one}"))["hook"] for one in deliveries]
            assert sorted(shown) == hooks
        batch = await world.client.post("/v1/events", json=[body, body], params={"only": "second"})
        assert [len(one["deliveries"]) for one in batch.json()["events"]] == [1, 1]
        unknown = await world.client.post("/v1/events", json=body, params={"only": "nobody"})
        assert (unknown.status_code, unknown.json()["detail"]) == (404, "no hook is named 'nobody'")

    within(HOOKS, happens)


def test_a_step_whose_condition_has_no_answer_is_skipped_and_says_why(within: Within) -> None:
    async def happens(world: Any) -> None:
        status, told = await ask(world, "unanswerable")
        [step] = told["steps"]
        assert (status, step["status"], step["attempt"]) == (200, "skipped", None)
        assert step["error"].startswith("its `when` has no answer: ")

    within(HOOKS, happens)
