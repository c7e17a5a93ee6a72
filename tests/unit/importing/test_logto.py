"""Webhooks as Logto's `GET /api/hooks` returns them, field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hookrt.errors import ConfigError, HookrtError
from hookrt.importing.logto import translate
from hookrt.importing.notes import Imported

KEY = "0123456789abcdefghijABCDEFGHIJkl"
KNOWN = ("PostSignIn", "PostRegister", "User.Created", "TrustedDevice.Created")


def hook(config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "id": "0123456789abcdefghijk",
        "name": "Sync",
        "events": ["PostSignIn"],
        "config": {"url": "https://app.example.com", **(config or {})},
        "signingKey": KEY,
        "enabled": True,
        **fields,
    }


@pytest.fixture
def imported(tmp_path: Path) -> Any:
    def run(answer: Any) -> Imported:
        (tmp_path / "logto.json").write_text(answer if isinstance(answer, str) else json.dumps(answer))
        return translate(tmp_path / "logto.json", KNOWN)

    return run


def notes(found: Imported, kind: str) -> list[str]:
    return [note.text for note in found.notes if note.kind == kind and note.hook]


@pytest.mark.parametrize("answer", [[hook()], {"items": [hook()]}, {"data": [hook()]}, hook()])
def test_a_list_a_page_and_a_single_webhook_are_taken(imported: Any, answer: Any) -> None:
    found = imported(answer)
    assert (found.hooks, found.left_out) == (1, 0)
    lines = found.text[found.text.index("\n  sync:\n") + 1 :].splitlines()
    assert lines == [
        "  sync:",
        "    description: Sync",
        "    on: PostSignIn",
        "    from: logto",
        "    steps:",
        "      - webhook:",
        "          url: https://app.example.com",
        '          signing: {scheme: logto, secret: "${{ secrets.LOGTO_SYNC }}"}',
        "          format: logto",
        "        retry: logto",
        "        timeout: 10s",
    ]
    assert found.secrets == {"LOGTO_SYNC": KEY}


def test_the_old_event_counts_only_without_events(imported: Any) -> None:
    assert "on: PostRegister" in imported([hook(event="PostRegister", events=[])]).text
    assert "on: PostSignIn" in imported([hook(event="PostRegister")]).text
    assert imported([hook(event=None, events=[])]).left_out == 1


def test_unknown_and_gated_events_are_noted(imported: Any) -> None:
    found = imported([hook(events=["PostSignIn", "TrustedDevice.Created", "User.Exploded"])])
    assert "on: [PostSignIn, TrustedDevice.Created, User.Exploded]" in found.text
    gated, unknown = notes(found, "differs")
    assert "development features" in gated
    assert "'User.Exploded' is no event" in unknown


@pytest.mark.parametrize(
    ("retries", "text"),
    [
        (0, "retry: none"),
        (1, "retry: [300ms]"),
        (2, "retry: [300ms, 600ms]"),
        (3, "retry: logto"),
        (None, "retry: logto"),
    ],
)
def test_retries_are_those_of_the_webhook(imported: Any, retries: int | None, text: str) -> None:
    found = imported([hook({"retries": retries})])
    assert text in found.text
    assert ('retry_on: "5xx"' in found.text) == (retries in (1, 2))


def test_a_disabled_one_stays_so_and_one_without_a_key_is_not_signed(imported: Any) -> None:
    assert "enabled: false" in imported([hook(enabled=False)]).text
    found = imported([hook(signingKey="")])
    assert "signing" not in found.text.partition("\nhooks:\n")[2].replace("no signing key", "")
    assert "not signed" in notes(found, "differs")[0]


def test_headers_that_hold_secrets_move_out_and_those_of_the_connection_are_left_out(imported: Any) -> None:
    headers = {"X-Env": "prod", "X-Api-Key": "abc", "Host": "x", "Logto-Signature-Sha-256": "0" * 64, "bad name": "x"}
    found = imported([hook({"headers": headers})])
    assert 'headers: {X-Env: prod, X-Api-Key: "${{ secrets.SYNC_X_API_KEY }}"}' in found.text
    assert found.secrets["SYNC_X_API_KEY"] == "abc"
    assert len(notes(found, "differs")) == 3


@pytest.mark.parametrize("url", ["not_work_url", "ftp://a.example", "https://user:pass@a.example", ""])
def test_a_url_that_nobody_can_send_to_leaves_the_webhook_out(imported: Any, url: str) -> None:
    found = imported([hook({"url": url}), hook(name="other")])
    assert (found.hooks, found.left_out) == (1, 1)
    assert "pass" not in notes(found, "left out")[0].replace("password", "")


def test_names_are_made_fit_and_free(imported: Any) -> None:
    found = imported([hook(name="Zoë's Hook!"), hook(name=""), hook(name="logto"), hook(name="sync"), hook()])
    names = [line.strip(" :") for line in found.text.splitlines() if line.startswith("  ") and line.endswith(":")]
    kept = [name for name in names if not name.startswith(("steps", "- ", "#"))]
    assert kept == ["zo-s-hook", "0123456789abcdefghijk", "logto-2", "sync", "sync-2"]


def test_characters_that_json_writes_as_two_escapes_are_one(imported: Any) -> None:
    found = imported(json.dumps([hook({"headers": {"X-A": "\\ud83d\\ude00"}}, name="a \U0001f600 \\")]))
    assert 'description: "a \U0001f600 \\\\"' in found.text or "description: a \U0001f600 \\" in found.text
    assert "\\ud83d\\ude00" in found.text


@pytest.mark.parametrize("text", ["[1]", "nothing", '"text"', "[[]]"])
def test_what_holds_no_webhooks_is_refused(imported: Any, text: str) -> None:
    with pytest.raises(HookrtError, match="holds no webhooks"):
        imported(text)
    with pytest.raises(ConfigError):
        imported("[{")
