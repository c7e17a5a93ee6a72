"""The action `command`: what a program gets, and what becomes of how it ends."""

import json
import os
import re
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from hookrt_command import Command, CommandSettings
from hookrt_command.shown import MAX_JSON, MAX_LINES, read_json

from hookrt.plugin import OutcomeKind
from hookrt.testing import ActionContract, call_for, event, run_action


class TestContract(ActionContract):
    action = Command
    valid_settings = ({"argv": ["true"]}, {"argv": ["/bin/sh", "-c", "exit 1"], "retry_on": [1], "env": {"A": 1}})
    invalid_settings = (
        {},
        {"argv": []},
        {"argv": "true"},
        {"argv": [""]},
        {"argv": ["a\0b"]},
        {"argv": ["no-such-program-anywhere"]},
        {"argv": ["/no/such/program"]},
        {"argv": ["true"], "cwd": "/no/such/folder"},
        {"argv": ["true"], "env": {"A=B": "x"}},
        {"argv": ["true"], "inherit": ["HOOKRT_SECRET_TOKEN"]},
        {"argv": ["true"], "success": []},
        {"argv": ["true"], "success": [256]},
        {"argv": ["true"], "retry_on": [1], "reject_on": [2]},
        {"argv": ["true"], "output": "1MiB"},
        {"argv": ["true"], "cpu": "10ms"},
        {"argv": ["true"], "grace": "1h"},
    )

    def test_invalid_settings_are_refused(self, tmp_path):
        for written in self.invalid_settings:
            settings = self._read(written)
            assert settings is None or list(Command().check_in(settings, tmp_path)), f"{written} should be refused"


def shell(script, tmp_path, **more):
    options = {name: more.pop(name) for name in ("event", "timeout", "attempt") if name in more}
    return run_action(Command, {"argv": ["/bin/sh", "-c", script], **more}, base_dir=tmp_path, **options)


def problems(written, tmp_path):
    return list(Command().check_in(call_for(Command, written).settings, tmp_path))


def test_the_event_is_the_input(tmp_path):
    happened = event("User.Created", {"name": "Jürgen\u2028", "n": 1.5}, id="e1")
    outcome = shell("cat", tmp_path, event=happened)
    assert outcome.output["json"] == happened.as_dict()
    assert outcome.output["stdout"].count("\n") == 1


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("text\n", "text\n"),
        (None, ""),
        ({"a": [1, "ü"]}, '{"a":[1,"ü"]}\n'),
        (5, "5\n"),
        ("", ""),
        ("x" * 300_000, None),
    ],
)
def test_the_input_can_be_a_text_or_json_or_nothing(given, read, tmp_path):
    if read is None:
        assert shell("wc -c", tmp_path, stdin=given).output["json"] == len(given)
    else:
        assert shell("cat", tmp_path, stdin=given).output["stdout"] == read


def test_a_program_that_reads_no_input_ends_all_the_same(tmp_path):
    assert shell("exit 0", tmp_path, stdin="x" * 3_000_000).kind is OutcomeKind.DONE


def test_arguments_arrive_as_written_and_no_shell_reads_them(tmp_path):
    odd = ["$(id)", "`id`", "a b", "*", "", "; exit 1", "'\"\\", "-n", "ü\n", 5, 1.5]
    outcome = run_action(Command, {"argv": ["/bin/sh", "-c", 'printf "%s\\0" "$@"', "sh", *odd]}, base_dir=tmp_path)
    assert outcome.output["stdout"].split("\0")[:-1] == [str(one) for one in odd]


def test_nothing_of_the_services_environment_but_path_home_and_lang(tmp_path, monkeypatch):
    monkeypatch.setenv("HOOKRT_SECRET_TOKEN", "hidden")
    monkeypatch.setenv("OTHER", "hidden")
    monkeypatch.setenv("WANTED", "seen")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("HOME", "/")
    outcome = run_action(
        Command,
        {"argv": ["env"], "env": {"A": "1", "B": True, "C": 1.5, "HOME": "/tmp"}, "inherit": ["WANTED", "MISSING"]},
        base_dir=tmp_path,
        attempt=3,
    )
    found = dict(line.split("=", 1) for line in outcome.output["stdout"].splitlines())
    assert found.pop("HOOKRT_MESSAGE_ID").startswith("msg_")
    expected = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/tmp", "WANTED": "seen", "HOOKRT_ATTEMPT": "3"}
    assert found == {**expected, "A": "1", "B": "true", "C": "1.5"}


