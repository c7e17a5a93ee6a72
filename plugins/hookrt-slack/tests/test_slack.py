"""The action `slack` against a server that answers as Slack does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hookrt_slack import Slack
from hookrt_slack.message import MAX_TEXT

from hookrt.plugin import OutcomeKind
from hookrt.testing import ActionContract, Answer, Receiver, RecordedHttp, run_action

TOKEN = "xoxb-a-token-of-a-test"
POSTED = Answer(json={"ok": True, "ts": "1355517523.000005", "channel": "C1"})
README = (Path(__file__).parent.parent / "README.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


class TestContract(ActionContract):
    action = Slack
    valid_settings = (
        {"text": "x", "channel": "C1"},
        {"text_as_is": "<!here>", "webhook_url": "https://hooks.slack.com/services/T/B/X"},
        {"blocks": [{"type": "divider"}], "token": "xoxb-1", "channel": "C1", "thread_ts": "1.2"},
        {"blocks_as_is": [], "text": "x", "username": "Ada", "icon_emoji": ":tada:"},
    )
    invalid_settings = (
        {},
        {"channel": "C1"},
        {"text": "x", "text_as_is": "x"},
        {"blocks": [], "blocks_as_is": []},
        {"text": "x", "webhook_url": "https://hooks.slack.com/x", "channel": "C1"},
        {"text": "x", "webhook_url": "ftp://hooks.slack.com/x"},
        {"text": "x", "token": "xoxb-1"},
        {"text": "x", "channel": ""},
        {"text": "x" * (MAX_TEXT + 1)},
        {"blocks": [{"type": "divider"}] * 51},
        {"blocks": ["x"]},
    )

    def make_service_settings(self, tmp_path):
        return {"token": TOKEN}


@pytest.fixture(scope="module")
def server():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def slack(server):
    server.forget()
    server.answer(POSTED)
    return server


def post(slack, answer=POSTED, **settings):
    slack.answer(answer)
    service = {"token": TOKEN, "channel": "C1", "api": f"{slack.url}/api"}
    return run_action(Slack, {"text": "hello", **settings}, service_settings=service)


def test_a_message_goes_to_chat_post_message_with_the_token(slack):
    outcome = post(slack, channel="C2", thread_ts="1.2", username="Ada", icon_emoji=":tada:", text="ü <b>")
    assert outcome.output == {"ts": "1355517523.000005", "channel": "C1"}
    request = slack.assert_received(method="POST", path="/api/chat.postMessage")
    assert request.json == {
        "channel": "C2",
        "text": "ü <b>",
        "thread_ts": "1.2",
        "username": "Ada",
        "icon_emoji": ":tada:",
    }
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json; charset=utf-8"


def test_a_webhook_gets_no_token(slack):
    outcome = post(slack, Answer(body="ok"), webhook_url=f"{slack.url}/services/T/B/X")
    assert (outcome.kind, outcome.output) == (OutcomeKind.DONE, {"ts": None, "channel": None})
    request = slack.assert_received(path="/services/T/B/X", json={"text": "hello"})
    assert "authorization" not in request.headers


def test_a_step_has_a_token_of_its_own_and_the_service_a_webhook(slack):
    service = {"webhook_url": f"{slack.url}/default", "api": f"{slack.url}/api"}
    run_action(Slack, {"text": "x"}, service_settings=service)
    slack.assert_received(path="/default")
    run_action(Slack, {"text": "x", "token": "xoxb-own", "channel": "C3"}, service_settings=service)
    assert slack.requests[-1].headers["authorization"] == "Bearer xoxb-own"


def test_without_a_place_to_post_nothing_is_sent():
    http = RecordedHttp()
    for settings in ({"text": "x"}, {"text": "x", "channel": "C1"}):
        outcome = run_action(Slack, settings, http=http)
        assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "no-target")
    http.assert_nothing_received()


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "fatal_error", "service_unavailable"])
def test_an_error_that_passes_is_tried_again(slack, error):
    outcome = post(slack, Answer(json={"ok": False, "error": error}))
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "slack-busy")
    assert error in outcome.message


@pytest.mark.parametrize("status", [200, 429])
def test_a_rate_limit_waits_as_long_as_slack_says_and_rests_the_lane(slack, status):
    outcome = post(slack, Answer(status, json={"ok": False, "error": "ratelimited"}, headers={"Retry-After": "30"}))
    assert outcome.kind is OutcomeKind.RETRY
    assert outcome.retry_after == outcome.slow_down == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": "invalid_auth"}, "`invalid_auth`: write the bot token"),
        ({"error": "channel_not_found"}, "`channel_not_found`: write the channel's id"),
        ({"error": "not_in_channel"}, "`not_in_channel`: invite the app"),
        ({"error": "missing_scope", "needed": "chat:write"}, "`missing_scope` (needed: chat:write): add the scope"),
        ({"error": "invalid_blocks", "response_metadata": {"messages": ["no\n/blocks/0"]}}, "(no /blocks/0)"),
        ({"error": "something_new"}, "Slack answered `something_new`"),
        ({"error": "<b>\r\n" * 99}, "Slack answered `unknown_error`"),
        ({}, "Slack answered `unknown_error`"),
    ],
)
def test_an_error_with_status_200_is_final_and_says_what_to_do(slack, answer, said):
    outcome = post(slack, Answer(json={"ok": False, **answer}))
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "slack-error")
    assert said in outcome.message


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "invalid_payload"),
        (403, "action_prohibited"),
        (403, "no_service"),
        (404, "no_service"),
        (410, "no_service"),
        (410, "channel_is_archived"),
    ],
)
def test_the_plain_words_of_a_webhook_are_final_and_say_what_to_do(slack, status, word):
    outcome = post(slack, Answer(status, word), webhook_url=f"{slack.url}/services/X")
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "slack-error")
    assert re.search(f"`{word}`: .{{10}}", outcome.message)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(500, "rollup_error"), "status"),
        (Answer(503, json={"ok": False, "error": "service_unavailable"}), "status"),
        (Answer(404, "<html>"), "status"),
        (Answer(302, headers={"Location": "/login"}), "redirect"),
        (Answer(200, "<html>"), "protocol"),
    ],
)
def test_what_is_no_answer_of_slack_is_tried_again(slack, answer, reason):
    outcome = post(slack, answer)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, reason)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"text": "x" * (MAX_TEXT + 1)}, "too-long"),
        ({"blocks": [{"type": "divider"}] * 51}, "too-long"),
    ],
)
def test_what_slack_does_not_take_is_never_sent(slack, settings, reason):
    outcome = post(slack, **settings)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, reason)
    assert "Slack takes" in outcome.message
    slack.assert_nothing_received()


def test_half_a_character_is_rejected():
    settings = Slack.settings.model_construct(
        **{name: field.default for name, field in Slack.settings.model_fields.items()} | {"text": "\ud83d"}
    )
    http = RecordedHttp()
    outcome = run_action(Slack, settings, http=http, service_settings={"token": TOKEN, "channel": "C1"})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-text")
    http.assert_nothing_received()


def test_each_channel_and_each_webhook_is_a_lane_of_its_own():
    lane = Slack().lane
    assert lane({"text": "x"}) == "slack://service"
    assert lane({"channel": "C1"}) == "slack://C1"
    assert lane({"channel": "C1", "token": "${{ secrets.OTHER }}"}) == "slack://secrets.OTHER:C1"
    assert lane({"webhook_url": "${{ secrets.ALARMS }}"}) == "slack://secrets.ALARMS"
    assert lane({"channel": "${{ event.data.channel }}"}) is None
    one, other = (lane({"webhook_url": f"https://hooks.slack.com/services/{name}"}) for name in "ab")
    assert one != other
    assert "services" not in one


HOOKS = """
service:
  egress: {allow: [127.0.0.1]}
  actions:
    slack: {token: "${{ secrets.SLACK }}", channel: C1, api: URL/api}
