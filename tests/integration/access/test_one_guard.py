"""One guard for all that sends: `call.http`, its httpx face, token requests, and the HTTP of snippets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookrt import Runtime
from hookrt.plugin import HttpError

INSIDE = ["http://169.254.169.254/latest/meta-data/", "http://0xa9fea9fe/", "http://[::ffff:169.254.169.254]/"]
SNIPPET = """
hooks:
  one:
    on: A.B
    retry: none
    steps:
      - python:
          allow: {http: ["http://169.254.169.254"]}
          code: |
            def run(event, ctx):
                return ctx.http.get("http://169.254.169.254/").status
"""
TOKEN = """
destinations:
  crm:
    url: https://crm.example.com
    auth: {oauth2: {token_url: "http://169.254.169.254/token", client_id: a, client_secret: b0b0b0}}
hooks:
  one:
    on: A.B
    retry: none
    steps:
      - webhook: {to: crm}
"""


async def last_attempt(runtime: Runtime) -> Any:
    [delivery] = await (await runtime.emit("A.B")).wait(timeout=60)
    return (await runtime.store.attempts(delivery.id))[-1]


@pytest.mark.parametrize("url", INSIDE)
def test_call_http_and_its_httpx_face_pass_the_guard(url: str) -> None:
    async def run() -> None:
        runtime, told = Runtime(store="memory:"), []

        @runtime.on("A.B", name="one")
        async def one(event: Any, call: Any) -> None:
            with pytest.raises(HttpError) as raised:
                await call.http.send("GET", url)
            with pytest.raises(httpx.HTTPError) as through_httpx:
                await call.http.client.get(url)
            told.append((raised.value.reason, through_httpx.value.reason))  # type: ignore[attr-defined]

        async with runtime:
            assert (await last_attempt(runtime)).outcome == "done"
        assert told == [("blocked-address", "blocked-address")]

    asyncio.run(run())


@pytest.mark.parametrize(("text", "reason"), [(SNIPPET, "error"), (TOKEN, "token")])
def test_snippets_and_token_requests_pass_the_guard(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "hooks.yaml").write_text(text)

    async def run() -> None:
        async with Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", env={}) as runtime:
            attempt = await last_attempt(runtime)
            assert attempt.reason == reason, attempt
            assert "metadata" in attempt.message

    asyncio.run(run())
