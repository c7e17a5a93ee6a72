"""What docs/signing.md shows is accepted, runs, and fits together: what is sent is what the receivers verify."""

from __future__ import annotations

import asyncio
import re
import sys
import time
import types
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookrt.config.load import LoadOptions, load
from hookrt.plugin import KnownDestinations, SigningKey, sign
from hookrt.plugin.manager import load_plugins
from hookrt.signing import BODY_SCHEMES, new_key_pair, new_secret

TEXT = (Path(__file__).parents[2] / "docs" / "signing.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
FILES = [text for kind, text in BLOCKS if kind == "yaml"]
PROGRAMS = [text for kind, text in BLOCKS if kind == "python"]


def run(marker: str) -> types.ModuleType:
    [text] = [text for text in PROGRAMS if marker in text]
    module = types.ModuleType("example")
    exec(compile(text, "docs/signing.md", "exec", dont_inherit=True), module.__dict__)
    return module


@pytest.mark.parametrize("text", FILES, ids=range(len(FILES)))
def test_an_example_is_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "hooks.yaml"
    path.write_text(text)
    env = {f"HOOKRT_SECRET_{name}": new_secret() for name in re.findall(r"secrets\.(\w+)", text)}
    loaded = load(path, LoadOptions(registry=load_plugins(), env=env))
    assert [str(problem) for problem in loaded.problems] == []


def test_the_receiver_in_fastapi_takes_what_is_signed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    secret, (private, public) = new_secret(), new_key_pair()
    monkeypatch.setenv("WEBHOOK_SECRETS", f"{public} {secret}")
    app = run("FastAPI()").app

    def signed(secret: str, body: bytes, age: int = 0) -> dict[str, str]:
        now = int(time.time()) - age
        signature = sign([SigningKey.parse(secret)], "msg_1", now, body)
        return {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": signature}

    async def ask() -> list[tuple[int, Any]]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            sent = [
                signed(secret, b"{}"),
                signed(private, b"{}"),
                signed(secret, b"{ }"),
                signed(secret, b"{}", 600),
                {},
            ]
            answers = [await client.post("/webhook", content=b"{}", headers=headers) for headers in sent]
        return [(one.status_code, one.json()["detail"] if one.content else "") for one in answers]

    assert asyncio.run(ask()) == [
        (204, ""),
        (204, ""),
        (401, "no-match"),
        (401, "too-old"),
        (401, "missing-header"),
    ]


def test_the_verifier_of_logtos_requests_works() -> None:
    is_from_logto = run("# verify_others.py").is_from_logto
    headers = {"Logto-Signature-Sha-256": BODY_SCHEMES["logto"].sign("key", b"{}")}
    assert is_from_logto(headers, b"{}", ["old", "key"])
    assert not is_from_logto(headers, b"{} ", ["key"])
    assert not is_from_logto({}, b"{}", ["key"])


def test_the_scheme_of_the_plugin_can_be_used(tmp_path: Path) -> None:
    module = run("# acme_schemes.py")
    module.__name__ = "acme_schemes"
    registry = load_plugins([], extra=[module])
    assert registry.plugins[0].errors == ()
    text = (
        "destinations:\n  a:\n    url: https://a.example\n    signing: {scheme: shout, secret: x, salt: y}\nhooks: {}\n"
    )
    (tmp_path / "hooks.yaml").write_text(text)
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=registry, env={}))
    assert loaded.configuration is not None
    [signing] = loaded.configuration.destinations["a"].signing
    assert signing.header_names == {"x-shout"}
    assert KnownDestinations(None, schemes=registry.schemes).schemes["shout"] is type(signing.scheme)
    assert "acme_schemes" not in sys.modules
