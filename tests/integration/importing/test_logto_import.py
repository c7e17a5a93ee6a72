"""A receiver of Logto's webhooks gets from the imported hooks what it got from Logto, signed with the same key."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookrt import Runtime, verify
from hookrt.importing.logto import translate
from hookrt.importing.naming import variable
from hookrt.signing import BODY_SCHEMES
from hookrt.web.app import build_app
from hookrt.web.options import WebOptions
from hookrt.web.server import WebServer

KEY, NEW_KEY = "k" * 32, "n" * 32


class Endpoint:
    """A receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.taken.append((dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/logto"


@pytest.fixture
def endpoint() -> Any:
    found = Endpoint()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def test_a_receiver_of_logtos_webhooks_notices_nothing(endpoint: Endpoint, tmp_path: Path) -> None:
    headers = {"X-Env": "prod", "Authorization": "Bearer of-the-endpoint"}
    config = {"url": endpoint.url, "headers": headers, "retries": 3}
    answer = [{"id": "h1", "name": "Sync", "events": ["PostSignIn"], "config": config, "signingKey": KEY}]
    (tmp_path / "logto.json").write_text(json.dumps(answer))
    found = translate(tmp_path / "logto.json")
    (tmp_path / "hooks.yaml").write_text(found.text)
    env = {variable(name): value for name, value in {**found.secrets, "LOGTO_KEY": NEW_KEY}.items()}
    payload = {"event": "PostSignIn", "createdAt": datetime.now(UTC).isoformat(), "userId": "u1", "hookId": "h2"}
    sent = json.dumps(payload, separators=(",", ":")).encode()

    async def scenario() -> None:
        async with Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env=env) as runtime:
            server = WebServer(build_app(runtime, WebOptions(log=runtime._parts.log)), port=0)
            await server.start()
            try:
                async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                    signature = {"logto-signature-sha-256": BODY_SCHEMES["logto"].sign(NEW_KEY, sent)}
                    answered = await client.post("/in/logto", content=sent, headers=signature)
                    assert answered.status_code == 200
                async with asyncio.timeout(30):
                    while not endpoint.taken:
                        await asyncio.sleep(0.01)
            finally:
                await server.stop()

    asyncio.run(scenario())
    [(got, body)] = endpoint.taken
    verify(got, body, KEY, scheme="logto")
    assert {name: got[name] for name in headers} == headers
    assert json.loads(body) == {**payload, "createdAt": json.loads(body)["createdAt"], "hookId": "sync"}
