"""The message: headers that hold what they were given and nothing else, and a body in one form or two."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from hookrt_email.headers import encode_mailboxes, encode_text, header_lines
from hookrt_email.mailbox import Mailbox, clean_line, read_mailbox
from hookrt_email.settings import EmailSettings, read_recipients

MAX_SUBJECT = 500
"""Characters of a subject; more is cut."""

_POLICY = SMTP.clone(cte_type="7bit")  # 8 bits may only go to servers that say that they take them


@dataclass(frozen=True, slots=True)
class Message:
    """A message and its id."""

    id: str
    content: bytes = field(repr=False)


def build_message(settings: EmailSettings, sender: Mailbox, message_id: str, date: datetime) -> Message:
    """The message, its id made of `message_id` and the sender's domain.

    Raises UnicodeEncodeError for half a character in its text.
    """
    identity = f"<{message_id}@{sender.address.rpartition('@')[2]}>"
    lists = (("To", settings.to), ("Cc", settings.cc), ("Reply-To", settings.reply_to))
    headers = [
        ("From", encode_mailboxes([sender])),
        *((name, encode_mailboxes(found)) for name, given in lists if (found := read_recipients(given))),
        ("Subject", encode_text(clean_line(settings.subject, MAX_SUBJECT))),
        ("Date", format_datetime(date)),
        ("Message-ID", identity),
        ("Auto-Submitted", "auto-generated"),  # so that no holiday notice answers it
    ]
    return Message(identity, header_lines(headers) + _body(settings).as_bytes())


def sender_of(settings: EmailSettings, default: str) -> Mailbox:
    """Who the message is from."""
    return read_mailbox(settings.sender or default)


def _body(settings: EmailSettings) -> EmailMessage:
    """The rest of the message; all that it puts into headers is of its own making."""
    body = EmailMessage(policy=_POLICY)
    html = settings.html if settings.html is not None else settings.html_as_is
    if settings.text is None:
        body.set_content(html or "", subtype="html")
        return body
    body.set_content(settings.text)
    if html is not None:
        body.add_alternative(html, subtype="html")
    return body
