"""What is said of the server and of a message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hookrt.plugin import PemPath, Secret, Settings
from hookrt_email.mailbox import MAX_NAME, Mailbox, clean_line, read_address, read_mailbox

MAX_RECIPIENTS = 100
"""The most recipients of one message."""

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_WITH_HOST = ("port", "tls", "username", "password", "ca")


def _check_mailbox(text: str) -> str:
    read_mailbox(text)
    return text


def _check_address(text: str) -> str:
    read_address(text)
    return text


MailboxText = Annotated[str, AfterValidator(_check_mailbox)]
"""`ada@example.com` or `Ada Lovelace <ada@example.com>`."""


class Person(Settings):
    """A mailbox in two parts; the name may come from anybody."""

    address: Annotated[str, AfterValidator(_check_address)]
    name: str = ""


Recipients = MailboxText | Person | list[MailboxText | Person]


class Server(Settings):
    """How the SMTP server is reached."""

    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="By default 587, with `tls: implicit` 465, with `tls: none` 25."
    )
    tls: Literal["starttls", "implicit", "none"] = Field(
        "starttls",
        description=(
            "`starttls`: the connection becomes encrypted before anything is said; `implicit`: it is from the start; "
            "`none`: never, for a server on this machine. Certificates are verified; nothing falls back to less."
        ),
    )
    username: str | None = Field(None, description="Who logs in; goes with `password`.")
    password: Secret | None = Field(None, description="The password; write `${{ secrets.NAME }}`.")
    ca: PemPath | None = Field(
        None, description="A PEM file of authorities that are trusted beside the public ones, relative to hooks.yaml."
    )

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("`username` and `password` go together")
        if self.password is not None and self.tls == "none":
            raise ValueError("with `tls: none` the password would go over the network for all to read")
        return self

    @property
    def actual_port(self) -> int:
        """The port, its default where none is written."""
        return self.port or _PORTS[self.tls]


class ServiceSettings(Server):
    """What stands under `service.actions.email`."""

    host: str = Field(description="The SMTP server.", examples=["smtp.example.com"])
    sender: MailboxText = Field(
        alias="from",
        description="Who messages are from, where a step says nothing else.",
        examples=["Us <us@acme.com>"],
    )


class EmailSettings(Server):
    """What a step says."""

    to: Recipients = Field(
        description="One recipient or a list: `ada@example.com`, `Ada <ada@example.com>`, or a mapping"
    )
    cc: Recipients = Field([], description="Those who get a copy, for all to see.")
    bcc: Recipients = Field([], description="Those who get a copy that nobody sees.")
    reply_to: Recipients = Field([], description="Where answers go.")
    sender: MailboxText | None = Field(None, alias="from", description="Who it is from; else that of the service.")
    subject: str = Field(description="The subject, one line of at most 500 characters.")
    text: str | None = Field(None, description="The message as plain text.")
    html: str | None = Field(
        None, description="The message as HTML. What a `${{ }}` gives is text in it: `<` becomes `&lt;`."
    )
    html_as_is: str | None = Field(
        None, description="The message as HTML that a step before has made: nothing is escaped, so trust what makes it."
    )
    host: str | None = Field(None, description="Another SMTP server than that of the service, with all that follows.")

    @model_validator(mode="after")
    def _whole_message(self) -> Self:
        if self.html is not None and self.html_as_is is not None:
            raise ValueError("set one of `html` and `html_as_is`")
        if self.text is None and self.html is None and self.html_as_is is None:
            raise ValueError("a message needs `text` or `html`")
        alone = [name for name in _WITH_HOST if name in self.model_fields_set]
        if self.host is None and alone:
            raise ValueError(f"`{alone[0]}` goes with a `host` of its own, never with the server of the service")
        if not 0 < sum(1 for _ in self.recipients()) <= MAX_RECIPIENTS:
            raise ValueError(f"a message has 1 to {MAX_RECIPIENTS} recipients")
        return self

    def recipients(self) -> Iterable[Mailbox]:
        """All who get it."""
        for one in (self.to, self.cc, self.bcc):
            yield from read_recipients(one)


def read_recipients(given: str | Person | list[str | Person] | Recipients) -> list[Mailbox]:
    """The mailboxes of a setting, in order."""
    several = given if isinstance(given, list) else [given]
    return [
        read_mailbox(one)
        if isinstance(one, str)
        else Mailbox(read_address(one.address), clean_line(one.name, MAX_NAME))
        for one in several
    ]
