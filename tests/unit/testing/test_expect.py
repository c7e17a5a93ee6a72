"""What a test expects of requests, and what it is told when they are others."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from hookrt.signing import SigningKey, new_secret, sign
from hookrt.testing import RecordedHttp

SECRET = new_secret()
NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)


def signed(body: bytes) -> dict[str, str]:
    stamp = int(NOW.timestamp())
    names = {"webhook-id": "msg_1", "webhook-timestamp": str(stamp)}
    return {**names, "webhook-signature": sign([SigningKey.parse(SECRET)], "msg_1", stamp, body)}


@pytest.fixture
def http() -> RecordedHttp:
    made = RecordedHttp()

    async def send() -> None:
        await made.send("GET", "https://example.com/first", headers={"X-Kind": "a"}, params={"page": "2"})
        await made.send("POST", "https://example.com/second", content=b'{"n":1}', headers=signed(b'{"n":1}'))

    asyncio.run(send())
    return made


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ({}, "/first"),
        ({"method": "POST"}, "/second"),
        ({"query": {"page": "2"}, "headers": {"x-kind": "a"}}, "/first"),
        ({"headers": {"X-KIND": "a"}}, "/first"),
        ({"json": {"n": 1}}, "/second"),
        ({"body": b'{"n":1}', "signed_with": SECRET, "now": NOW}, "/second"),
        ({"signed_with": [new_secret(), SECRET], "now": NOW}, "/second"),
    ],
)
def test_the_first_request_that_is_as_expected_is_found(
    http: RecordedHttp, expected: dict[str, Any], path: str
) -> None:
    assert http.assert_received(**expected).path == path


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"path": "/third"}, "1. GET /first: its path is '/first', not '/third'"),
        ({"method": "PUT"}, "2. POST /second: its method is 'POST', not 'PUT'"),
        ({"query": {"page": "3"}}, "its query page is '2', not '3'"),
        ({"headers": {"x-kind": "b"}}, "its header x-kind is None, not 'b'"),
        ({"json": {"n": 2}}, "its JSON is {'n': 1}, not {'n': 2}"),
        ({"json": {"n": 2}}, "1. GET /first: its body is no JSON"),
        ({"signed_with": new_secret(), "now": NOW}, "2. POST /second: its signature does not hold"),
    ],
)
def test_of_the_others_is_said_what_they_have_instead(http: RecordedHttp, expected: dict[str, Any], said: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(said)):
        http.assert_received(**expected)


def test_where_nothing_came_that_is_said(http: RecordedHttp) -> None:
    with pytest.raises(AssertionError, match="requests have come: GET /first, POST /second"):
        http.assert_nothing_received()
    http.forget()
    http.assert_nothing_received()
    with pytest.raises(AssertionError, match="no request has come"):
        http.assert_received()
