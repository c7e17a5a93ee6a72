"""What a source that fetches its events says of itself: shown by `/readyz`, the API and the metrics, masked."""

import asyncio

import pytest

from hookrt import Runtime
from hookrt.observability.metrics import Metrics
from hookrt.plugin import Secret, Settings, Source, SourceRun
from hookrt.plugin.manager import load_plugins
from hookrt.web.load import load_of

FILE = """
sources:
  orders: {fetching: {url: "${{ secrets.URL }}"}}
hooks:
  paid: {on: order.paid, steps: [{log: x}]}
"""


class FetchSettings(Settings):
    url: Secret


@pytest.fixture
def fetching():
    """A source that is away until it may go on; then two things are refused, and it comes to what it was told."""

    class Fetching(Source[FetchSettings]):
        name = "fetching"
        go_on, end = asyncio.Event(), asyncio.Event()

        async def run(self, source: SourceRun[FetchSettings]) -> None:
            source.report.away(f"no connection to {source.settings.url.get_secret_value()}")
            await self.go_on.wait()
            source.report.connected()
            for reason in ("too-large", "made up"):
                source.report.refused(reason)
            await self.end.wait()
            raise RuntimeError("broken")

    return Fetching


@pytest.fixture
def runtime(tmp_path, store_url, fetching):
    (tmp_path / "hooks.yaml").write_text(FILE)
    registry = load_plugins()
    registry.add_source(fetching)
    env = {"HOOKRT_SECRET_URL": "broker://me:hidden@there"}
    return Runtime.from_file(tmp_path / "hooks.yaml", store=store_url, registry=registry, env=env)


async def ready_when(client, wanted):
    """What `/readyz` says, once the sources that are away are as wanted."""
    async with asyncio.timeout(20):
        while not wanted((answer := (await client.get("/readyz")).json()).get("sources_away")):
            await asyncio.sleep(0)
    return answer


def test_a_source_that_is_away_is_told_and_what_it_refuses_is_counted(serving, runtime, fetching):
    metrics = Metrics(lambda: load_of(runtime))
    runtime.registry.observers.append(metrics)

    async def scenario():
        async with serving(runtime, metrics=metrics.render) as (client, _, _):
            away = await ready_when(client, bool)
            figures = (await client.get("/metrics")).text
            fetching.go_on.set()
            back = await ready_when(client, lambda found: not found)
            [shown] = (await client.get("/v1/sources")).json()["items"]
            fetching.end.set()
            failed = await ready_when(client, bool)
            return away, figures, back, shown, failed, (await client.get("/metrics")).text

    away, figures, back, shown, failed, after = asyncio.run(scenario())
    assert (away["ready"], away["sources_away"]) == (True, {"orders": "no connection to ***"})
    assert 'hookrt_source_away{source="orders"} 1.0' in figures
    assert "sources_away" not in back
    assert (shown["requests"], shown["last_refusal"], shown["away"]) == ({"too-large": 1, "failed": 1}, "failed", None)
    assert failed["sources_away"] == {"orders": "it failed, and is started again soon: RuntimeError('broken')"}
    assert 'hookrt_inbound_total{outcome="too-large",source="orders"} 1.0' in after
