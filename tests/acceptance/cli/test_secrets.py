"""`hookrt secrets new`: what it makes signs and verifies, and its output is a file for the environment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hookrt.config.env_file import read_env_file
from hookrt.signing import BODY_SCHEMES, SigningKey, sign, verify

Run = Callable[..., Any]


def made(hookrt: Run, *arguments: str) -> dict[str, str]:
    done = hookrt("secrets", "new", *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("scheme", ["standard", "ed25519"])
def test_a_secret_signs_and_receivers_verify(hookrt: Run, scheme: str) -> None:
    found = made(hookrt, "--scheme", scheme)
    signed = sign([SigningKey.parse(found["secret"])], "msg_1", 17, b"body")
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "17", "webhook-signature": signed}
    verify(headers, b"body", found.get("public_key", found["secret"]), now=datetime.fromtimestamp(17, UTC))
    assert ("public_key" in found) == (scheme == "ed25519")
    assert found["setting"] == 'signing_secret: "${{ secrets.SIGNING_KEY }}"'


def test_every_secret_is_another_one(hookrt: Run) -> None:
    assert made(hookrt)["secret"] != made(hookrt)["secret"]


def test_a_secret_for_logto_looks_like_logtos_own(hookrt: Run) -> None:
    found = made(hookrt, "--scheme", "logto", "--name", "APP")
    assert re.fullmatch(r"[0-9a-zA-Z]{32}", found["secret"])
    signature = BODY_SCHEMES["logto"].sign(found["secret"], b"{}")
    verify({"logto-signature-sha-256": signature}, b"{}", found["secret"], scheme="logto")
    assert found["setting"] == 'signing: {scheme: logto, secret: "${{ secrets.APP }}"}'


@pytest.mark.parametrize("scheme", ["standard", "ed25519", "logto", "github", "hmac"])
def test_standard_output_is_a_file_for_the_environment_and_the_setting_is_right(
    hookrt: Run, tmp_path: Path, scheme: str
) -> None:
    done = hookrt("secrets", "new", "--scheme", scheme, "--name", "CRM")
    (tmp_path / "hookrt.env").write_text(done.stdout)
    [(name, secret)] = read_env_file(tmp_path / "hookrt.env").items()
    assert name == "HOOKRT_SECRET_CRM"
    assert secret not in done.stderr
    setting = done.stderr.strip().splitlines()[-1].strip()
    hook = "hooks:\n  one:\n    on: A\n    steps: [{webhook: {to: crm}}]\n"
    (tmp_path / "hooks.yaml").write_text(f"destinations:\n  crm:\n    url: https://a.example\n    {setting}\n{hook}")
    checked = hookrt("check", "--secrets", "--env-file", "hookrt.env")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("arguments", [["--scheme", "rsa"], ["--name", "a b"], ["--name", ""], ["-o", "github"]])
def test_what_it_does_not_know_is_wrong_usage(hookrt: Run, arguments: list[str]) -> None:
    assert hookrt("secrets", "new", *arguments).returncode == 2


def test_without_the_extra_it_names_what_to_install(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "cryptography").mkdir()
    (tmp_path / "cryptography" / "__init__.py").write_text("raise ImportError('not here')\n")
    done = hookrt("secrets", "new", "--scheme", "ed25519", env={"PYTHONPATH": str(tmp_path), "COLUMNS": "200"})
    assert done.returncode == 2
    assert "hookrt[ed25519]" in done.stderr
    assert "Traceback" not in done.stderr
