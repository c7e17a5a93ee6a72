"""What ASGI asks for beside requests."""

import asyncio

from hookrt.web.app import build_app
from hookrt.web.options import WebOptions


def talk(kind: str, *messages: str) -> list[dict]:
    """What the application says to these messages; it asks nothing of the runtime or the log."""
    app = build_app(None, WebOptions(log=None))
    left, said = list(messages), []

    async def receive():
        return {"type": left.pop(0)}

    async def send(message):
        said.append(message)

    asyncio.run(app({"type": kind}, receive, send))
    return said


def test_lifespan_is_answered():
    said = talk("lifespan", "lifespan.startup", "lifespan.shutdown")
    assert [message["type"] for message in said] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_websocket_is_closed():
    assert [message["type"] for message in talk("websocket")] == ["websocket.close"]
