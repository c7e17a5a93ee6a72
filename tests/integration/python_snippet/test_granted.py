"""`ctx.secrets`, `ctx.state` and `ctx.emit` in a running service."""

from __future__ import annotations

import asyncio
from typing import Any

from hookrt import Runtime
from hookrt.delivery.limits import Limits
from hookrt.model.delivery import Status
from hookrt.store.contract import DeliveryQuery


def test_a_granted_secret_is_given_and_masked_in_logs_and_errors(open_service: Any) -> None:
    code = """
def run(event, ctx):
    secrets = ctx.secrets
    print(secrets.CRM_TOKEN, secrets["CRM_TOKEN"] == secrets.get("CRM_TOKEN"), len(secrets.CRM_TOKEN))
    raise ValueError("with " + secrets.CRM_TOKEN)
"""

    async def story() -> None:
        async with open_service(code, "{secrets: [CRM_TOKEN]}", CRM_TOKEN="s3cret-4711") as service:
            _, [attempt] = await service.emit()
            assert attempt.logs == ("*** True 11",)
            assert "ValueError: with *** | raise" in attempt.message
            assert "s3cret-4711" not in repr(attempt)

    asyncio.run(story())


def test_a_secret_that_is_not_granted_is_denied_though_the_service_has_it(open_service: Any, tmp_path: Any) -> None:
    async def story() -> None:
        code = "def run(event, ctx):\n    return ctx.secrets.OTHER"
        async with open_service(code, "{secrets: [CRM_TOKEN]}", CRM_TOKEN="a", OTHER="other-4711") as service:
            delivery, [attempt] = await service.emit()
            assert (delivery.status, attempt.reason) == (Status.DEAD, "denied")
            wanted = 'ctx.secrets.OTHER is not granted: add "allow: {secrets: [OTHER]}" to this step'
            assert f"{wanted} ({tmp_path}/hooks.yaml:5)" in attempt.message

    asyncio.run(story())


COUNT = """
def run(event, ctx):
    seen = ctx.state.get("seen", [])
    ctx.state.set("seen", seen + [event["data"]])
    ctx.state["last"] = {"n": ctx.state.add("n"), "of": event["id"] != ""}
    if event["data"] == "fail":
        raise ValueError("no")
    print(ctx.state.get("seen"), ctx.state["last"], ctx.state.compare_and_set("n", 1, 1))
"""


def test_the_state_outlives_the_run_the_failure_and_the_service(open_service: Any) -> None:
    async def story() -> None:
        async with open_service(COUNT, "{state: true}") as service:
            await service.emit("a")
            await service.emit("fail")
        async with open_service(COUNT, "{state: true}") as service:
            _, [attempt] = await service.emit("b")
            assert attempt.logs == ("['a', 'fail', 'b'] {'n': 3, 'of': True} False",)

    asyncio.run(story())


TWO = """
hooks:
  one:
    on: A
    steps: [{python: {allow: {state: true}, code: "def run(event, ctx): print(ctx.state.add('n'))"}}]
  two:
    on: A
    steps: [{python: {allow: {state: true}, code: "def run(event, ctx): print(ctx.state.add('n'))"}}]
"""


def test_each_hook_has_a_state_of_its_own(tmp_path: Any) -> None:
    async def story() -> None:
        (tmp_path / "hooks.yaml").write_text(TWO)
        async with Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env={}) as runtime:
            receipt = await runtime.emit("A")
            deliveries = await receipt.wait(timeout=30)
            attempts = [await runtime.store.attempts(delivery.id) for delivery in deliveries]
            assert [attempt.logs for [attempt] in attempts] == [("1",), ("1",)]

    asyncio.run(story())


def test_additions_of_runs_at_the_same_time_do_not_get_lost(open_service: Any) -> None:
    async def story() -> None:
        code = "def run(event, ctx):\n    for _ in range(5):\n        print(ctx.state.add('n'))"
        async with open_service(code, "{state: true}") as service:
            done = await asyncio.gather(*(service.emit() for _ in range(8)))
            seen = sorted(int(line) for _, [attempt] in done for line in attempt.logs)
            assert seen == list(range(1, 41))

    asyncio.run(story())


