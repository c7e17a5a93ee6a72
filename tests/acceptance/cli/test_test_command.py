"""`hookrt test`: a line for each test, what differs with its place, a count, and what other programs read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

Run = Callable[..., subprocess.CompletedProcess[str]]

HOOKS = """\
destinations:
  crm: {url: https://crm.example.com, signing_secret: "${{ secrets.CRM }}"}
hooks:
  one:
    on: Order.Paid
    when: event.data.total > 0
    steps: [{webhook: {to: crm, body: "${{ event.data }}"}}]
    tests:
      - name: a good one
        event: {data: {total: 5}}
      - name: a wrong one
        event: {data: {total: 5}}
        steps:
          webhook:
            request: {body: {total: 6}}
  two: {on: Order.Paid, steps: [{log: x}]}
"""


def test_it_tells_of_each_test_and_of_what_differs_and_ends_with_1(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    done = hookrt("test", "--junit", "report.xml")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("passed  one: a good one  ")
    assert lines[1].startswith("FAILED  one: a wrong one  ")
    assert lines[2:9] == [
        "",
        "hooks.yaml:15:37: error: steps.webhook.request.body.total is not as expected",
        "    expected  6",
        "    got       5",
        "   15 |             request: {body: {total: 6}}",
        "      |                                     ^",
        "",
    ]
    assert lines[9].startswith("1 passed, 1 failed in ")
    assert lines[10] == "1 hook has no test: two"
    root = ElementTree.fromstring((tmp_path / "report.xml").read_text())
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    [good, wrong] = root.iter("testcase")
    assert (good.get("classname"), good.get("name"), len(good)) == ("one", "a good one", 0)
    assert "hooks.yaml:15:37" in (wrong[0].text or "")


def test_json_and_the_filter_by_name(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    done = hookrt("test", "-k", "GOOD", "-o", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["passed"], report["failed"], report["untested"]) == (1, 0, [])
    [test] = report["tests"]
    assert (test["hook"], test["name"], test["line"], test["mismatches"]) == ("one", "a good one", 9, [])
    nothing = hookrt("test", "-k", "zzz")
    assert nothing.returncode == 1
    assert "none of the 2 tests has 'zzz' in its name" in nothing.stderr


def test_the_tests_of_one_hook_alone(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    done = hookrt("test", "--hook", "one", "-k", "good")
    assert (done.returncode, done.stdout.count("passed  ")) == (0, 1), done.stdout
    done = hookrt("test", "--hook", "two")
    assert (done.returncode, done.stdout) == (0, "no tests: write some below `tests:` of a hook\n")
    done = hookrt("test", "--hook", "onne")
    assert (done.returncode, done.stderr) == (1, "hookrt: there is no hook 'onne': did you mean 'one'?\n")


CASE = {"name", "time", "classname", "group"}
SUITE = {"name", "tests", "failures", "errors", "time", "file", "skipped", "timestamp", "hostname", "id", "package"}


def test_the_report_has_only_what_strict_readers_of_junit_know(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("a good one", '"<a> & \\e[31m"'))
    hookrt("test", "--junit", "report.xml")
    root = ElementTree.fromstring((tmp_path / "report.xml").read_text())
    assert set(root.keys()) <= {"name", "time", "tests", "failures", "errors"}
    for suite in root.iter("testsuite"):
        assert {"name", "tests", "failures", "errors"} <= set(suite.keys()) <= SUITE
    cases = list(root.iter("testcase"))
    assert all({"name"} <= set(case.keys()) <= CASE for case in cases)
    assert {one.tag for case in cases for one in case} == {"failure"}
    assert cases[0].get("name") == "<a> & \ufffd[31m"


def test_a_mistake_in_the_file_is_told_before_anything_is_run(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS.replace("event: {data: {total: 5}}", "evnt: {}", 1))
    done = hookrt("test")
    assert done.returncode == 1
    assert "a test has no key 'evnt'" in done.stdout + done.stderr


def test_github_gets_annotations(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "hooks.yaml").write_text(HOOKS)
    done = hookrt("test", "-o", "github")
    assert "::error file=hooks.yaml,line=15,col=37::steps.webhook.request.body.total" in done.stdout


def test_what_init_writes_passes_its_own_tests(hookrt: Run) -> None:
    hookrt("init")
    done = hookrt("test")
    assert done.returncode == 0, done.stdout
    assert "passed  welcome: addresses are lower case" in done.stdout


def test_neither_variables_nor_secrets_of_the_machine_count(hookrt: Run, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "CRM").write_text("no-secret-to-sign-with")
    (tmp_path / "hooks.yaml").write_text(HOOKS + "service: {secrets: {directory: secrets}}\n")
    done = hookrt("test", "-k", "good", env={"HOOKRT_SECRET_CRM": "nor this", "HOOKRT_NONSENSE": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
