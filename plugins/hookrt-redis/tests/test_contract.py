"""The contract of every source that fetches, kept by `redis_stream` with a real server."""

import pytest
from hookrt_redis import StreamSource
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from hookrt.testing import FetchingSourceContract


class TestStream(FetchingSourceContract):
    source = StreamSource
    invalid_settings = ({}, {"url": "redis://127.0.0.1"}, {"url": "http://127.0.0.1", "stream": "s"})
    secrets = ("pw-of-redis",)

    @pytest.fixture(autouse=True)
    def place(self, server, stream):
        self.url, self.stream = server.url, stream

    def make_settings(self):
        return {"url": self.url, "stream": self.stream, "type": "Order.Paid"}

    def make_settings_away(self):
        return {"url": "redis://:pw-of-redis@127.0.0.1:1", "stream": self.stream}

    async def send(self, count):
        async with Redis.from_url(self.url) as client:
            for number in range(count):
                await client.xadd(self.stream, {"data": str(number)})

    async def unacknowledged(self):
        async with Redis.from_url(self.url) as client:
            try:
                groups = await client.xinfo_groups(self.stream)
            except ResponseError:  # no group, no stream
                return 0
        return sum(one["pending"] + (one["lag"] or 0) for one in groups)
