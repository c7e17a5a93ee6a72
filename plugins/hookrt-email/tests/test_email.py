"""The action `email` against a real SMTP server over real TLS."""

import asyncio
import gc
import socket
import ssl
import threading
import time
from datetime import timedelta

import pytest
from hookrt_email import Email
from hookrt_email.deliver import Envelope, Place, Unreached, deliver

from hookrt.plugin import HttpError, OutcomeKind, PluginError
from hookrt.testing import ActionContract, call_for, event, open_action, run_action

MESSAGE = {"to": "ada@example.com", "subject": "Hello", "text": "A text."}


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_message_goes_over_verified_tls(tls, serve, send):
    with serve(tls=tls) as mails:
        outcome = send(mails, server={"tls": tls})
        assert outcome.kind is OutcomeKind.DONE, outcome
        [(sender, recipients, _, _)] = mails.taken
        assert (sender, recipients) == ("us@example.org", ["ada@example.com"])
        [message] = mails.messages
    assert message["From"] == "Us <us@example.org>"
    assert message["To"] == "ada@example.com"
    assert message["Subject"] == "Hello"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().strip() == "A text."
    assert outcome.output["accepted"] == ["ada@example.com"]
    assert outcome.output["reply"] == "250 taken as 42"


def test_the_server_logs_us_in_only_with_the_right_password(serve, send, login):
    user, password = login
    with serve(login=True) as mails:
        right = send(mails, server={"username": user, "password": password})
        wrong = send(mails, server={"username": user, "password": "wrong"})
        without = send(mails)
        assert len(mails.taken) == 1
    assert right.kind is OutcomeKind.DONE, right
    assert (wrong.kind, wrong.reason) == (OutcomeKind.REJECT, "login")
    assert (without.kind, without.reason) == (OutcomeKind.REJECT, "smtp-5xx")
    assert "wrong" not in f"{wrong}".replace("Authentication credentials invalid", "")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_of_an_unknown_authority_is_not_accepted(tls, serve, send):
    with serve(tls=tls) as mails:
        outcome = send(mails, server={"tls": tls, "ca": None})
        assert mails.taken == []
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "tls")
    assert "its certificate is not valid" in outcome.message


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_of_another_name_is_not_accepted(tls, serve, send):
    with serve(tls=tls, certificate="other") as mails:
        outcome = send(mails, server={"tls": tls})
        assert mails.taken == []
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "tls")
    assert "localhost" in outcome.message


def test_nothing_falls_back_to_plain_text(serve, send):
    with serve(tls="none") as mails:
        outcome = send(mails)
        assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "tls")
        assert mails.taken == []
        assert send(mails, server={"tls": "none"}).kind is OutcomeKind.DONE


def test_all_recipients_get_it_and_nobody_sees_the_hidden_ones(serve, send):
    settings = {
        "to": ["ada@example.com", {"name": "Grace, Admiral", "address": "grace@example.com"}],
        "cc": "Copy <copy@example.com>",
        "bcc": ["hidden@example.com", "ada@example.com"],
        "reply_to": "answers@example.org",
        "from": "Others <others@example.net>",
    }
    with serve() as mails:
        send(mails, settings)
        [(sender, recipients, content, _)] = mails.taken
        [message] = mails.messages
    assert sender == "others@example.net"
    assert recipients == ["ada@example.com", "grace@example.com", "copy@example.com", "hidden@example.com"]
    assert b"hidden" not in content
    assert message["To"] == 'ada@example.com, "Grace, Admiral" <grace@example.com>'
    assert message["Cc"] == "Copy <copy@example.com>"
    assert message["Reply-To"] == "answers@example.org"


def test_text_and_html_are_two_forms_of_one_message(serve, send):
    with serve() as mails:
        send(mails, {"text": "Grüße\n.\n", "html": "<p>Grüße</p>"})
        send(mails, {"text": None, "html_as_is": "<b>x</b>"})
        both, alone = mails.messages
    assert both.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in both.iter_parts()] == ["text/plain", "text/html"]
    assert both.get_body(("plain",)).get_content().splitlines() == ["Grüße", "."]
    assert both.get_body(("html",)).get_content().strip() == "<p>Grüße</p>"
    assert (alone.get_content_type(), alone.get_content().strip()) == ("text/html", "<b>x</b>")


