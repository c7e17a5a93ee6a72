"""The contract of every source that fetches, kept by `nats` with a real server."""

import nats
import pytest
from hookrt_nats import NatsSource

from hookrt.testing import FetchingSourceContract


class TestNats(FetchingSourceContract):
    source = NatsSource
    invalid_settings = ({}, {"url": "nats://127.0.0.1"}, {"url": "nats://127.0.0.1", "stream": "a b"})
    secrets = ("pw-of-nats",)

    @pytest.fixture(autouse=True)
    def place(self, server, stream, monkeypatch):
        monkeypatch.setattr("hookrt_nats.intake._FIRST_DELAY_S", 0.05)
        self.url, self.stream = server.url, stream

    def make_settings(self):
        return {"url": self.url, "stream": self.stream, "ack_wait": "1s"}

    def make_settings_away(self):
        return {"url": "nats://me:pw-of-nats@127.0.0.1:1", "stream": self.stream}

    async def send(self, count):
        client = await nats.connect(self.url)
        for number in range(count):
            await client.jetstream().publish(f"{self.stream}.paid", str(number).encode())
        await client.close()

    async def unacknowledged(self):
        client = await nats.connect(self.url)
        try:
            consumers = await client.jetstream().consumers_info(self.stream)
            return sum(one.num_ack_pending + one.num_pending for one in consumers)
        finally:
            await client.close()
