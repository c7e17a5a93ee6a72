"""What Logto sends goes in by the source `logto`, and out by `format: logto` byte for byte, but for `hookId`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hookrt.sources.logto_events import EVENT_TYPES

Within = Callable[..., None]
Make = Callable[..., dict[str, Any]]
Verified = Callable[..., dict[str, Any]]

ALL = 'hooks: {all: {on: "**", from: logto, steps: [{webhook: {to: app}, retry: logto}]}}\n'


def test_every_event_goes_out_as_it_came_in(within: Within, verified: Verified, make: Make) -> None:
    async def happens(world: Any) -> None:
        for event in EVENT_TYPES:
            body = sent(make(event))
            [request] = await world.take(body)
            verified(request)
            assert request.body == body.replace(b'"hookId":"k3v9x1q7m0w5z8b2n4c6p"', b'"hookId":"all"'), event
            assert request.headers["user-agent"] == "Logto (https://logto.io/)"

    within(ALL, happens)


def sent(payload: dict[str, Any]) -> bytes:
    """The bytes that Logto sends; some of them another writer of JSON would write otherwise."""
    hook = payload.pop("hookId")
    odd = {**payload, "custom": {"n": "NUMBER", "text": "Zoë ☃ </script> \\ \u2028"}, "hookId": hook}
    return json.dumps(odd, ensure_ascii=False, separators=(",", ":")).replace('"NUMBER"', "1.10").encode()


def test_the_same_bytes_again_are_no_second_event(within: Within, make: Make) -> None:
    async def happens(world: Any) -> None:
        body = make("PostSignIn")
        first, second = await world.send(body), await world.send(body)
        assert (first.status_code, first.json()) == (second.status_code, second.json())
        await world.settled()
        assert len(world.receiver.requests) == 1

    within(ALL, happens)
