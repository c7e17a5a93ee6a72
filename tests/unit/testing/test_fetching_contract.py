"""The contract of sources that fetch: a sound one passes, and each fault that it is there for is found."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from contextlib import suppress

import pytest

from hookrt.plugin import EventError, Overloaded, Secret, Settings, Source, SourceRun, StoreError
from hookrt.testing import FetchingSourceContract
from hookrt.testing import fetching_contract as kit


class Broker:
    """A queue that gives a message until it is acknowledged."""

    def __init__(self) -> None:
        self.messages: deque[str] = deque()
        self.sent = 0

    def send(self, count: int) -> None:
        for _ in range(count):
            self.sent += 1
            self.messages.append(f"m{self.sent}")


BROKERS: dict[str, Broker] = {}


class QueueSettings(Settings):
    queue: str
    password: Secret
    type: str = "Queue.Message"


class Queue(Source[QueueSettings]):
    """Messages of a queue."""

    name = "queue"

    def types(self, settings: QueueSettings) -> list[str]:
        return [settings.type]

    async def run(self, source: SourceRun[QueueSettings]) -> None:
        while (broker := BROKERS.get(source.settings.queue)) is None:
            source.log.warning("queue-away", why="nobody is there")
            await source.clock.sleep(1)
        while True:
            while broker.messages:
                await self.take(source, broker)
            await source.clock.sleep(1)

    async def take(self, source: SourceRun[QueueSettings], broker: Broker) -> None:
        try:
            await source.emit(source.settings.type, {"m": 1}, id=broker.messages[0])
        except (Overloaded, StoreError):
            await source.clock.sleep(1)
        else:
            broker.messages.popleft()


class AcknowledgesFirst(Queue):
    """It forgets what was not stored."""

    async def take(self, source: SourceRun[QueueSettings], broker: Broker) -> None:
        message = broker.messages.popleft()
        for _ in range(3):
            try:
                await source.emit(source.settings.type, id=message)
                return
            except (EventError, StoreError, Overloaded):
                await source.clock.sleep(1)


class GivesUp(Queue):
    """It drops what the store refuses."""

    async def take(self, source: SourceRun[QueueSettings], broker: Broker) -> None:
        with suppress(Overloaded, StoreError):
            await source.emit(source.settings.type, id=broker.messages[0])
        broker.messages.popleft()


class NeverAcknowledges(Queue):
    """It leaves everything there."""

    async def take(self, source: SourceRun[QueueSettings], broker: Broker) -> None:
        await source.emit(source.settings.type, id=broker.messages[0])
        await source.clock.sleep(1)


class Crashes(Queue):
    """It ends when nobody is there."""

    async def run(self, source: SourceRun[QueueSettings]) -> None:
        BROKERS[source.settings.queue]
        await super().run(source)


class Tells(Queue):
    """It shows the password."""

    async def run(self, source: SourceRun[QueueSettings]) -> None:
        source.log.warning("queue-away", password=source.settings.password.get_secret_value())
        await super().run(source)


class Deaf(Queue):
    """It does not stop."""

    async def run(self, source: SourceRun[QueueSettings]) -> None:
        stubborn = 0
        while stubborn < 2:
            try:
                await super().run(source)
            except asyncio.CancelledError:
                stubborn += 1


class Messy(Queue):
    """It leaves a task."""

    async def run(self, source: SourceRun[QueueSettings]) -> None:
        self.left = asyncio.create_task(asyncio.Event().wait())
        await super().run(source)


class OtherTypes(Queue):
    """It sends what it does not publish."""

    def types(self, settings: QueueSettings) -> list[str]:
        return ["Something.Else"]


class TestQueue(FetchingSourceContract):
    source = Queue
    secrets = ("s3cret-of-the-queue",)
    invalid_settings = ({}, {"queue": 1, "password": "x"})

    @pytest.fixture(autouse=True)
    def broker(self, request: pytest.FixtureRequest) -> None:
        self.name = request.node.name
        BROKERS[self.name] = Broker()

    def make_settings(self) -> dict[str, str]:
        return {"queue": self.name, "password": "s3cret-of-the-queue"}

    def make_settings_away(self) -> dict[str, str]:
        return {"queue": "no such queue", "password": "s3cret-of-the-queue"}

    async def send(self, count: int) -> None:
        BROKERS[self.name].send(count)

    async def unacknowledged(self) -> int:
        return len(BROKERS[self.name].messages)


@pytest.mark.parametrize(
    ("bad", "rule", "said"),
    [
        (AcknowledgesFirst, "what_is_not_stored_is_not_acknowledged", "it is acknowledged before it is stored"),
        (AcknowledgesFirst, "what_was_not_stored_when_it_ended", "it is acknowledged, and was never stored"),
        (GivesUp, "what_is_not_stored_is_not_acknowledged", "what was not stored does not come again"),
        (NeverAcknowledges, "what_is_not_stored_is_not_acknowledged", "what is stored is not acknowledged"),
        (Crashes, "a_server_that_is_not_there", "it ends where it should go on trying: KeyError"),
        (Tells, "a_server_that_is_not_there", "a secret shows"),
        (Deaf, "it_stops_promptly", "it does not stop when it is cancelled"),
        (Messy, "it_stops_promptly", "it leaves tasks behind"),
        (OtherTypes, "its_events_are_stored", "'Queue.Message' is none of its types"),
    ],
)
def test_each_fault_is_found(bad, rule, said, tmp_path, monkeypatch):
    monkeypatch.setattr(kit, "PATIENCE_S", 0.4)
    monkeypatch.setattr(kit, "STOP_S", 0.1)
    contract = type("Contract", (TestQueue,), {"source": bad})()
    contract.name = f"{bad.__name__} {rule}"
    BROKERS[contract.name] = Broker()
    [test] = [one for name, one in inspect.getmembers(contract) if name.startswith(f"test_{rule}")]
    with pytest.raises(AssertionError, match=said):
        test(tmp_path)
