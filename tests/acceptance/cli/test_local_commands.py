"""What works on hooks.yaml without a service: init, check, explain, schema, plugins, sources."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

HOOKS = """\
destinations:
  crm: {url: "http://localhost:4666", signing_secret: "${{ secrets.CRM_KEY }}"}
hooks:
  welcome:
    on: PostRegister
    when: event.data.user.plan == "pro"
    steps:
      - webhook: {to: crm}
  security:
    on: [PostSignIn]
    from: app
    steps:
      - log: signed in
"""


def _write(folder: Path, text: str, name: str = "hooks.yaml") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_init_writes_a_file_in_which_check_finds_no_problem(hookrt: Run, tmp_path: Path) -> None:
    written = hookrt("init")
    assert written.returncode == 0
    assert "hookrt check" in written.stdout
    checked = hookrt("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout == "hooks.yaml: 2 hooks, 1 destination, no problems\n"


def test_what_init_says_to_do_next_is_aligned(hookrt: Run) -> None:
    assert hookrt("init").stdout.splitlines() == [
        "wrote hooks.yaml",
        "  hookrt check  finds every problem in it",
        "  hookrt test   runs the tests in it, offline",
        "  hookrt demo   shows it at work",
        "  hookrt run    serves it",
    ]
    _, check, _, demo, run = hookrt("init", "my hooks.yaml").stdout.splitlines()
    assert check == "  hookrt check 'my hooks.yaml'  finds every problem in it"
    assert check.index("finds") == demo.index("shows") == run.index("serves")


def test_init_writes_over_nothing_unless_told(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, "mine")
    refused = hookrt("init")
    assert refused.returncode == 1
    assert "is there already" in refused.stderr
    assert (tmp_path / "hooks.yaml").read_text() == "mine"
    assert hookrt("init", "--force").returncode == 0
    (tmp_path / "deploy").mkdir()
    assert hookrt("init", "deploy").returncode == 0
    assert (tmp_path / "deploy" / "hooks.yaml").exists()


def test_check_names_every_problem_with_its_place_and_counts_them(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS.replace("webhook: {to: crm}", "webhok: {to: crm}").replace("on: [PostSignIn]", "ons: A"))
    done = hookrt("check")
    assert done.returncode == 1
    assert "hooks.yaml:8:9: error:" in done.stdout
    assert "hooks.yaml:10:5: error:" in done.stdout
    assert "^" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("1 warning in hooks.yaml")


def test_a_missing_secret_is_a_warning_and_with_secrets_an_error(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS)
    warned = hookrt("check")
    assert warned.returncode == 0
    assert "CRM_KEY" in warned.stdout
    assert warned.stdout.splitlines()[-1] == "hooks.yaml: 2 hooks, 1 warning"
    assert hookrt("check", "--secrets").returncode == 1
    _write(tmp_path, "HOOKRT_SECRET_CRM_KEY=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", ".env")
    done = hookrt("check", "--secrets", "--env-file", ".env")
    assert done.returncode == 0
    assert "whsec_MfKQ9" not in done.stdout + done.stderr


def test_check_as_annotations_marks_the_line_in_a_workflow(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS.replace("on: [PostSignIn]", "ons: A"))
    done = hookrt("check", "-o", "github")
    assert done.returncode == 1
    assert "::error file=hooks.yaml,line=10,col=5::" in done.stdout
    assert "::warning file=hooks.yaml,line=2,col=" in done.stdout


def test_check_as_json_says_the_same_to_programs(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS)
    found = json.loads(hookrt("check", "-o", "json").stdout)
    assert (found["valid"], found["errors"], found["warnings"]) == (True, 0, 1)
    assert found["hooks"] == ["welcome", "security"]
    assert found["problems"][0]["file"] == "hooks.yaml"
    _write(tmp_path, "hooks: 17")
    done = hookrt("check", "-o", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["valid"] is False


def test_a_missing_file_says_how_to_get_one(hookrt: Run) -> None:
    done = hookrt("check")
    assert (done.returncode, done.stderr) == (
        1,
        "hookrt: there is no hooks.yaml here: `hookrt init` writes one to start from\n",
    )
    assert hookrt("check", "other.yaml").stderr == "hookrt: there is no other.yaml\n"


def test_a_file_that_cannot_be_read_is_a_problem(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").symlink_to("hooks.yaml")  # a loop, which root cannot read either
    done = hookrt("check")
    assert done.returncode == 1
    assert "hooks.yaml" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "text", ["\x00", "a: [", "- x", "%%%", "\t", "a: &a [*a]", "hooks: {x: {on: A, steps: [{python: 'def'}]}}"]
)
def test_no_file_leads_to_a_traceback(hookrt: Run, tmp_path: Path, text: str) -> None:
    _write(tmp_path, text)
    done = hookrt("check")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "this is a bug" not in done.stderr


def test_control_characters_of_a_file_do_not_reach_the_terminal(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, 'hooks:\n  "\x9b31m\u202e":\n    on: A\n')
    done = hookrt("check")
    assert done.returncode == 1
    assert not set("\x1b\x9b\u202e") & set(done.stdout + done.stderr)


def test_an_unknown_variable_is_a_problem_and_the_clients_are_known(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS)
    done = hookrt("check", env={"HOOKRT_PROT": "1"})
    assert done.returncode == 1
    assert "HOOKRT_PORT" in done.stdout
    assert hookrt("check", env={"HOOKRT_URL": "http://127.0.0.1:1", "HOOKRT_TOKEN": "x"}).returncode == 0


def test_explain_says_for_every_hook_whether_it_fires_and_why_not(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS)
    event = '{"type": "PostRegister", "data": {"user": {"plan": "free"}}}'
    _write(tmp_path, event, "event.json")
    done = hookrt("explain", "event.json")
    assert done.returncode == 0
    assert '✗ welcome   event.data.user.plan == "pro" is false' in done.stdout
    assert 'event.data.user.plan is "free"' in done.stdout
    assert "✗ security  PostSignIn does not match PostRegister" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 of 2 hooks fire"
    assert hookrt("explain", event).stdout.splitlines()[1:] == done.stdout.splitlines()[1:]
    assert hookrt("explain", "-", stdin=event).stdout.splitlines()[1:] == done.stdout.splitlines()[1:]


def test_explain_names_the_part_that_cannot_be_evaluated(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS)
    found = json.loads(hookrt("explain", '{"type": "PostRegister", "data": {}}', "-o", "json").stdout)
    welcome = next(item for item in found["items"] if item["hook"] == "welcome")
    assert welcome["reason"] == "unanswerable"
    assert "event.data.user" in json.dumps(welcome)


def test_explain_names_the_source_that_is_needed(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS)
    done = hookrt("explain", '{"type": "PostSignIn"}')
    assert "from 'app' only, this one is from 'http'" in done.stdout
    assert "1 of 2 hooks fires" in hookrt("explain", '{"type": "PostSignIn", "source": "app"}').stdout


def test_explain_of_a_bad_event_names_the_place(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS)
    _write(tmp_path, '{"type": "A",\n "data": {,}}', "event.json")
    done = hookrt("explain", "event.json")
    assert done.returncode == 1
    assert "event.json: " in done.stderr
    assert "line 2, column 11" in done.stderr


def test_schema_knows_the_settings_of_every_action(hookrt: Run, tmp_path: Path) -> None:
    schema = json.loads(hookrt("schema").stdout)
    assert "$schema" in schema
    assert all(name in json.dumps(schema) for name in ("signing_secret", "webhook", "python", "log"))
    assert hookrt("schema", "--to", "hooks.schema.json").returncode == 0
    assert json.loads((tmp_path / "hooks.schema.json").read_text()) == schema


def test_plugins_are_listed_with_their_actions(hookrt: Run) -> None:
    done = hookrt("plugins", "list")
    assert done.returncode == 0, done.stdout
    assert {"webhook", "python", "log", "emit"} <= set(done.stdout.split())
    found = json.loads(hookrt("plugins", "list", "-o", "json").stdout)
    assert {plugin["distribution"] for plugin in found["plugins"]} >= {"hookrt"}


def test_sources_are_listed(hookrt: Run, tmp_path: Path) -> None:
    _write(tmp_path, HOOKS)
    assert "declares no sources" in hookrt("sources", "list").stdout
    assert json.loads(hookrt("sources", "list", "-o", "json").stdout) == {"items": [], "next": None}


def test_a_source_is_listed_and_shown_with_its_path_and_without_its_secret(hookrt: Run, tmp_path: Path) -> None:
    shop = '{hmac: {header: X-Sig, secret: "a secret to keep", tolerance: 90s}}'
    logto = '{logto: "${{ secrets.LOGTO_KEY }}"}'
    _write(tmp_path, f"sources:\n  shop: {shop}\n  logto: {logto}\nhooks: {{}}\n")
    [shown] = json.loads(hookrt("sources", "list", "-o", "json").stdout)["items"]
    assert (shown["name"], shown["plugin"], shown["path"], shown["types"]) == ("shop", "hmac", "/in/shop", None)
    listed = hookrt("sources", "list").stdout
    assert "/in/shop" in listed
    assert "left out, since a secret is not provided: logto" in listed
    done = hookrt("sources", "show", "shop", "hooks.yaml")
    assert done.returncode == 0, done.stderr
    assert "POST /in/shop, 1,048,576 bytes at most" in done.stdout
    assert "tolerance: 1m30s" in done.stdout
    assert "a secret to keep" not in done.stdout
    unknown = hookrt("sources", "show", "shpo", "hooks.yaml")
    assert (unknown.returncode, unknown.stderr) == (1, "hookrt: there is no source 'shpo': did you mean 'shop'?\n")
    missing = hookrt("sources", "show", "logto", "hooks.yaml")
    assert missing.returncode == 1
    assert "the source 'logto' needs a secret that is not provided" in missing.stderr
