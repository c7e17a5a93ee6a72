"""What hostile values become in a message: text, and never a header, a recipient or markup."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hookrt_email.mailbox import Mailbox, clean_line, read_mailbox
from hookrt_email.message import MAX_SUBJECT, build_message
from hookrt_email.settings import EmailSettings
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
BODY = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}


def built(**written):
    made = EmailSettings.model_validate({"to": "ada@example.com", "subject": "s", "text": "t", **written})
    content = build_message(made, Mailbox("us@example.org"), "msg_" + "a" * 52, NOON).content
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
    assert content.isascii()
    return message_from_bytes(content, policy=default)


def names(message):
    return [name for name in message if name not in BODY]


@pytest.mark.parametrize("breaking", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x0b", "\x00\n"])
def test_a_line_break_in_a_subject_starts_no_header(breaking):
    message = built(subject=f"Hi{breaking}Bcc: evil@example.com{breaking}{breaking}<script>")
    assert names(message) == HEADERS
    assert message["Subject"] == "Hi Bcc: evil@example.com <script>"


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to", "from"])
@pytest.mark.parametrize(
    "text",
    ["ada@example.com\r\nBcc: eve@example.com", "Ada\nBcc: eve@example.com\n <ada@example.com>", "a\r@b.example"],
)
def test_a_line_break_in_a_mailbox_is_refused(field, text):
    with pytest.raises(ValidationError, match="is no mailbox"):
        built(**{field: text})


def test_a_line_break_in_a_name_starts_no_header():
    message = built(to={"name": 'A"\r\nBcc: evil@example.com\r\n', "address": "ada@example.com"})
    assert names(message) == HEADERS
    assert [one.addr_spec for one in message["To"].addresses] == ["ada@example.com"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@exa mple.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\r\nRCPT TO:<eve@example.com>",
        "ada@example.com\n",
        "Boss <eve@example.com> <ada@example.com>",
        "x>, <eve@example.com>, <ada@example.com>",
        "<ada@example.com",
        "ada@example.com>",
        "ada@example.com> SIZE=1",
        "ada@example..com",
        "ada@-example.com",
        "ada@[127.0.0.1\r\n]",
        ".ada@example.com",
        '"ada eve"@example.com',
        "ad\u00e4@example.com",
        "ada\x00@example.com",
        "a" * 65 + "@example.com",
        "ada@" + "a." * 130 + "com",
    ],
)
def test_what_is_not_exactly_one_mailbox_is_refused(text):
    stripped = text.strip()
    if stripped == "ada@example.com":  # white space around it means nothing
        assert read_mailbox(text) == Mailbox("ada@example.com")
        return
    with pytest.raises(ValueError, match="is no"):
        read_mailbox(text)


@pytest.mark.parametrize(
    ("text", "address", "name"),
    [
        ("ada@example.com", "ada@example.com", ""),
        (" Ada Lovelace <ada@example.com> ", "ada@example.com", "Ada Lovelace"),
        ('"Lovelace, \\"Ada\\"" <ada+x@example.com>', "ada+x@example.com", 'Lovelace, "Ada"'),
        ("Lovelace, Ada <ada@example.com>", "ada@example.com", "Lovelace, Ada"),
        ("<ada@b\u00fccher.example>", "ada@xn--bcher-kva.example", ""),
        ("ada@[127.0.0.1]", "ada@[127.0.0.1]", ""),
        ("root@localhost", "root@localhost", ""),
    ],
)
def test_a_mailbox_is_read_as_people_write_it(text, address, name):
    assert read_mailbox(text) == Mailbox(address, name)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@settings(max_examples=60, deadline=None)
@given(name=TEXTS, subject=TEXTS, text=TEXTS)
def test_whatever_the_values_are_the_message_holds_just_them(name, subject, text):
    people = [{"name": name, "address": "ada@example.com"}, {"name": name[::-1], "address": "eve@example.com"}]
    message = built(to=people, subject=subject, text=text)
    assert names(message) == HEADERS
    assert [one.addr_spec for one in message["To"].addresses] == ["ada@example.com", "eve@example.com"]
    assert message["Subject"].split() == clean_line(subject, MAX_SUBJECT).split()
    assert (
        message.get_content().splitlines() == text.splitlines()
        or message.get_content().strip() == text.strip()
        or ("\n".join(message.get_content().split()) == "\n".join(text.split()))
    )


def test_a_long_subject_is_cut_and_no_line_is_too_long():
    message = built(subject="\u00fc" * 10_000, text="x" * 10_000)
    assert len(message["Subject"]) == MAX_SUBJECT


def test_the_message_id_stands_on_one_line_as_it_is():
    made = EmailSettings.model_validate({"to": "ada@example.com", "subject": "s", "text": "t"})
    content = build_message(made, Mailbox(f"us@{'long-' * 8}domain.example.org"), "msg_" + "a" * 52, NOON).content
    assert f"Message-ID: <msg_{'a' * 52}@{'long-' * 8}domain.example.org>\r\n".encode() in content


def test_half_a_character_is_refused():
    with pytest.raises(UnicodeEncodeError):
        built(text="\ud83d")


def test_the_password_is_in_no_repr():
    from hookrt_email.deliver import Place

    assert "a-secret" not in repr(Place("localhost", 25, ("127.0.0.1",), password="a-secret"))
    made = EmailSettings.model_validate_json(
        '{"to": "a@b.example", "subject": "", "text": "", "host": "h", "username": "u", "password": "a-secret"}'
    )
    assert "a-secret" not in repr(made)