def test_repeats_of_a_message_have_one_id_and_other_messages_another(serve, send):
    with serve() as mails:
        happened = event("User.Created", id="e1")
        for number in (1, 2):
            send(mails, event=happened, attempt=number)
        send(mails, event=event("User.Created", id="e2"))
        send(mails, event=happened, step="second")
        ids = [message["Message-ID"] for message in mails.messages]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert ids[0].startswith("<msg_")
    assert ids[0].endswith("@example.org>")


@pytest.mark.parametrize(
    ("replies", "kind", "reason"),
    [
        ({"MAIL": "451 later"}, OutcomeKind.RETRY, "smtp-4xx"),
        ({"MAIL": "550 never"}, OutcomeKind.REJECT, "smtp-5xx"),
        ({"ada@example.com": "450 grey"}, OutcomeKind.RETRY, "smtp-4xx"),
        ({"ada@example.com": "550 no such user"}, OutcomeKind.REJECT, "smtp-5xx"),
        ({"DATA": "452 full"}, OutcomeKind.RETRY, "smtp-4xx"),
        ({"DATA": "554 spam"}, OutcomeKind.REJECT, "smtp-5xx"),
        ({"DATA": "421 closing"}, OutcomeKind.RETRY, "smtp-4xx"),
    ],
)
def test_4xx_is_tried_again_and_5xx_is_final(replies, kind, reason, serve, send):
    with serve() as mails:
        mails.replies = replies
        outcome = send(mails)
    assert (outcome.kind, outcome.reason) == (kind, reason)
    assert next(iter(replies.values())) in outcome.message


def test_one_recipient_for_later_means_nobody_gets_it_now(serve, send):
    with serve() as mails:
        mails.replies = {"grace@example.com": "450 grey"}
        outcome = send(mails, {"to": ["ada@example.com", "grace@example.com"]})
        assert (outcome.kind, outcome.reason, mails.taken) == (OutcomeKind.RETRY, "smtp-4xx", [])


def test_one_recipient_refused_for_good_keeps_it_from_nobody_else(serve, send):
    with serve() as mails:
        mails.replies = {"ada@example.com": "550 no such user"}
        outcome = send(mails, {"to": ["ada@example.com", "grace@example.com"]})
        [(_, recipients, _, _)] = mails.taken
    assert recipients == ["grace@example.com"]
    assert outcome.output["refused"] == {"ada@example.com": "550 no such user"}
    assert outcome.output["accepted"] == ["grace@example.com"]


def test_a_port_that_nobody_listens_on_is_tried_again(send):
    class Nobody:
        port = 0

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        Nobody.port = taken.getsockname()[1]
        outcome = send(Nobody)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "refused")


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"", "reset"),
        (b"421 busy\r\n", "smtp-4xx"),
        (b"554 go away\r\n", "smtp-5xx"),
        (b"\xff\x00nonsense\r\n", "protocol"),
        (b"220 hi\r\n", "reset"),
    ],
)
def test_a_server_that_answers_oddly_costs_one_attempt(says, reason, send):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.sendall(says)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1024):
                    pass

        class Odd:
            port = listening.getsockname()[1]

        thread = threading.Thread(target=answer)
        thread.start()
        outcome = send(Odd)
        thread.join()
    assert outcome.reason == reason, outcome
    assert outcome.kind is (OutcomeKind.REJECT if reason == "smtp-5xx" else OutcomeKind.RETRY)


def test_a_server_that_says_nothing_is_cut_off(send):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        class Silent:
            port = listening.getsockname()[1]

        outcome = send(Silent, timeout=timedelta(seconds=0.3))
    assert (outcome.kind, outcome.reason) == (OutcomeKind.RETRY, "timeout")


def wait_until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def hand_over(authority):
    """Hands a message over, without an action: a coroutine."""
    context = ssl.create_default_context(cafile=authority / "ca.pem")
    envelope = Envelope("us@example.org", ["ada@example.com"], b"A text.\r\n")

    def start(mails, tls, seconds):
        place = Place("localhost", mails.port, ["127.0.0.1"], context, implicit=tls == "implicit")
        return deliver(place, envelope, seconds)

    return start


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_server_that_falls_silent_over_tls_is_left_at_once(tls, serve, hand_over):
    silent = threading.Event()
    with serve(tls=tls) as mails:
        mails.before_data = silent.wait
        try:
            with pytest.raises(Unreached, match="did not answer in time"):
                asyncio.run(hand_over(mails, tls, 0.5))
            gc.collect()  # nothing is found that nobody has closed
        finally:
            silent.set()
        wait_until(lambda: mails.all_closed)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_an_attempt_that_is_cancelled_at_any_moment_leaves_no_connection(tls, serve, hand_over):
    async def cancel_after(turns, mails):
        task = asyncio.create_task(hand_over(mails, tls, 30))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with serve(tls=tls) as mails:
        for turns in range(0, 24, 2):
            asyncio.run(cancel_after(turns, mails))
        gc.collect()  # nothing is found that nobody has closed
        wait_until(lambda: mails.all_closed)