def test_it_runs_in_the_folder_of_hooks_yaml_or_below_it_or_where_it_is_told(tmp_path):
    (tmp_path / "below").mkdir()
    assert shell("pwd", tmp_path).output["stdout"].strip() == str(tmp_path.resolve())
    assert shell("pwd", tmp_path, cwd="below").output["stdout"].strip() == str(tmp_path.resolve() / "below")
    assert shell("pwd", tmp_path, cwd="/").output["stdout"].strip() == "/"


def test_a_relative_folder_that_leads_out_is_refused(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    for cwd in ("..", "x/../..", "link"):
        (inside / "x").mkdir(exist_ok=True)
        [problem] = problems({"argv": ["true"], "cwd": cwd}, inside)
        assert problem.path == ("cwd",)
        assert "leads out of the folder of hooks.yaml" in problem.message
        outcome = shell("exit 0", inside, cwd=cwd)
        assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "not-runnable")


def test_the_check_says_what_is_wrong_with_the_program(tmp_path):
    script = tmp_path / "deploy.sh"
    script.write_text("#!/bin/sh\necho done\n")

    def said(name):
        [problem] = problems({"argv": [name]}, tmp_path)
        assert problem.path == ("argv", 0)
        return f"{problem.message} | {problem.hint}"

    assert said("./deploy.sh") == "'./deploy.sh' may not be executed | chmod +x ./deploy.sh"
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    assert problems({"argv": ["./deploy.sh"]}, tmp_path) == []
    assert "write ./deploy.sh for the file beside hooks.yaml" in said("deploy.sh")
    assert "a relative path starts at the folder of hooks.yaml" in said("./depoy.sh")
    assert "each argument is an item of its own" in said("ls -l")
    assert "there is no program 'envv' on the PATH" in said("envv")
    assert said("/").startswith("'/' is no file")
    assert run_action(Command, {"argv": ["./deploy.sh"]}, base_dir=tmp_path).output["stdout"] == "done\n"


def test_a_program_is_looked_for_on_the_path_that_it_gets(tmp_path):
    script = tmp_path / "greet"
    script.write_text("#!/bin/sh\necho hello\n")
    script.chmod(0o755)
    written = {"argv": ["greet"], "env": {"PATH": str(tmp_path)}}
    assert problems(written, tmp_path) == []
    assert run_action(Command, written, base_dir=tmp_path).output["stdout"] == "hello\n"
    assert problems({"argv": ["greet"], "env": {"PATH": "."}}, tmp_path) != []  # a folder that moves with the service
    assert problems({"argv": ["greet"], "env": {"PATH": "${{ event.data.path }}"}}, tmp_path) == []


def test_the_output_holds_the_exit_code_both_streams_and_their_json(tmp_path):
    outcome = shell("""echo '{"id": 7}'; echo careful >&2; exit 3""", tmp_path, success=[0, 3])
    assert outcome.output == {
        "exit_code": 3,
        "stdout": '{"id": 7}\n',
        "stderr": "careful\n",
        "json": {"id": 7},
        "truncated": False,
    }
    assert outcome.logs == ("stderr: careful", 'stdout: {"id": 7}')


@pytest.mark.parametrize(
    ("code", "more", "kind"),
    [
        (1, {}, OutcomeKind.REJECT),
        (75, {}, OutcomeKind.RETRY),
        (75, {"retry_on": [1]}, OutcomeKind.REJECT),
        (1, {"retry_on": [1]}, OutcomeKind.RETRY),
        (1, {"reject_on": [2]}, OutcomeKind.RETRY),
        (2, {"reject_on": [2]}, OutcomeKind.REJECT),
        (0, {"success": [1]}, OutcomeKind.REJECT),
    ],
)
def test_exit_codes_say_whether_it_is_tried_again(code, more, kind, tmp_path):
    outcome = shell(f"echo one >&2; echo why >&2; exit {code}", tmp_path, **more)
    assert (outcome.kind, outcome.reason) == (kind, "exit")
    assert outcome.message == f"it ended with {code}: why"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, OutcomeKind.RETRY),
        ({"retry_on": [1]}, OutcomeKind.REJECT),
        ({"retry_on": [137]}, OutcomeKind.RETRY),
        ({"reject_on": [137]}, OutcomeKind.REJECT),
        ({"success": [137]}, OutcomeKind.DONE),
    ],
)
def test_an_end_by_a_signal_counts_as_128_and_its_number(more, kind, tmp_path):
    outcome = shell("kill -9 $$", tmp_path, **more)
    assert outcome.kind is kind
    if kind is not OutcomeKind.DONE:
        assert (outcome.reason, outcome.message) == ("signal", "it was ended by SIGKILL")


def test_what_is_more_than_the_limit_is_read_and_thrown_away(tmp_path):
    outcome = shell("head -c 1000000 /dev/zero | tr '\\0' x; echo end >&2", tmp_path, output="1KiB")
    assert outcome.output["stdout"] == "x" * 1024
    assert outcome.output["truncated"] is True
    assert outcome.output["stderr"] == "end\n"
    assert outcome.logs[-1] == "stdout: … 998976 bytes more"