def test_the_limits_of_the_state_are_errors_with_a_reason(open_service: Any) -> None:
    code = """
def run(event, ctx):
    tries = [("k" * 256, 1, None), ("k", "x" * 65536, None), ("k", 1, "soon"), ("k", 1, -1)]
    for key, value, ttl in tries:
        try:
            ctx.state.set(key, value, ttl=ttl)
        except ctx.state.Error as error:
            print(error.reason)
    try:
        for n in range(1001):
            ctx.state.set(f"k{n}", n)
    except ctx.state.Error as error:
        print(n, error)
    try:
        ctx.state.set("k", {1, 2})
    except TypeError as error:
        print(error)
"""

    async def story() -> None:
        async with open_service(code, "{state: true}", more="        timeout: 25s\n") as service:
            for number in range(10):
                await service.runtime.store.put("state/one/python", f"old{number}", b"1")
            _, [attempt] = await service.emit()
            assert attempt.message is None
            assert attempt.logs[:4] == ("bad-key", "too-large", "bad-value", "bad-value")
            assert attempt.logs[4] == "990 1,000 values are stored, more cannot be: delete some, or give them a ttl"
            assert attempt.logs[5].startswith("the value is a set: plain values only ")

    asyncio.run(story())


EMITS = """
def run(event, ctx):
    ctx.emit("User.Enriched", {"n": 1}, subject="u1", id="fixed")
    ctx.emit("User.Enriched", event["data"])
    if event["data"] == "fail":
        raise ValueError("no")
"""


def test_events_become_real_only_when_the_attempt_succeeds(open_service: Any) -> None:
    async def story() -> None:
        async with open_service(EMITS, "{emit: [User.Enriched]}") as service:
            await service.emit("fail")
            assert await service.events("User.Enriched") == []
            delivery, _ = await service.emit("fine")
            first, second = await service.events("User.Enriched")
            assert (first.id, first.subject, first.data) == ("fixed", "u1", {"n": 1})
            assert (second.data, second.source) == ("fine", "hook:one")
            assert {(each.cause, each.depth) for each in (first, second)} == {(delivery.id, 1)}

    asyncio.run(story())


def test_a_type_that_no_entry_means_is_denied_and_nothing_is_emitted(open_service: Any) -> None:
    code = 'def run(event, ctx):\n    ctx.emit("User.Enriched")\n    ctx.emit("Audit.Written")'

    async def story() -> None:
        async with open_service(code, '{emit: ["User.*"]}') as service:
            delivery, [attempt] = await service.emit()
            assert (delivery.status, attempt.reason) == (Status.DEAD, "denied")
            assert 'ctx.emit is not granted for Audit.Written: add "allow: {emit: [Audit.Written]}"' in attempt.message
            assert await service.events("User.Enriched") == []

    asyncio.run(story())


def test_what_is_emitted_causes_no_endless_loop(open_service: Any) -> None:
    code = 'def run(event, ctx):\n    ctx.emit("A", event["data"] + 1)'

    async def story() -> None:
        async with open_service(code, "{emit: [A]}") as service, asyncio.timeout(30):
            await service.emit(0)
            while not (dead := (await service.runtime.store.deliveries(DeliveryQuery(statuses=(Status.DEAD,)))).items):
                await asyncio.sleep(0.01)
            assert (len(dead), dead[0].reason) == (1, "bad-event")
            assert [event.depth for event in await service.events("A")] == list(range(Limits().depth + 1))

    asyncio.run(story())


def test_steps_with_different_grants_do_not_share_a_worker(open_service: Any) -> None:
    """What one step's code leaves in its worker must not meet another step's grants."""
    more = "      - python: |\n          def run(event, ctx):\n              return ctx.state.get('n')\n"

    async def story() -> None:
        code = "def run(event, ctx):\n    return ctx.state.add('n')"
        async with open_service(code, "{state: true}", more=more) as service:
            delivery, attempts = await service.emit()
            assert [attempt.reason for attempt in attempts] == [None, "denied"]
            assert delivery.reason == "denied"

    asyncio.run(story())
