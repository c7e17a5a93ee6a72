"""Hooks that post to Slack, in a whole runtime and under `hookrt test`."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hookrt_slack import Slack

from hookrt.testing import Answer, Receiver

PLUGIN = Path(__file__).parent.parent
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", (PLUGIN / "README.md").read_text(), re.MULTILINE | re.DOTALL)
POSTED = Answer(json={"ok": True, "ts": "1355517523.000005", "channel": "C1"})
TOKEN = "xoxb-a-token-of-a-test"
SERVICE = """
service:
  egress: {allow: [127.0.0.1]}
  actions:
    slack: {token: "${{ secrets.SLACK_TOKEN }}", channel: C1, api: URL/api}
"""


@pytest.fixture(scope="module")
def server():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def slack(server):
    server.forget()
    server.answer(POSTED)
    return server


@pytest.fixture
def serve(slack, hookrt_runtime):
    """Starts a runtime that takes the receiver for Slack."""

    def start(hooks):
        text = SERVICE.replace("URL", slack.url) + hooks
        return hookrt_runtime(text, actions=[Slack], secrets={"SLACK_TOKEN": TOKEN})

    return start


def test_the_first_example_of_the_readme_posts_a_message_and_its_answer(slack, serve):
    runtime = serve(EXAMPLES[0][EXAMPLES[0].index("hooks:") :])
    [delivered] = runtime.emit("Order.Paid", {"customer": "Ada & <@U1>", "total": 12.5, "number": 7})
    assert delivered.status == "succeeded", delivered
    first, second = (one.json for one in slack.requests)
    assert first == {"channel": "C1", "text": "*Ada &amp; &lt;@U1&gt;* paid 12.5 :tada:"}
    assert second["thread_ts"] == "1355517523.000005"
    assert second["blocks"][0]["text"]["text"] == "Order <https://shop.example.com/orders|7>"


def test_the_examples_tests_pass_under_hookrt_test(tmp_path):
    installed = tmp_path / "hookrt_slack-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: hookrt-slack\nVersion: 0.1.0\n")
    (installed / "entry_points.txt").write_text("[hookrt]\nslack = hookrt_slack\n")
    [example] = [one for one in EXAMPLES if "tests:" in one]
    (tmp_path / "hooks.yaml").write_text(example)
    paths = os.pathsep.join([str(PLUGIN / "src"), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-m", "hookrt", "test"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("3 passed")
    (tmp_path / "hooks.yaml").write_text(example.replace('8f3a|this>"', '8f3b|this>"'))


def test_a_value_cannot_say_what_an_angle_bracket_opens(serve):
    for text in ("<${{ event.data.x }}>", "<${{ event.data.x }}|see>"):
        with pytest.raises(Exception, match="right after a `<` could be any tag or call"):
            serve(f"hooks: {{a: {{on: Go, steps: [{{slack: '{text}'}}]}}}}\n")


TWO_CHANNELS = """
hooks:
  first: {on: First, steps: [{slack: {channel: C1, text: hello}}], retry: [10ms, 10ms]}
  second: {on: Second, steps: [{slack: {channel: C2, text: hello}}]}
"""


def test_a_channel_over_its_limit_rests_as_long_as_slack_says_and_holds_up_no_other(slack, serve):
    runtime = serve(TWO_CHANNELS)
    slack.answer(Answer(429, json={"ok": False, "error": "ratelimited"}, headers={"Retry-After": "1"}), POSTED)
    [limited] = runtime.emit("First")
    assert (limited.status, limited.last.outcome) == ("waiting", "retry")
    [other] = runtime.emit("Second")
    assert other.status == "succeeded"
    end = time.monotonic() + 30
    while runtime.deliveries()[-1].status != "succeeded":
        assert time.monotonic() < end
        time.sleep(0.02)
    refused, taken = runtime.deliveries()[-1].attempts
    assert taken.started_us - refused.started_us >= 1_000_000
    assert [one.json["channel"] for one in slack.requests] == ["C1", "C2", "C1"]
