"""`hookrt hooks test` and `hookrt emit --sample --only`, with the real service and a real endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

HOOKS = """\
sources:
  logto: {logto: a-signing-key-of-logto}
destinations:
  app: {url: URL/app, format: logto, signing: {scheme: logto, secret: a-key-of-the-app}, breaker: off}
hooks:
  welcome:
    on: [PostRegister, PostSignIn]
    steps: [{webhook: {to: app}, retry: none}]
  audit:
    on: PostSignIn
    steps: [{webhook: {url: URL/audit}, retry: none}]
  strict:
    on: User.Deleted
    from: logto
    enabled: false
    steps: [{webhook: {to: app}, retry: none}]
"""


@pytest.fixture
def service(tmp_path: Path, endpoint: Any, serve: Run) -> Any:
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("URL", endpoint.url))
    return serve("--port", "0")


def test_a_sample_goes_to_one_hook_only_and_is_waited_for(service: Any, hookrt: Run, endpoint: Any) -> None:
    ended = hookrt("emit", "PostSignIn", "--sample", "--only", "welcome", "--wait", env=service.env)
    assert ended.returncode == 0, ended.stderr
    assert "1 delivery" in ended.stdout
    assert "succeeded" in ended.stdout
    [taken] = endpoint.taken
    body = json.loads(taken.body)
    assert (taken.path, body["event"], body["hookId"]) == ("/app", "PostSignIn", "welcome")
    assert body["user"]["primaryEmail"] == "ada@example.com"
    [event] = service.get("/v1/events")["items"]
    assert event["subject"] == body["userId"]


def test_an_only_hook_that_does_not_want_it_ends_with_1_and_says_what_to_ask(service: Any, hookrt: Run) -> None:
    ended = hookrt("emit", "User.Deleted", "--sample", "--only", "strict", env=service.env)
    assert ended.returncode == 1
    assert "strict does not want it" in ended.stdout
    assert "hookrt hooks test strict --type User.Deleted" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("emit", "PostSingIn", "--sample"), 1, "did you mean 'PostSignIn'?"),
        (("emit", "Nothing.Alike", "--sample"), 1, "there are samples of PostRegister, PostSignIn, "),
        (("emit", "PostSignIn", "--only", "nobody"), 1, "no hook is named 'nobody'"),
        (("emit", "PostSignIn", "--sample", "--data", "{}"), 2, "--sample and --data both say what the data is"),
        (("hooks", "test", "nobody"), 1, "no hook is named 'nobody'"),
        (("hooks", "test", "welcome", "--data", "{"), 1, "--data"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(
    service: Any, hookrt: Run, arguments: tuple[str, ...], code: int, told: str
) -> None:
    ended = hookrt(*arguments, env=service.env)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert told in " ".join(ended.stderr.replace("│", " ").split())


def test_a_hook_is_tested_with_what_was_sent_and_answered(service: Any, hookrt: Run, endpoint: Any) -> None:
    ended = hookrt("hooks", "test", "strict", env=service.env)
    assert ended.returncode == 0, ended.stderr
    assert "strict  test with User.Deleted (a sample of logto)  succeeded" in ended.stdout
    assert f"POST {endpoint.url}/app → 204" in ended.stdout
    assert "such an event would not fire it by itself: enabled is false" in ended.stdout
    assert "hookrt-test: true" in ended.stdout
    assert "a-key-of-the-app" not in ended.stdout
    assert service.get("/v1/deliveries")["items"] == []


def test_a_failed_test_ends_with_1_and_tells_programs_the_answer(service: Any, hookrt: Run, endpoint: Any) -> None:
    endpoint.status = 503
    ended = hookrt("hooks", "test", "welcome", "--type", "PostSignIn", "-o", "json", env=service.env)
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["succeeded"], told["reason"], told["response"]["status"]) == (
        1,
        False,
        "status",
        503,
    )
    text = hookrt("hooks", "test", "welcome", "--data", '{"userId": "u1"}', env=service.env)
    assert (text.returncode, "status: the endpoint answered 503" in text.stdout) == (1, True)
    assert len(endpoint.taken) == 2


def test_the_list_of_hooks_shows_rate_and_figures(service: Any, hookrt: Run, endpoint: Any) -> None:
    hookrt("emit", "PostSignIn", "--sample", "--only", "welcome", "--wait", env=service.env)
    endpoint.status = 500
    hookrt("emit", "PostSignIn", "--sample", "--wait", env=service.env)
    lines = [line.split() for line in hookrt("hooks", "list", env=service.env).stdout.splitlines()]
    assert lines[0][-4:] == ["succeeded", "dead", "rate", "pending"]
    assert {line[0]: line[-4:] for line in lines[1:4]} == {
        "audit": ["0", "1", "0%", "0"],
        "strict": ["0", "0", "-", "0"],
        "welcome": ["1", "1", "50%", "0"],
    }
    assert "50% of 2 deliveries succeeded" in hookrt("hooks", "show", "welcome", env=service.env).stdout
