"""Real endpoints on loopback that are busy, refuse or hang: what is sent to them, and that nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from socket import socket
from typing import Any

import httpx

from hookrt import Runtime
from hookrt.model.delivery import Delivery, Status
from hookrt.observability.log import get_log
from hookrt.observability.metrics import Load, Metrics
from hookrt.plugin import Action, ActionCall, Outcome, Settings
from hookrt.plugin.manager import load_plugins
from hookrt.testing import Answer, Receiver
from hookrt.web.app import build_app
from hookrt.web.options import WebOptions

LOOPBACK = "service: {egress: {allow: [127.0.0.0/8]}, poll: 50ms}\n"
TRIPS = "breaker: {failures: 2, pause: 300ms}"
HOOK = """
  %s:
    on: %s
    steps: [{webhook: {%s}, timeout: 400ms, retry: [1h, 1h]}]
"""


def a_hook(name: str, settings: str, on: str = "A") -> str:
    return HOOK % (name, on, settings)


@asynccontextmanager
async def running(tmp_path: Path, destinations: str, *hooks: str, **options: Any) -> AsyncIterator[Runtime]:
    path = tmp_path / "hooks.yaml"
    text = f"{LOOPBACK}destinations:\n{destinations}\n" if destinations else LOOPBACK
    path.write_text(text + "hooks:" + "".join(hooks))
    async with Runtime.from_file(path, env={}, **options) as runtime:
        yield runtime


async def until(runtime: Runtime, delivery: str, holds: Callable[[Delivery], bool]) -> Delivery:
    async with asyncio.timeout(15):
        while True:
            found = await runtime.store.delivery(delivery)
            assert found is not None
            if holds(found.delivery):
                return found.delivery
            await asyncio.sleep(0.01)


async def waits(runtime: Runtime, data: Any = None, type: str = "A") -> Delivery:
    receipt = await runtime.emit(type, data)
    return await until(runtime, receipt.deliveries[0], lambda one: one.status is Status.WAITING)


async def succeeds(runtime: Runtime, data: Any = None, type: str = "A") -> Delivery:
    [delivery] = await (await runtime.emit(type, data)).wait(timeout=15)
    assert delivery.status is Status.SUCCEEDED
    return delivery


async def breaker_is(runtime: Runtime, lane: str, state: str) -> None:
    async with asyncio.timeout(15):
        while runtime.breakers.get(lane) != state:
            await asyncio.sleep(0.01)


def stamped(times: list[float], answer: Answer | None = None) -> Callable[[Any], Answer]:
    def note(request: Any) -> Answer:
        times.append(time.monotonic())
        return answer or Answer()

    return note


def nothing_listens() -> int:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def listening(port: int) -> AsyncIterator[list[bytes]]:
    """An endpoint that comes up on this port and answers 200."""
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    async with server:
        yield heads


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))


def test_503_with_retry_after_lets_the_whole_lane_rest_that_long(tmp_path: Path) -> None:
    async def test() -> None:
        times: list[float] = []
        async with Receiver() as receiver, Receiver() as other:
            receiver.answer(stamped(times, Answer(503, headers={"retry-after": "1"})), stamped(times))
            hooks = a_hook("one", f"url: {receiver.url}"), a_hook("two", f"url: {other.url}", "B")
            async with running(tmp_path, "", *hooks) as runtime:
                assert (await waits(runtime)).attempts == 1
                receipts = [await runtime.emit("A", n) for n in range(5)]
                await succeeds(runtime, type="B")
                assert len(times) == 1, "the other endpoint had its event at once, this one rests"
                for receipt in receipts:
                    [delivery] = await receipt.wait(timeout=15)
                    assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 1)
            assert times[1] - times[0] >= 1.0

    run(test)


def test_429_with_a_long_retry_after_returns_the_others_and_delays_no_stop(tmp_path: Path) -> None:
    async def test() -> None:
        async with Receiver() as receiver:
            receiver.answer(Answer(429, headers={"retry-after": "600"}))
            async with running(tmp_path, "", a_hook("one", f"url: {receiver.url}")) as runtime:
                await waits(runtime)
                others = [await waits(runtime, n) for n in range(5)]
                assert {(one.reason, one.attempts) for one in others} == {("lane-resting", 0)}
                assert all(one.due_us - one.created_us > 590_000_000 for one in others)
                assert len(receiver.requests) == 1
                assert await runtime.stop(timedelta(hours=1))

    run(test)


def test_an_endpoint_that_refuses_costs_no_attempts_while_it_is_down(tmp_path: Path) -> None:
    async def test() -> None:
        port = nothing_listens()
        crm = f"  crm: {{url: http://127.0.0.1:{port}, {TRIPS}}}"
        async with running(tmp_path, crm, a_hook("one", "to: crm")) as runtime:
            for _ in range(2):
                assert (await waits(runtime)).reason == "refused"
            await breaker_is(runtime, "crm", "open")
            postponed = [await runtime.emit("A", n) for n in range(20)]
            for receipt in postponed[:1]:
                found = await until(runtime, receipt.deliveries[0], lambda one: one.reason == "breaker-open")
                assert (found.status, found.attempts) == (Status.WAITING, 0)
            async with listening(port) as heads:
                await breaker_is(runtime, "crm", "closed")
                ended = [(await receipt.wait(timeout=15))[0] for receipt in postponed]
            succeeded = [one for one in ended if one.status is Status.SUCCEEDED]
            assert {one.attempts for one in succeeded} == {1}
            probes = [one for one in ended if one.status is not Status.SUCCEEDED]
            assert all(one.attempts == 1 for one in probes), (
                "a probe that failed was an attempt, and waits for its retry"
            )
            assert len(heads) == len(succeeded) >= 10

    run(test)


def test_an_endpoint_that_hangs_is_left_alone_and_the_others_are_served(tmp_path: Path) -> None:
    async def test() -> None:
        async with Receiver() as hangs, Receiver() as other:
            hangs.answer(Answer(fault="timeout"))
            crm = f"  crm: {{url: {hangs.url}, concurrency: 2, breaker: {{failures: 2, pause: 1h}}}}"
            hooks = a_hook("one", "to: crm"), a_hook("two", f"url: {other.url}", "B")
            async with running(tmp_path, crm, *hooks) as runtime:
                receipts = [await runtime.emit("A", n) for n in range(50)]
                for _ in range(10):
                    await succeeds(runtime, type="B")
                await breaker_is(runtime, "crm", "open")
                found = []
                for receipt in receipts:
                    one = await until(runtime, receipt.deliveries[0], lambda one: one.status is not Status.RUNNING)
                    found.append((one.reason, one.attempts))
                tried = found.count(("timeout", 1))
                assert 2 <= tried <= 3, "one more may begin between the first failure and the second"
                assert {attempts for _, attempts in found} == {0, 1}
                assert found.count(("breaker-open", 0)) >= 13, "those in memory; the others wait untouched in the store"
                assert len(hangs.requests) == tried

    run(test)


def test_500_opens_the_breaker_and_404_does_not(tmp_path: Path) -> None:
    async def test() -> None:
        async with Receiver() as receiver:
            receiver.answer(Answer(404))
            crm = f"  crm: {{url: {receiver.url}, {TRIPS.replace('300ms', '1h')}}}"
            async with running(tmp_path, crm, a_hook("one", "to: crm")) as runtime:
                for _ in range(5):
                    assert (await waits(runtime)).attempts == 1
                receiver.answer(Answer(500))
                for _ in range(2):
                    assert (await waits(runtime)).attempts == 1
                assert (await waits(runtime)).reason == "breaker-open"

    run(test)


def test_a_rendered_url_has_the_breaker_of_its_origin_s_destination(tmp_path: Path) -> None:
    async def test() -> None:
        async with Receiver() as receiver, Receiver() as other:
            receiver.answer(Answer(500))
            entry = f'  "{receiver.url}": {{{TRIPS.replace("300ms", "1h")}}}'
            async with running(tmp_path, entry, a_hook("one", 'url: "${{ event.data.url }}"')) as runtime:
                for _ in range(2):
                    assert (await waits(runtime, {"url": receiver.url + "/a"})).reason == "status"
                odd = receiver.url.replace("127.0.0.1", "0x7f.1") + "/b"
                refused = await waits(runtime, {"url": odd})
                assert (refused.reason, refused.attempts) == ("breaker-open", 0)
                await succeeds(runtime, {"url": other.url})
            assert len(receiver.requests) == 2

    run(test)


def test_a_rendered_url_has_the_rate_of_its_origin_s_destination(tmp_path: Path) -> None:
    async def test() -> None:
        times: list[float] = []
        async with Receiver() as receiver:
            receiver.answer(stamped(times))
            entry = f'  "{receiver.url}": {{rate: 10/s}}'
            async with running(tmp_path, entry, a_hook("one", 'url: "${{ event.data.url }}"')) as runtime:
                receipts = [await runtime.emit("A", {"url": receiver.url}) for _ in range(8)]
                for receipt in receipts:
                    [delivery] = await receipt.wait(timeout=15)
                    assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 1)
            assert times[-1] - times[0] >= 0.5, "eight starts at ten a second, but for those that came late"

    run(test)


class KnowsHttpx(Action[Settings]):
    """What a third party may write: it knows httpx, and nothing of lanes."""

    name = "knows_httpx"

    async def run(self, call: ActionCall[Settings]) -> Outcome:
        try:
            response = await call.http.client.post(call.event.data["url"])
        except httpx.HTTPError as error:
            return Outcome.retry("no-answer", str(error))
        return Outcome.from_response(response)


def test_an_action_that_knows_only_httpx_is_postponed_without_an_attempt_too(tmp_path: Path) -> None:
    async def test() -> None:
        plugins = load_plugins()
        plugins.actions["knows_httpx"] = KnowsHttpx
        async with Receiver() as receiver:
            receiver.answer(Answer(500))
            entry = f'  "{receiver.url}": {{{TRIPS.replace("300ms", "1h")}}}'
            hook = "\n  one:\n    on: A\n    steps: [{knows_httpx: {}, retry: [1h]}]\n"
            async with running(tmp_path, entry, hook, registry=plugins) as runtime:
                for _ in range(2):
                    assert (await waits(runtime, {"url": receiver.url})).attempts == 1
                refused = await waits(runtime, {"url": receiver.url})
                assert (refused.reason, refused.attempts) == ("breaker-open", 0)
            assert len(receiver.requests) == 2

    run(test)


def test_an_open_breaker_shows_in_the_api_and_in_the_metrics(tmp_path: Path) -> None:
    async def test() -> None:
        metrics = Metrics()
        port = nothing_listens()
        crm = f"  crm: {{url: http://127.0.0.1:{port}, {TRIPS.replace('300ms', '1h')}}}"
        async with running(tmp_path, crm, a_hook("one", "to: crm"), observers=[metrics]) as runtime:
            metrics.load = lambda: Load(breakers=runtime.breakers)
            for _ in range(2):
                await waits(runtime)
            refused = await waits(runtime)
            app: Any = build_app(runtime, WebOptions(log=get_log("web", str)))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
                shown = (await client.get(f"/v1/deliveries/{refused.id}")).json()
            assert (shown["status"], shown["reason"], shown["attempts"]) == ("waiting", "breaker-open", [])
            assert (shown["lane"], shown["breaker"]) == ("crm", "open")
            text = metrics.render()[0].decode()
            assert 'hookrt_breaker_state{lane="crm"} 2.0' in text
            assert 'hookrt_breaker_changes_total{lane="crm",state="open"} 1.0' in text
            assert 'hookrt_lane_refusals_total{lane="crm",reason="breaker-open"} 1.0' in text

    run(test)
