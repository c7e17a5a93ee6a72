"""`@runtime.on` takes the keys of a hook in hooks.yaml, as Python values, by the same rules."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from hookrt import Decision, Event, Runtime
from hookrt.errors import UsageError
from hookrt.model.delivery import Delivery
from hookrt.model.policy import LOGTO, NO_RETRY, STANDARD
from hookrt.plugin import RetryPolicy, fixed

Work = Callable[[Runtime], Awaitable[None]]


def run(runtime: Runtime, work: Work) -> None:
    async def work_in_it() -> None:
        async with runtime:
            await work(runtime)

    asyncio.run(work_in_it())


async def emit(runtime: Runtime, data: Any = None, type: str = "A.B") -> Delivery:
    receipt = await runtime.emit(type, data)
    [delivery] = await receipt.wait(timeout=20)
    return delivery


@pytest.mark.parametrize(
    ("retry", "policy"),
    [
        (["5s", timedelta(minutes=1)], (timedelta(seconds=5), timedelta(minutes=1))),
        ({"fixed": {"every": "1m", "attempts": 3}}, (timedelta(minutes=1),) * 2),
        (fixed(timedelta(seconds=1), 2), (timedelta(seconds=1),)),
        ("logto", LOGTO.delays),
        ("none", ()),
        (None, STANDARD.delays),
    ],
)
def test_retry_is_written_as_in_the_file_or_given_as_a_policy(retry: Any, policy: tuple[timedelta, ...]) -> None:
    runtime = Runtime(store="memory:")
    runtime.on("A.B", name="h", retry=retry, timeout="2s", expires=timedelta(hours=1))(lambda event: None)
    hook = runtime.router.get("h")
    assert hook is not None
    assert isinstance(hook.steps[0].retry, RetryPolicy)
    assert hook.steps[0].retry.delays == policy
    assert (hook.steps[0].timeout, hook.expires) == (timedelta(seconds=2), timedelta(hours=1))


def test_what_is_retried_by_a_written_policy_is_called_again() -> None:
    runtime, calls = Runtime(store="memory:"), []

    @runtime.on("A.B", name="h", retry=["1ms"])
    def fail_first(event: Event) -> None:
        calls.append(event.id)
        if len(calls) < 2:
            raise OSError("not yet")

    async def work(runtime: Runtime) -> None:
        assert (await emit(runtime)).status == "succeeded"
        assert len(calls) == 2

    run(runtime, work)


def test_dedupe_and_throttle_let_the_first_pass() -> None:
    for rule in (
        {"dedupe": {"by": "event.data.k", "within": "1h"}},
        {"throttle": {"by": "event.data.k", "every": "1h"}},
    ):
        runtime, seen = Runtime(store="memory:"), []
        runtime.on("A.B", name="h", **rule)(lambda event, seen=seen: seen.append(event.data["k"]))  # type: ignore[misc]

        async def work(runtime: Runtime) -> None:
            assert [(await emit(runtime, {"k": key})).status.value for key in (1, 1, 2)] == [
                "succeeded",
                "cancelled",
                "succeeded",
            ]

        run(runtime, work)
        assert seen == [1, 2]


def test_order_keeps_the_events_of_a_key_apart() -> None:
    runtime, seen = Runtime(store="memory:"), []
    under_way = 0

    @runtime.on("A.B", name="h", order={"by": "event.data.k"})
    async def one_by_one(event: Event) -> None:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        await asyncio.sleep(0)
        under_way -= 1
        seen.append(event.data["n"])

    async def work(runtime: Runtime) -> None:
        receipts = [await runtime.emit("A.B", {"k": "a", "n": n}) for n in range(5)]
        for receipt in receipts:
            assert [one.status.value for one in await receipt.wait(timeout=20)] == ["succeeded"]
        assert seen == [0, 1, 2, 3, 4]

    run(runtime, work)


def test_a_function_can_be_asked_for_a_decision() -> None:
    runtime = Runtime(store="memory:")

    @runtime.on("Pre.*", name="plain", mode="decide", on_error="deny")
    def of_age(event: Event) -> dict[str, Any]:
        if event.data["age"] < 18:
            return {"decision": "deny", "reason": "too young"}
        return {"decision": "allow", "patch": {"checked": True}}

    @runtime.on("Pre.*", name="forwards", mode="decide")
    async def forwards(event: Event) -> Decision:
        return Decision("x", "deny" if event.data["age"] > 99 else "allow", None, "too old")

    async def work(runtime: Runtime) -> None:
        young, adult, old = [await runtime.decide("Pre.Register", {"age": age}) for age in (17, 30, 100)]
        assert (young.allowed, young.reason) == (False, "too young")
        assert (adult.allowed, adult.data) == (True, {"age": 30, "checked": True})
        assert (old.allowed, old.reason) == (False, "too old")
        assert (await runtime.emit("Pre.Register", {"age": 1})).deliveries == (), "no event fires it"

    run(runtime, work)
    hook = runtime.router.get("plain")
    assert hook is not None
    assert hook.steps[0].retry == NO_RETRY


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"timeout": 5}, "hook 'h': `timeout` must be a duration, and '5' is none"),
        ({"retry": ["soon"]}, "a wait must be a duration, and 'soon' is none"),
        ({"retries": ["5s"]}, "a function's hook has no 'retries': did you mean 'retry'?"),
        ({"dedupe": {"by": "event.id"}}, "`dedupe` needs `within`"),
        ({"order": {"by": "evnt.id"}}, "unknown name 'evnt'; did you mean 'event'?"),
        ({"mode": "decide", "retry": NO_RETRY}, "`retry` means nothing with `mode: decide`"),
        ({"throttle": {"by": "event.id", "every": object()}}, "object values are not taken"),
        ({"order": {"by": "event.data.\ud800"}}, "hook 'h': "),
        ({"name": 5}, "5 is no name for a hook"),
    ],
)
def test_what_cannot_be_is_said_at_once_and_not_at_the_first_event(keys: dict[str, Any], said: str) -> None:
    runtime = Runtime(store="memory:")
    with pytest.raises(UsageError) as raised:
        runtime.on("A.B", **{"name": "h", **keys})
    assert said in str(raised.value)
    assert runtime.router.get("h") is None


def test_a_function_can_be_added_from_another_thread_while_the_runtime_runs() -> None:
    runtime = Runtime(store="memory:")
    with runtime.blocking() as hooks:
        seen: list[Any] = []
        runtime.on("A.B", name="late")(lambda event: seen.append(event.data))
        [delivery] = hooks.wait(hooks.emit("A.B", 7), timeout=20)
        assert (delivery.status.value, seen) == ("succeeded", [7])


def test_what_a_function_raises_is_logged_with_its_place_and_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    env = {"HOOKRT_SECRET_KEY": "s3cret-value-77"}
    service = {"service": {"tokens": [{"token": "${{ secrets.KEY }}", "scopes": ["read"]}]}}
    runtime = Runtime.from_dict(service, store="memory:", env=env)

    def connect(password: str) -> None:
        raise ConnectionError(f"refused for {password}")

    @runtime.on("A.B", name="h", retry="none")
    async def fails(event: Event) -> None:
        try:
            connect(env["HOOKRT_SECRET_KEY"])
        except ConnectionError as error:
            raise RuntimeError("no database") from error

    async def work(runtime: Runtime) -> None:
        delivery = await emit(runtime)
        [attempt] = await runtime.store.attempts(delivery.id)
        assert attempt.message == f"RuntimeError in {__name__.partition('.')[0]} (function:h): no database"
        [line] = attempt.logs
        assert 'fails: raise RuntimeError("no database") from error' in line
        assert "because of ConnectionError: refused for *** (test_function_keys.py:" in line

    run(runtime, work)
    assert "function-failed" in caplog.text
    assert "s3cret-value-77" not in caplog.text
