"""The plugins `hookrt-command` and `hookrt-email` in a runtime: what they are given, show, and may reach."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from hookrt import Runtime
from hookrt.config.load import LoadOptions, load
from hookrt.importing.adnanh.translate import translate
from hookrt.importing.naming import variable
from hookrt.model.hook import Scope
from hookrt.plugin.manager import load_plugins
from hookrt.testing import event

PLUGINS = Path(__file__).parents[3] / "plugins"
SECRET = "the-token-of-a-test"


@pytest.fixture
def registry(monkeypatch):
    """All plugins, these two included, installed or not."""
    for name in ("hookrt-command", "hookrt-email"):
        monkeypatch.syspath_prepend(str(PLUGINS / name / "src"))
    from hookrt_command import Command
    from hookrt_email import Email

    found = load_plugins()
    for action in (Command, Email):
        if action.name not in found.actions:
            found.add_action(action)
    return found


@pytest.fixture
def deliver(registry, tmp_path):
    """Runs hooks for one event; gives the delivery and its attempts."""

    def run(text, type, data=None, env=None, **names):
        (tmp_path / "hooks.yaml").write_text(text)
        env = env or {}
        runtime = Runtime.from_file(tmp_path / "hooks.yaml", store="memory:", registry=registry, env=env)

        async def go():
            async with runtime:
                [delivery] = await (await runtime.emit(type, data, **names)).wait(timeout=30)
                return delivery, await runtime.store.attempts(delivery.id)

        return asyncio.run(go())

    return run


def problems(registry, text, tmp_path):
    (tmp_path / "hooks.yaml").write_text(text)
    return [str(one) for one in load(tmp_path / "hooks.yaml", LoadOptions(registry=registry, env={})).problems]


def test_a_secret_is_masked_in_what_a_program_says(deliver):
    text = """
hooks:
  tell:
    on: Go
    retry: none
    steps:
      - command:
          argv: [/bin/sh, -c, 'echo "out $TOKEN"; echo "err $TOKEN" >&2; exit 1']
          env: {TOKEN: "${{ secrets.TOKEN }}"}
"""
    delivery, [attempt] = deliver(text, "Go", env={"HOOKRT_SECRET_TOKEN": SECRET})
    assert attempt.logs == ("stderr: err ***", "stdout: out ***")
    assert attempt.message == "it ended with 1: err ***"
    assert SECRET not in f"{delivery}{attempt}"


def test_later_steps_use_what_a_program_says(deliver):
    text = """
hooks:
  two:
    on: Go
    steps:
      - command: {argv: [/bin/sh, -c, 'echo "{\\"n\\": $N}"'], env: {N: "${{ event.data.n }}"}}
      - id: second
        command: {argv: [cat], stdin: "${{ string(steps.command.output.json.n) }}!"}
"""
    _, attempts = deliver(text, "Go", {"n": 7})
    assert attempts[1].logs == ("stdout: 7!",)


def test_a_program_whose_time_is_up_has_its_grace_beyond_the_engines_own_cut(deliver, tmp_path):
    text = """
hooks:
  slow:
    on: Go
    timeout: LIMIT
    retry: none
    steps:
      - command: {argv: [./slow.sh], grace: 30s}
"""
    script = tmp_path / "slow.sh"
    script.write_text("#!/bin/sh\ntrap 'sleep 1.5; echo tidied; exit 0' TERM\ntouch begun\nsleep 1000 & wait\n")
    script.chmod(0o755)
    for limit in ("500ms", "3s", "20s"):  # the first one that is enough for it to begin
        _, [attempt] = deliver(text.replace("LIMIT", limit), "Go")
        if (tmp_path / "begun").exists():
            break
    assert (attempt.outcome, attempt.reason, attempt.logs) == ("retry", "timeout", ("stdout: tidied",))


def test_a_service_that_stops_ends_its_programs_and_runs_them_again_at_the_next_start(registry, tmp_path):
    script = 'echo $$ > own; mv own "$HOOKRT_ATTEMPT.pid"; [ -e again ] || sleep 1000; cat'
    hooks = {"long": {"on": "Go", "steps": [{"command": {"argv": ["/bin/sh", "-c", script], "stdin": "done"}}]}}
    (tmp_path / "hooks.yaml").write_text(json.dumps({"hooks": hooks}))
    store = f"sqlite:///{tmp_path / 'hooks.db'}"

    async def until_running():
        while not (tmp_path / "1.pid").exists():
            await asyncio.sleep(0.01)

    async def serve(then):
        async with Runtime.from_file(tmp_path / "hooks.yaml", store=store, registry=registry, env={}) as runtime:
            return await then(runtime)

    async def begin(runtime):
        receipt = await runtime.emit("Go")
        await asyncio.wait_for(until_running(), 30)
        await runtime.stop(timedelta(0))
        return receipt.deliveries[0]

    async def end(runtime):
        async with asyncio.timeout(30):
            while not (found := await runtime.store.delivery(identity)).delivery.status.final:
                await asyncio.sleep(0.01)
        return found.delivery, await runtime.store.attempts(identity)

    identity = asyncio.run(serve(begin))
    program = int((tmp_path / "1.pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(program, 0)
    (tmp_path / "again").touch()
    delivery, attempts = asyncio.run(serve(end))
    assert (delivery.status, attempts[-1].logs) == ("succeeded", ("stdout: done",))


def test_a_missing_program_is_a_problem_at_its_place(registry, tmp_path):
    text = "hooks:\n  a:\n    on: Go\n    steps:\n      - command: {argv: [./gone.sh], cwd: ../x}\n"
    found = problems(registry, text, tmp_path)
    assert any("hooks.yaml:5:26" in one and "there is no program './gone.sh'" in one for one in found), found
    assert any("'../x' leads out of the folder of hooks.yaml" in one for one in found), found


def test_an_expression_among_the_arguments_is_a_problem(registry, tmp_path):
    text = 'hooks:\n  a:\n    on: Go\n    steps:\n      - command: {argv: [echo, "${{ event.type }}"]}\n'
    [found] = problems(registry, text, tmp_path)
    assert "`argv` takes no `${{ }}`" in found


def test_an_imported_file_of_adnanh_webhook_runs(deliver, tmp_path):
    script = tmp_path / "redeploy.sh"
    script.write_text('#!/bin/sh\nprintf "%s|" "$(pwd)" "$WHO" "$@"\n')
    script.chmod(0o755)
    (tmp_path / "work").mkdir()
    parameter = {"source": "header", "name": "X-Token"}
    hook = {
        "id": "redeploy",
        "execute-command": str(script),
        "command-working-directory": str(tmp_path / "work"),
        "pass-arguments-to-command": [
            {"source": "string", "name": "--commit"},
            {"source": "payload", "name": "head.id"},
        ],
        "pass-environment-to-command": [{"source": "payload", "name": "who", "envname": "WHO"}],
        "trigger-rule": {"match": {"type": "value", "value": SECRET, "parameter": parameter}},
    }
    (tmp_path / "hooks.json").write_text(json.dumps([hook]))
    imported = translate(tmp_path / "hooks.json")
    assert imported.left_out == 0
    env = {variable(name): value for name, value in imported.secrets.items()}
    data = {"head": {"id": "$(id); `id` \" ' *"}, "who": "zoë"}
    delivery, [attempt] = deliver(imported.text, "redeploy", data, env, source="redeploy")
    assert delivery.status == "succeeded", attempt
    assert attempt.logs == (f"stdout: {tmp_path.resolve() / 'work'}|zoë|--commit|$(id); `id` \" ' *|",)


EMAIL = """
service:
  actions: {email: {host: localhost, from: us@example.org, tls: none}}
