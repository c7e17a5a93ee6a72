"""The public API as strangers use it: never run, read by mypy and by pyright, which must agree on every type."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

from hookrt import Event, HookrtError, Runtime, verify
from hookrt.model.delivery import Delivery
from hookrt.plugin import NO_RETRY, Action, ActionCall, Outcome, Secret, Settings, impl
from hookrt.runtime import BlockingRuntime, Receipt
from hookrt.testing import call_for, event, open_action, run_action
from hookrt.web import runtime_app, with_runtime

runtime = Runtime(store="sqlite:///app.db")
assert_type(Runtime.from_file("hooks.yaml"), Runtime)


@runtime.on("User.*", name="plain", when="event.data.n > 1", retry=NO_RETRY, timeout=timedelta(seconds=5))
def plain(event: Event) -> dict[str, int]:
    return {"n": event.data["n"]}


@runtime.on("User.Created", "User.Deleted", name="async")
async def with_call(event: Event, call: ActionCall[Any]) -> Outcome:
    call.log.info("working", attempt=call.attempt)
    return Outcome.done()


@runtime.on("Order.*", name="keys", retry=["5s", timedelta(minutes=1)], timeout="5s", order={"by": "event.data.id"})
def with_keys(event: Event) -> None: ...


@runtime.on("Pre.*", name="asked", mode="decide", on_error="allow")
def asked(event: Event) -> dict[str, Any]:
    return {"decision": "deny", "reason": "never"}


runtime.on("A.B", name="misspelt", retries=["5s"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
assert_type(Runtime.from_dict({"service": {"drain": "8s"}}, store="memory:"), Runtime)
assert_type(plain(event("User.Created", {"n": 2})), dict[str, int])


@runtime.on("A.B", name="wrong")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def takes_no_event(number: int) -> None: ...


async def emit() -> None:
    async with runtime as running:
        assert_type(running, Runtime)
        receipt = await running.emit("User.Created", {"id": 1}, id="u1", subject="users/1")
        assert_type(receipt, Receipt)
        assert_type(await receipt.wait(timeout=1.0), list[Delivery])


def emit_blocking() -> None:
    with Runtime.from_file("hooks.yaml").blocking() as hooks:
        assert_type(hooks, BlockingRuntime)
        try:
            assert_type(hooks.wait(hooks.emit("A.B")), list[Delivery])
        except HookrtError as error:
            print(error)


class SmsSettings(Settings):
    """What a plugin author declares once."""

    to: str
    retries: int = 3
    token: Secret


class Sms(Action[SmsSettings]):
    """The type parameter is all that `call.settings` needs."""

    name = "sms"

    async def run(self, call: ActionCall[SmsSettings]) -> Outcome:
        assert_type(call.settings.to, str)
        assert_type(call.settings.retries, int)
        assert_type(call.settings.token.get_secret_value(), str)
        print(call.settings.nonsense)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        response = await call.http.send("POST", "https://sms.example", json={"to": call.settings.to})
        return Outcome.from_response(response)


@impl
def hookrt_actions() -> list[type[Action[Any]]]:
    return [Sms]


def try_it() -> None:
    assert_type(run_action(Sms, {"to": "1", "token": "t"}), Outcome)
    assert_type(call_for(Sms, {"to": "1", "token": "t"}).settings, SmsSettings)


async def open_it() -> None:
    async with open_action(Sms) as sms:
        assert_type(sms, Sms)


def web(application: Any) -> None:
    api = runtime_app(runtime, tokens={"t": ["read"]})
    with_runtime(application, runtime, mounts={"/hooks": api})
    runtime_app(runtime, allow=lambda scope, needed: needed == "read")
    runtime_app(runtime, allow="local")


verify({"webhook-id": "msg_1"}, b"{}", "whsec_...")
