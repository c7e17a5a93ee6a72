"""RULES "Lanes": breaker, rate and rest of the rendered origin are checked before sending, whatever the action is."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest

from hookrt.delivery.breaker import State
from hookrt.model.attempt import Exchange
from hookrt.model.breaker_policy import BreakerPolicy
from hookrt.model.delivery import Status
from hookrt.model.hook import Destination
from hookrt.model.outcome import Outcome
from hookrt.model.policy import fixed
from hookrt.plugin.protocols import HttpError

LATER = fixed(timedelta(hours=1), 10)
TRIPS = BreakerPolicy(failures=2, pause=timedelta(seconds=30))


async def waiting(given: Any, world: Any, accepted: Any) -> Any:
    async def is_waiting() -> bool:
        return (await world.store.delivery(accepted.deliveries[0])).delivery.status is Status.WAITING

    await given.until(is_waiting)
    return (await world.store.delivery(accepted.deliveries[0])).delivery


class Web:
    """A way out into a small world of statuses by URL; what is not there refuses the connection."""

    exchange: Exchange | None = None

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.sent: list[str] = []

    def http_for(self, trusted_origins: tuple[str, ...], timeout_s: float) -> Any:
        return self

    def restart(self) -> None:
        pass

    async def send(self, method: str, url: str, **options: Any) -> Any:
        self.sent.append(url)
        host = url.removeprefix("http://").split(".")[0].lower()
        if host not in self.statuses:
            raise HttpError("refused", f"the connection to {host} was refused")

        class Answer:
            status_code = self.statuses[host]
            headers: dict[str, str] = {}  # noqa: RUF012 - nobody changes it

        return Answer()


async def posts(call: Any) -> Outcome:
    """As an action that knows nothing of gates."""
    for url in call.event.data:
        answer = Outcome.from_response(await call.http.send("POST", url))
        if answer.kind != "done":
            return answer
    return Outcome.done()


def test_the_breaker_of_the_rendered_origin_postpones_what_goes_there_and_only_that(given) -> None:
    async def run() -> None:
        web = Web(up=200)
        async with given.world([given.hook(given.step("post", lane="hook:hook"))], {"post": posts}) as world:
            world.ports.way_out = web
            world.ports.destinations = {"http://down.example": Destination("http://down.example", breaker=TRIPS)}
            for _ in range(2):
                assert (await world.delivered(["http://down.example/a"])).reason == "refused"
            refused = await waiting(given, world, await world.emit(["http://DOWN.example.:80/b"]))
            assert (refused.reason, refused.attempts) == ("breaker-open", 0)
            assert (await world.delivered(["http://up.example/"])).status is Status.SUCCEEDED
            assert len(web.sent) == 3
            web.statuses["down"] = 200
            world.clock.ahead += 60
            [delivery] = await world.engine.waiters.wait([refused.id], 5)
            assert (delivery.status, delivery.attempts) == (Status.SUCCEEDED, 1)

    asyncio.run(run())


def test_origins_that_no_destination_names_have_a_breaker_too_once_they_fail(given) -> None:
    async def run() -> None:
        web = Web(up=200)
        async with given.world([given.hook(given.step("post", lane="hook:hook"))], {"post": posts}) as world:
            world.ports.way_out = web
            for _ in range(10):
                await world.delivered(["http://down.example/"])
            refused = await waiting(given, world, await world.emit(["http://down.example/"]))
            assert (refused.reason, refused.attempts) == ("breaker-open", 0)
            assert (await world.delivered(["http://up.example/"])).status is Status.SUCCEEDED

    asyncio.run(run())


async def hurries(call: Any) -> Outcome:
    """As a snippet that wants others to believe that an endpoint is down."""
    seconds = call.event.data
    for _ in range(10):
        with contextlib.suppress(HttpError):
            await call.http.send("POST", "http://slow.example/", timeout=timedelta(seconds=seconds))
    return Outcome.done()


@pytest.mark.parametrize(("seconds", "opened"), [(0, False), (0.5, False), (1, True)])
def test_a_timeout_that_its_caller_chose_too_short_says_nothing_about_the_endpoint(
    given, seconds: float, opened: bool
) -> None:
    class Slow(Web):
        async def send(self, method: str, url: str, **options: Any) -> Any:
            raise HttpError("timeout", "no answer")

    async def run() -> None:
        hooks = [given.hook(given.step("hurry", lane="hook:hook"))]
        async with given.world(hooks, {"hurry": hurries}) as world:
            world.ports.way_out = Slow()
            world.ports.destinations = {"http://slow.example": Destination("http://slow.example", breaker=TRIPS)}
            await world.delivered(seconds)
            assert (State.OPEN in world.engine.gates.states().values()) is opened

    asyncio.run(run())


def test_the_rate_of_the_rendered_origin_postpones(given) -> None:
    async def run() -> None:
        web = Web(up=200, other=200)
        async with given.world([given.hook(given.step("post", lane="hook:hook"))], {"post": posts}) as world:
            world.ports.way_out = web
            world.ports.destinations = {"http://up.example": Destination("http://up.example", rate=0.1)}
            assert (await world.delivered(["http://up.example/"])).status is Status.SUCCEEDED
            later = [await waiting(given, world, await world.emit(["http://up.example/"])) for _ in range(3)]
            assert {(one.reason, one.attempts) for one in later} == {("rate-limited", 0)}
            dues = [one.due_us for one in later]
            assert [round((due - dues[0]) / 1e6) for due in dues] == [0, 10, 20]
            assert (await world.delivered(["http://other.example/"])).status is Status.SUCCEEDED
            for one in later:
                world.clock.ahead += 10
                assert (await world.engine.waiters.wait([one.id], 5))[0].status is Status.SUCCEEDED
            assert web.sent.count("http://up.example/") == 4

    asyncio.run(run())


def test_a_refusal_after_something_was_sent_is_an_attempt(given) -> None:
    async def run() -> None:
        hook = given.hook(given.step("post", lane="hook:hook", retry=LATER))
        async with given.world([hook], {"post": posts}) as world:
            world.ports.way_out = Web(up=200)
            world.ports.destinations = {"http://down.example": Destination("http://down.example", breaker=TRIPS)}
            for _ in range(2):
                await waiting(given, world, await world.emit(["http://down.example/"]))
            found = await waiting(given, world, await world.emit(["http://up.example/", "http://down.example/"]))
            assert (found.reason, found.attempts) == ("breaker-open", 1)

    asyncio.run(run())


def test_a_rendered_origin_that_is_busy_rests_alone(given) -> None:
    async def run() -> None:
        web = Web(busy=429, up=200)
        hook = given.hook(given.step("post", lane="hook:hook", retry=LATER))
        async with given.world([hook], {"post": posts}) as world:
            world.ports.way_out = web
            first = await waiting(given, world, await world.emit(["http://busy.example/"]))
            assert first.attempts == 1
            second = await waiting(given, world, await world.emit(["http://busy.example/"]))
            assert (second.reason, second.attempts) == ("lane-resting", 0)
            assert (await world.delivered(["http://up.example/"])).status is Status.SUCCEEDED

    asyncio.run(run())