hooks:
  mail:
    on: Go
    retry: none
    steps:
      - email:
"""


def rendered(registry, settings, data, tmp_path):
    """The settings of a step as an event gives them."""
    text = EMAIL + "".join(f"          {line}\n" for line in settings)
    (tmp_path / "hooks.yaml").write_text(text)
    loaded = load(tmp_path / "hooks.yaml", LoadOptions(registry=registry, env={}))
    assert loaded.configuration is not None, [str(one) for one in loaded.problems]
    [hook] = loaded.configuration.hooks
    return hook.steps[0].settings.render(Scope(event("Go", data), "mail", {}))


HOSTILE = "<script>alert(1)</script>\" onload='x' &amp;"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#x27;x&#x27; &amp;amp;"


def test_what_an_event_says_is_text_in_html_and_itself_elsewhere(registry, tmp_path):
    settings = [
        "to: ada@example.com",
        "subject: ${{ event.data.x }}",
        "text: ${{ event.data.x }}",
        "html: '<p title=\"${{ event.data.x }}\">$${{ ${{ event.data.n }}</p>'",
    ]
    made = rendered(registry, settings, {"x": HOSTILE, "n": ["<"]}, tmp_path)
    assert made.html == f'<p title="{ESCAPED}">${{{{ [&quot;&lt;&quot;]</p>'
    assert made.text == made.subject == HOSTILE


@pytest.mark.parametrize("begin", ["<", "</", "a $${{ <"])
def test_a_value_cannot_be_the_name_of_a_tag(begin, registry, tmp_path):
    settings = "          {to: a@example.com, subject: s, html: 'BEGIN${{ event.data.x }}>'}\n"
    text = EMAIL + settings.replace("BEGIN", begin)
    [found] = problems(registry, text, tmp_path)
    assert "hooks.yaml:10:" in found
    assert "a `${{ }}` right after a `<` could be any tag" in found
    fine = text.replace("html: ", "text: ")
    assert problems(registry, fine, tmp_path) == []


def test_html_that_is_one_expression_is_escaped_too_and_html_as_is_is_not(registry, tmp_path):
    head = ["to: ada@example.com", "subject: s"]
    assert rendered(registry, [*head, "html: ${{ event.data.x }}"], {"x": HOSTILE}, tmp_path).html == ESCAPED
    made = rendered(registry, [*head, "html_as_is: ${{ event.data.x }}"], {"x": HOSTILE}, tmp_path)
    assert made.html_as_is == HOSTILE


@pytest.mark.parametrize("email", ["a@example.com, b@example.com", "a@example.com\r\nBcc: b@example.com", ""])
def test_a_recipient_of_an_event_is_one_mailbox_or_a_reject(email, deliver):
    text = EMAIL + '          {to: "${{ event.data.email }}", subject: s, text: t}\n'
    _, [attempt] = deliver(text, "Go", {"email": email})
    assert (attempt.outcome, attempt.reason) == ("reject", "template")
    assert "hooks.yaml:10" in attempt.message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254"])
def test_a_server_of_an_event_passes_the_rules_of_the_way_out(host, deliver):
    text = EMAIL + '          {to: a@example.com, subject: s, text: t, host: "${{ event.data.host }}", tls: none}\n'
    _, [attempt] = deliver(text, "Go", {"host": host})
    assert (attempt.outcome, attempt.reason) == ("reject", "blocked-address")
    assert "service: {egress: {allow:" in attempt.message
