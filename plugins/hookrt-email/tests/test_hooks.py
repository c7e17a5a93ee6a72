"""The action `email` in a runtime, and what a message may hold at most."""

import re
from pathlib import Path

import pytest
from hookrt_email import Email
from hookrt_email.action import MAX_MESSAGE

from hookrt.plugin import OutcomeKind

README = (Path(__file__).parent.parent / "README.md").read_text()
EXAMPLE = re.search(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[1]

HOOKS = """
service:
  actions:
    email: {host: localhost, port: PORT, ca: CA, username: hooks, password: "${{ secrets.SMTP }}", from: us@example.org}
hooks:
  welcome:
    on: User.Created
    steps:
      - email:
          to: {name: "${{ event.data.name }}", address: "${{ event.data.email }}"}
          subject: Welcome, ${{ event.data.name }}
          html: <p>${{ event.data.name }}</p>
"""


def test_a_hook_sends_by_a_local_server_that_is_written_out(serve, authority, login, hookrt_runtime):
    with serve(login=True) as mails:
        hooks = HOOKS.replace("PORT", str(mails.port)).replace("CA", f"{authority}/ca.pem")
        runtime = hookrt_runtime(hooks, actions=[Email], secrets={"SMTP": login[1]})
        data = {"name": "<Ada>\r\nBcc: eve@example.com", "email": "ada@example.com"}
        [delivered] = runtime.emit("User.Created", data)
        [(_, recipients, *_)] = mails.taken
        [message] = mails.messages
    assert (delivered.status, recipients) == ("succeeded", ["ada@example.com"])
    assert message["To"] == '"<Ada> Bcc: eve@example.com" <ada@example.com>'
    assert message["Bcc"] is None
    assert "&lt;Ada&gt;" in message.get_content()
    assert delivered.last.logs[0].startswith("info: sent message_id=<msg_")
    assert login[1] not in f"{delivered}"


def test_the_example_of_the_readme_sends_what_it_says(serve, authority, login, hookrt_runtime):
    with serve(login=True) as mails:
        server = f"host: localhost\n      port: {mails.port}\n      ca: {authority}/ca.pem"
        hooks = EXAMPLE.replace("host: smtp.example.com", server).replace("username: hooks@acme.com", "username: hooks")
        runtime = hookrt_runtime(hooks, actions=[Email], secrets={"SMTP_PASSWORD": login[1]})
        [delivered] = runtime.emit("User.Created", {"name": "Zo\u00eb <b>", "email": "zoe@example.com"})
        assert delivered.status == "succeeded", delivered
        [message] = mails.messages
    assert [one.addr_spec for one in message["To"].addresses] == ["zoe@example.com"]
    assert (message["From"], message["Subject"]) == ("Acme <hooks@acme.com>", "Welcome, Zo\u00eb <b>")
    assert "Hello Zo\u00eb <b>," in message.get_body(("plain",)).get_content()
    assert "<b>Zo\u00eb &lt;b&gt;</b>" in message.get_body(("html",)).get_content()


def test_more_than_the_server_takes_is_refused_before_it_is_sent(serve, send):
    with serve(size=5_000) as mails:
        mails.before_data = lambda: pytest.fail("nothing of it was to be sent")
        outcome = send(mails, {"text": "x" * 6_000})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "smtp-5xx")
    assert outcome.message.startswith("the server answered to the sender us@example.org: 552")


def test_a_message_has_an_end(send):
    class Nobody:
        port = 1

    outcome = send(Nobody, {"text": "x" * MAX_MESSAGE})
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "too-large")