class Judging:
    """A way out that keeps what it is asked, and refuses."""

    def __init__(self):
        self.asked = []

    async def addresses_of(self, host, port, *, written=False):
        self.asked.append((host, port, written))
        raise HttpError("blocked-address", "no")


@pytest.mark.parametrize(
    ("own", "rendered", "asked"),
    [
        ({}, set(), ("localhost", 2500, True)),
        ({"host": "mail.internal", "port": 26}, set(), ("mail.internal", 26, True)),
        ({"host": "mail.internal", "tls": "implicit"}, {"host"}, ("mail.internal", 465, False)),
        ({"host": "mail.internal"}, {"password", "to"}, ("mail.internal", 587, True)),
    ],
)
def test_the_servers_address_is_judged_and_one_from_an_event_is_nobodys_will(own, rendered, asked):
    async def run():
        service = {"host": "localhost", "port": 2500, "from": "us@example.org"}
        async with open_action(Email, service_settings=service) as opened:
            http = Judging()
            call = call_for(opened, {**MESSAGE, **own}, http=http, rendered=frozenset(rendered))
            with pytest.raises(HttpError):
                await opened.run(call)
            assert http.asked == [asked]

    asyncio.run(run())


def test_a_step_with_a_server_of_its_own_never_sends_the_services_password_there(serve, send, login):
    with serve(login=True) as mails:
        service = {"host": "smtp.invalid", "username": "hooks", "password": login[1]}
        outcome = send(mails, {"host": "localhost", "port": mails.port, "ca": "ca.pem"}, server=service)
        assert (outcome.reason, mails.taken) == ("smtp-5xx", [])
        assert "530" in outcome.message


def test_a_file_without_authorities_is_said_at_the_start_and_by_the_check(tmp_path, authority):
    (tmp_path / "empty.pem").write_text("nothing")
    for ca, said in (("empty.pem", "holds no certificates"), ("gone.pem", "there is no file")):
        with pytest.raises(PluginError, match=said):
            run_action(
                Email,
                MESSAGE,
                base_dir=tmp_path,
                service_settings={"host": "localhost", "from": "us@example.org", "ca": ca},
            )
        settings = call_for(Email, {**MESSAGE, "host": "localhost", "ca": ca}).settings
        [problem] = Email().check_in(settings, tmp_path)
        assert (problem.path, said in problem.message) == (("ca",), True)
        assert list(Email().check_in(settings.model_copy(update={"ca": "ca.pem"}), authority)) == []


def test_the_server_is_the_lane():
    assert Email().lane(MESSAGE) == "email"
    assert Email().lane({**MESSAGE, "host": "localhost", "port": 25}) == "smtp://localhost:25"
    assert Email().lane({**MESSAGE, "host": "${{ event.data.host }}"}) is None


class TestContract(ActionContract):
    action = Email
    valid_settings = (
        MESSAGE,
        {"to": [{"address": "a@b.example"}], "subject": "", "html": "<p>", "from": "us@example.com"},
        {**MESSAGE, "host": "localhost", "port": 1, "username": "a", "password": "b"},
    )
    invalid_settings = (
        {},
        {**MESSAGE, "to": []},
        {**MESSAGE, "to": "nobody"},
        {**MESSAGE, "to": "a@example.com, b@example.com"},
        {**MESSAGE, "to": ["a@example.com"] * 101},
        {"to": "ada@example.com", "subject": "x"},
        {**MESSAGE, "html": "a", "html_as_is": "b"},
        {**MESSAGE, "password": "x", "username": "x"},
        {**MESSAGE, "host": "localhost", "username": "x"},
        {**MESSAGE, "host": "localhost", "username": "x", "password": "x", "tls": "none"},
        {**MESSAGE, "host": "localhost", "port": 0},
        {**MESSAGE, "host": "localhost", "tls": "maybe"},
    )

    def make_service_settings(self, tmp_path):
        return {"host": "localhost", "port": 1, "tls": "none", "from": "us@example.org"}
