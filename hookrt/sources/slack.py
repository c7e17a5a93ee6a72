"""The source `slack`: what Slack sends to an app, events, slash commands and interactions, all signed alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pydantic import Field

from hookrt.plugin import (
    Inbound,
    InboundSource,
    Received,
    Refused,
    Reply,
    Respond,
    Source,
    check_age,
    impl,
    read_json,
    seconds_of,
)
from hookrt.sources.reading import at, first_name, moment_of, name_of, require_object, type_of
from hookrt.sources.signed import HmacHeader, TimedSettings

_SIGNATURE = HmacHeader("x-slack-signature", "signing secret", prefix="v0=")
_TIME_HEADER = "x-slack-request-timestamp"
_LONGEST_CHALLENGE = 1024


class SlackSettings(TimedSettings):
    """What verifies requests of Slack: `secret` is the app's signing secret."""

    respond: Respond | None = Field(
        default=Respond(status=200, body=""),
        description="What Slack is answered with; by default 200 and nothing, since it shows users what else there is",
    )


class Slack(InboundSource[SlackSettings]):
    """Requests of Slack, verified by `X-Slack-Signature`; it answers the challenge that proves who owns the URL.

    An event is `app_mention` (of the Events API), `slash_command.weather` or `interaction.block_actions`.
    """

    name = "slack"
    short = "secret"

    def receive(self, request: Inbound, settings: SlackSettings) -> Received | Reply:
        """What Slack tells, or the answer to its challenge; raises Refused."""
        _verify(request, settings)
        if not request.is_form:
            return _read_event(require_object(request.json()), request.body)
        fields = dict(request.form())
        if "payload" in fields:
            return _read_interaction(fields["payload"].encode())
        return _read_command(fields)


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `slack`."""
    return [Slack]


def _verify(request: Inbound, settings: SlackSettings) -> None:
    given = _SIGNATURE.read(request)
    timestamp = request.require(_TIME_HEADER)
    sent = seconds_of(timestamp, _TIME_HEADER)
    content = b":".join((b"v0", timestamp.encode("ascii"), request.body))
    _SIGNATURE.check(given, settings.plain_secrets, content)
    check_age(sent, request.received, settings.tolerance)


def _read_event(payload: dict[str, Any], body: bytes) -> Received | Reply:
    """An event of the Events API: the type is that of the inner event, with its subtype."""
    kind = payload.get("type")
    if kind == "url_verification":
        return _answer(payload.get("challenge"))
    event = payload.get("event")
    if kind != "event_callback" or not isinstance(event, Mapping):
        return Received(type=type_of(kind), data=body, subject=name_of(payload.get("team_id")))
    return Received(
        type=type_of(event.get("type"), event.get("subtype")),
        data=body,
        id=name_of(payload.get("event_id")),
        subject=_place(event, payload),
        time=moment_of(payload.get("event_time")),
    )


def _place(event: Mapping[str, Any], payload: Mapping[str, Any]) -> str | None:
    """The channel where it happened, else the workspace."""
    channels = (event.get("channel"), at(event, "channel", "id"), at(event, "item", "channel"), event.get("channel_id"))
    return first_name(*channels, payload.get("team_id"))


def _answer(challenge: Any) -> Reply:
    if not isinstance(challenge, str) or len(challenge) > _LONGEST_CHALLENGE:
        raise Refused("malformed", "the url_verification has no challenge")
    body: bytes = msgspec.json.encode({"challenge": challenge})
    return Reply(headers={"content-type": "application/json"}, body=body)


def _read_interaction(text: bytes) -> Received:
    """A click, a shortcut or a form of a user."""
    payload = require_object(read_json(text))
    return Received(
        type=type_of("interaction", _required(payload.get("type"))),
        data=text,
        id=name_of(payload.get("trigger_id")),
        subject=first_name(at(payload, "channel", "id"), at(payload, "team", "id"), at(payload, "user", "team_id")),
    )


def _read_command(fields: Mapping[str, str]) -> Received | Reply:
    if fields.get("ssl_check") == "1":  # Slack asks whether the certificate is good, and wants 200
        return Reply()
    command = _required(fields.get("command"))
    return Received(
        type=type_of("slash_command", command.removeprefix("/")),
        data=dict(fields),
        id=name_of(fields.get("trigger_id")),
        subject=first_name(fields.get("channel_id"), fields.get("team_id")),
    )


def _required(word: Any) -> str:
    if not isinstance(word, str) or not word:
        raise Refused("malformed", "the form is neither a slash command nor an interaction")
    return word