def test_an_output_never_makes_a_step_fail(tmp_path):
    outcome = shell("head -c 131072 /dev/zero; head -c 131072 /dev/zero >&2", tmp_path, output="128KiB")
    assert outcome.output["truncated"] is True
    assert len(json.dumps(outcome.output)) <= MAX_JSON  # each NUL is six characters of JSON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[1] 2",
        "NaN",
        "[" * 100_000,
        "[" * 70 + "]" * 70,
        "9" * 30,
        '"\\ud800"',
        "\udc80",
        '"' + "x" * 150_000 + '"',
    ],
)
def test_what_no_step_could_pass_on_is_no_json(text):
    assert read_json(text.encode("utf-8", "surrogateescape")) is None


def test_the_log_has_the_last_lines_and_no_control_characters(tmp_path):
    outcome = shell("seq 200; printf 'a\\033[31m\\000b\\n' >&2", tmp_path)
    assert outcome.logs[0] == "stderr: a\ufffd[31m\ufffdb"
    assert outcome.logs[1] == f"stdout: … {200 - MAX_LINES} lines before"
    assert outcome.logs[-1] == "stdout: 200"


def test_what_is_no_text_is_shown_as_far_as_it_is(tmp_path):
    outcome = shell("printf 'a\\377\\000b'; printf 'why\\377\\033[31m' >&2; exit 1", tmp_path)
    assert outcome.message == "it ended with 1: why\ufffd\ufffd[31m"
    assert outcome.logs == ("stderr: why\ufffd\ufffd[31m", "stdout: a\ufffd\ufffdb")


def test_input_that_nobody_reads_is_the_programs_own_business(tmp_path):
    assert shell("exec <&-; echo on", tmp_path, stdin="x" * 1_000_000).output["stdout"] == "on\n"


@pytest.mark.parametrize(("env", "reason"), [({"A": "x\0"}, "bad-value"), ({"A": "\ud800"}, "bad-value")])
def test_a_value_that_no_variable_can_hold_is_rejected(env, reason, tmp_path):
    settings = CommandSettings(argv=["true"], env=env)
    outcome = run_action(Command, settings, base_dir=tmp_path)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, reason)


def test_more_variables_than_the_system_takes_are_rejected(tmp_path):
    outcome = shell("exit 0", tmp_path, env={"A": "x" * 1_000_000})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "too-large")


def test_what_cannot_be_executed_is_said_and_tried_again(tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("no first line")
    broken.chmod(0o755)
    astray = tmp_path / "astray"
    astray.write_text("#!/no/such/interpreter\n")
    astray.chmod(0o755)
    for name, word in (("./broken", "a script begins with a line like"), ("./astray", "in its first line")):
        outcome = run_action(Command, {"argv": [name]}, base_dir=tmp_path)
        assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "not-runnable")
        assert word in outcome.message
    outcome = run_action(Command, {"argv": ["./gone"]}, base_dir=tmp_path)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "not-runnable")


def test_memory_and_cpu_are_limited(tmp_path):
    outcome = shell("ulimit -v; ulimit -t; ulimit -c", tmp_path, memory="512MiB", cpu="30s")
    assert outcome.output["stdout"].split() == [str(512 * 1024), "30", "0"]
    outcome = shell("while :; do :; done", tmp_path, cpu="1s", timeout=timedelta(seconds=60))
    assert (outcome.reason, outcome.message) == ("signal", "it was ended by SIGXCPU")


def test_the_example_of_the_readme_deploys(tmp_path, hookrt_runtime):
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    example = re.search(r"^```yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)[1]
    script = tmp_path / "deploy.sh"
    script.write_text("""#!/bin/sh\nread -r event; printf '{"version": "%s %s"}' "$COMMIT" "$1"; echo "$TOKEN" >&2\n""")
    script.chmod(0o755)
    hooks = example.replace("./deploy.sh", str(script))
    runtime = hookrt_runtime(hooks, actions=[Command], secrets={"DEPLOY_TOKEN": "a-secret-of-a-test"})
    [delivered] = runtime.emit("Push.Main", {"commit": "$(id)"})
    assert delivered.status == "succeeded", delivered
    assert delivered.attempts[0].logs[0] == "stderr: ***"
    assert "deployed as $(id) --verbose" in delivered.last.logs[0]


def test_variables_and_input_are_in_no_repr():
    from hookrt_command.run import Program

    program = Program("/bin/true", ["true"], "/", {"TOKEN": "a-secret"}, b"a-secret")
    assert "a-secret" not in repr(program)
