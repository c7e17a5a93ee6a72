"""`hookrt import`: what it writes, what it says, and what it never does."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

SECRET, KEY, HEADER = "the-secret-of-a-sender", "k" * 32, "Bearer of-the-endpoint"
SIGNED = {
    "match": {
        "type": "payload-hmac-sha256",
        "secret": SECRET,
        "parameter": {"source": "header", "name": "X-Hub-Signature-256"},
    }
}
GOOD = {"id": "Deploy/Main", "execute-command": "/bin/true", "trigger-rule": SIGNED}
OPEN = {"id": "open", "execute-command": "/bin/true"}
LOGTO = [
    {
        "tenantId": "default",
        "id": "0123456789abcdefghijk",
        "name": "Sync users",
        "event": None,
        "events": ["PostRegister", "User.Data.Updated"],
        "config": {"url": "https://app.example.com/logto", "headers": {"Authorization": HEADER, "X-Env": "prod"}},
        "signingKey": KEY,
        "enabled": True,
        "createdAt": 1700000000000,
    }
]


@pytest.fixture
def adnanh(tmp_path: Path) -> Callable[..., str]:
    def write(*hooks: Any) -> str:
        (tmp_path / "hooks.json").write_text(json.dumps(hooks, indent=1))
        return "hooks.json"

    return write


@pytest.fixture
def logto(tmp_path: Path) -> str:
    (tmp_path / "logto.json").write_text(json.dumps(LOGTO, indent=1))
    return "logto.json"


def test_what_can_be_had_is_printed_and_what_cannot_is_told(hookrt: Run, adnanh: Any, tmp_path: Path) -> None:
    done = hookrt("import", "adnanh", adnanh(GOOD, OPEN))
    assert done.returncode == 1
    line = (tmp_path / "hooks.json").read_text().splitlines().index('  "id": "open",')
    assert f"hooks.json:{line}: note 9, left out: open: it has no rule" in done.stderr
    assert "1 hook imported, 1 left out, 9 notes" in done.stderr
    assert "# 9. left out: open: it has no rule" in done.stdout
    assert "8. to do: what is /hooks/Deploy/Main at webhook is /in/deploy-main here" in done.stdout
    assert "  deploy-main:\n    hmac:\n" in done.stdout
    assert SECRET not in done.stdout + done.stderr


def test_a_file_that_is_translated_whole_ends_with_0_and_needs_only_the_command_and_the_secret(
    hookrt: Run, adnanh: Any, tmp_path: Path
) -> None:
    done = hookrt("import", "adnanh", adnanh(GOOD), "-o", "new.yaml", "--secrets-to", "new.env")
    assert (done.returncode, done.stdout) == (0, "")
    checked = json.loads(hookrt("check", "new.yaml", "--env-file", "new.env", "-o", "json").stdout)
    assert [problem["message"] for problem in checked["problems"]] == ["there is no action 'command'"]


def test_secrets_go_only_into_a_new_file_that_is_readable_by_its_owner(
    hookrt: Run, adnanh: Any, tmp_path: Path
) -> None:
    hookrt("import", "adnanh", adnanh(GOOD), "-o", "new.yaml", "--secrets-to", "new.env")
    assert (tmp_path / "new.env").read_text() == f"HOOKRT_SECRET_DEPLOY_MAIN_SECRET={SECRET}\n"
    assert stat.S_IMODE((tmp_path / "new.env").stat().st_mode) == 0o600
    assert SECRET not in (tmp_path / "new.yaml").read_text()


@pytest.mark.parametrize("option", ["-o", "--secrets-to"])
def test_no_file_is_written_over(hookrt: Run, adnanh: Any, tmp_path: Path, option: str) -> None:
    (tmp_path / "there").write_text("mine")
    other = {"-o": "--secrets-to", "--secrets-to": "-o"}[option]
    done = hookrt("import", "adnanh", adnanh(GOOD), option, "there", other, "new")
    assert done.returncode == 1
    assert "there is there already: nothing was written" in done.stderr
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_yaml_is_read_too_and_a_template_only_where_it_names_a_variable(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(
        "- id: one\n  execute-command: /bin/true\n  trigger-rule:\n    match:\n      type: value\n"
        "      value: '{{ getenv \"TOKEN\" | js }}'\n      parameter: {source: header, name: X-Token}\n"
        "- id: two\n  execute-command: '{{ cat \"file\" }}'\n"
    )
    done = hookrt("import", "adnanh", "hooks.yaml")
    assert done.returncode == 1
    assert "hooks.yaml:6: note 7, to do: one: set HOOKRT_SECRET_TOKEN to what the variable TOKEN holds" in done.stderr
    assert "hooks.yaml:9: note 8, left out: two: this is a template" in done.stderr
    assert "secret: ${{ secrets.TOKEN }}" in done.stdout


@pytest.mark.parametrize("text", ["{}", "text", '[{"id": "' + SECRET, '[{"secret": "' + SECRET + '"}] x', ""])
def test_another_file_is_one_sentence_without_its_text(hookrt: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "hooks.json").write_text(text)
    done = hookrt("import", "adnanh", "hooks.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr


def test_check_names_the_command_for_a_list_of_hooks(hookrt: Run, adnanh: Any, logto: str, tmp_path: Path) -> None:
    done = hookrt("check", adnanh(GOOD))
    assert done.returncode == 1
    assert "hooks.json:1:1: error: a list of hooks is another format: that of adnanh/webhook" in done.stdout
    assert "`hookrt import adnanh hooks.json -o FILE`" in done.stdout
    (tmp_path / "line.json").write_text(json.dumps([GOOD]))
    assert SECRET not in hookrt("check", "line.json").stdout
    assert "`hookrt import logto logto.json -o FILE`" in hookrt("check", logto).stdout


def test_what_logto_returns_becomes_hooks_that_are_valid(hookrt: Run, logto: str, tmp_path: Path) -> None:
    done = hookrt("import", "logto", logto, "-o", "new.yaml", "--secrets-to", "new.env")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "new.yaml").read_text()
    assert KEY not in text + done.stderr
    assert HEADER not in text + done.stderr
    assert stat.S_IMODE((tmp_path / "new.env").stat().st_mode) == 0o600
    checked = hookrt("check", "new.yaml", "--env-file", "new.env", env={"HOOKRT_SECRET_LOGTO_KEY": KEY})
    assert (checked.returncode, checked.stdout) == (0, "new.yaml: 1 hook, 0 destinations, 1 source, no problems\n")


def test_every_command_of_import_explains_itself(hookrt: Run) -> None:
    for name in ("adnanh", "logto"):
        shown = hookrt("import", name, "--help")
        assert shown.returncode == 0
        assert "--secrets-to" in shown.stdout