hooks:
  told:
    on: Order.Paid
    steps:
      - id: first
        slack: <https://x.example|see> ${{ event.data.name }}
      - slack:
          thread_ts: ${{ steps.first.output.ts }}
          blocks:
            - {type: section, text: {type: mrkdwn, text: "${{ event.data.name }}"}}
            - {type: actions, elements: [{type: button, url: "${{ event.data.url }}"}]}
      - slack: {text_as_is: "${{ event.data.name }}", blocks_as_is: "${{ event.data.blocks }}"}
"""


def test_values_of_an_event_are_text_and_the_token_is_in_no_record(slack, hookrt_runtime):
    hooks = HOOKS.replace("URL", slack.url)
    runtime = hookrt_runtime(hooks, actions=[Slack], secrets={"SLACK": TOKEN})
    name, url = "<!channel> \"A\" & 'B' &quot; &lt;", "https://x.example/?a=1&b=<2>"
    data = {"name": name, "url": url, "blocks": [{"type": "divider"}]}
    [delivered] = runtime.emit("Order.Paid", data)
    assert delivered.status == "succeeded"
    first, second, third = (one.json for one in slack.requests)
    escaped = "&lt;!channel&gt; \"A\" &amp; 'B' &amp;quot; &amp;lt;"
    assert first["text"] == f"<https://x.example|see> {escaped}"
    assert second["blocks"][0]["text"]["text"] == escaped
    assert second["blocks"][1]["elements"][0]["url"] == url
    assert second["thread_ts"] == "1355517523.000005"
    assert (third["text"], third["blocks"]) == (name, data["blocks"])
    assert TOKEN not in f"{delivered}"


def test_a_rate_limit_leaves_the_delivery_waiting(slack, hookrt_runtime):
    hooks = HOOKS.replace("URL", slack.url)
    runtime = hookrt_runtime(hooks, actions=[Slack], secrets={"SLACK": TOKEN})
    slack.answer(Answer(429, headers={"Retry-After": "30"}), POSTED)
    [delivered] = runtime.emit("Order.Paid", {"name": "Ada", "url": "https://x.example", "blocks": []})
    assert delivered.status == "waiting"
    assert delivered.last.outcome == "retry"


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_readme_is_accepted(text, hookrt_runtime):
    names = re.findall(r"secrets\.(\w+)", text)
    runtime = hookrt_runtime(text, actions=[Slack], secrets=dict.fromkeys(names, "https://hooks.example.com/x"))
    assert runtime.runtime.configuration.warnings == ()


def test_each_setting_and_each_reason_is_in_the_readme():
    rows = "\n".join(line.split("|")[1] for line in README.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`([\w-]+)`", rows))
    assert named == set(Slack.settings.model_fields) | set(Slack.service_settings.model_fields) | set(Slack.reasons)
