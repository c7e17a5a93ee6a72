"""What retention does to a running service, seen over HTTP."""

import asyncio
import time

import pytest

from hookrt.observability.metrics import Metrics
from hookrt.runtime import Runtime

DAY_S = 24 * 3600
HOOKS = """
service:
  retention: {payload: 1h, dead: 40d}
hooks:
  keep:
    on: User.Created
    steps: [{log: "got ${{ event.data.n }}"}]
"""


class AdvancedClock:
    """Real time that a test sets forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now_us(self) -> int:
        return int((time.time() + self.ahead) * 1_000_000)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    async def hurry(self) -> None:
        """Let a minute pass in a quarter of a second."""
        while True:
            await asyncio.sleep(0.05)
            self.ahead += 12

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.01))


@pytest.fixture
def with_service(tmp_path, store_url, serving):
    """Run a scenario with a client, the clock and the metrics of a service."""

    def run(scenario) -> None:
        async def main() -> None:
            (tmp_path / "hooks.yaml").write_text(HOOKS)
            clock, metrics = AdvancedClock(), Metrics()
            runtime = Runtime.from_file(
                tmp_path / "hooks.yaml", store=store_url, env={}, clock=clock, observers=[metrics]
            )
            async with serving(runtime) as (client, _, _runtime):
                hurry = asyncio.create_task(clock.hurry())
                await scenario(client, clock, metrics)
                hurry.cancel()

        asyncio.run(main())

    return run


async def until(ask, condition, seconds: float = 20):
    """The first answer for which the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition(answer := await ask()):
            await asyncio.sleep(0.01)
    return answer


async def post(client, identity: str):
    return await client.post("/v1/events", json={"type": "User.Created", "id": identity, "data": {"n": 1}})


async def delivered(client, identity: str) -> str:
    """Post an event; the id of its delivery, once that has succeeded."""
    [delivery] = (await post(client, identity)).json()["deliveries"]
    await until(lambda: client.get(f"/v1/deliveries/{delivery}"), lambda one: one.json()["status"] == "succeeded")
    return delivery


def test_a_dropped_payload_is_told_of_and_cannot_be_sent_again(with_service) -> None:
    async def scenario(client, clock, metrics) -> None:
        delivery = await delivered(client, "e1")
        shown = (await client.get("/v1/events/e1")).json()
        assert (shown["data"], shown["payload_dropped"]) == ({"n": 1}, False)
        clock.ahead += 2 * 3600
        answer = await until(lambda: client.get("/v1/events/e1"), lambda one: one.json()["payload_dropped"])
        assert (answer.json()["data"], answer.json()["size"], answer.json()["id"]) == (None, 0, "e1")
        assert [one["id"] for one in answer.json()["deliveries"]] == [delivery]
        replay = await client.post(f"/v1/deliveries/{delivery}/replay", json={})
        assert replay.status_code == 409
        assert "payload was dropped" in replay.json()["detail"]
        explained = await client.post("/v1/explain?id=e1", headers={"content-type": "application/json"})
        assert (explained.status_code, "dropped" in explained.json()["detail"]) == (409, True)
        again = (await post(client, "e1")).json()
        assert (again["duplicate"], again["deliveries"]) == (True, [delivery])
        assert b"hookrt_payloads_dropped_total 1.0" in metrics.render()[0]

    with_service(scenario)


def test_jobs_skip_what_cannot_be_sent_again(with_service) -> None:
    async def scenario(client, clock, metrics) -> None:
        delivery = await delivered(client, "e1")
        clock.ahead += 2 * 3600
        await until(lambda: client.get("/v1/events/e1"), lambda one: one.json()["payload_dropped"])
        assert (await client.get(f"/v1/deliveries/{delivery}")).json()["payload_dropped"] is True
        await delivered(client, "e2")

        async def replayed(what: str, **asked) -> tuple[int, int, int]:
            job = (await client.post(f"/v1/{what}/replay", json=asked)).json()
            ended = await until(lambda: client.get(f"/v1/jobs/{job['id']}"), lambda one: one.json()["status"] == "done")
            return tuple(ended.json()[name] for name in ("done", "skipped", "failed"))

        assert await replayed("deliveries", hook="keep", status=["succeeded"]) == (1, 1, 0)
        assert await replayed("events", hook="keep", again=True) == (1, 0, 0)

    with_service(scenario)


def test_an_old_event_is_gone_with_its_deliveries_and_the_metrics_say_so(with_service) -> None:
    async def scenario(client, clock, metrics) -> None:
        delivery = await delivered(client, "e1")
        await delivered(client, "e2")
        clock.ahead += 7 * DAY_S + 3600
        await until(lambda: client.get("/v1/events/e1"), lambda one: one.status_code == 404)
        assert (await client.get(f"/v1/deliveries/{delivery}")).status_code == 404
        assert (await client.get("/v1/events/e2")).status_code == 200  # the newest stays
        assert (await post(client, "e1")).json()["duplicate"] is False

        async def text() -> bytes:
            return metrics.render()[0]

        await until(text, lambda one: b'hookrt_rows_removed_total{table="attempts"} 1.0' in one)
        assert b'hookrt_rows_removed_total{table="events"} 1.0' in await text()
        assert b"hookrt_store_bytes " in await text()
        assert b"hookrt_store_free_bytes " in await text()

    with_service(scenario)
