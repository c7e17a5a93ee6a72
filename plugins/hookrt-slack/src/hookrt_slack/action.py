"""The action `slack`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hookrt.plugin import STANDARD, Action, ActionCall, ActionSetup, Outcome, SettingsProblem
from hookrt_slack.answers import read_answer
from hookrt_slack.message import build_message, find_excess
from hookrt_slack.settings import ServiceSettings, SlackSettings

_FIXED = re.compile(r"\$\{\{\s*((?:secrets|env)\.\w+)\s*\}\}", re.ASCII)
_PLACE = ("webhook_url", "token", "channel")


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a message is posted; without a token it is an incoming webhook."""

    url: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    channel: str | None = None


class Slack(Action[SlackSettings]):
    """Post a message to Slack, by an incoming webhook or by chat.postMessage."""

    name = "slack"
    service_settings = ServiceSettings
    short = "text"
    html = frozenset({"text", "blocks"})
    retry = STANDARD
    only_http = True
    reasons: ClassVar[Mapping[str, str]] = {
        "slack-busy": "Slack answered with an error that passes: `ratelimited`, `internal_error` and the like",
        "slack-error": "Slack answered with another error, which the message names",
        "too-long": "the text or the list of blocks is longer than Slack takes",
        "bad-text": "half a character in a text",
        "no-target": "neither the step nor the service says where to post",
    }

    def __init__(self) -> None:
        self._service = ServiceSettings.model_validate({})

    async def open(self, setup: ActionSetup) -> None:
        """Take the settings of the service."""
        if isinstance(setup.settings, ServiceSettings):
            self._service = setup.settings

    def check(self, settings: SlackSettings) -> Iterable[SettingsProblem]:
        """Look at the limits as far as the message is written out."""
        excess = find_excess(settings)
        if excess is not None:
            yield excess

    def lane(self, written: Mapping[str, Any]) -> str | None:
        """The webhook or the channel is the lane, `slack://service` where the service says which.

        The name is one of an endpoint, so that a rest that Slack asks for is the rest of this channel only; by a mere
        name it would be that of all that goes to Slack's host.
        """
        given = [(key, str(written[key])) for key in _PLACE if written.get(key) is not None]
        if any("${{" in _FIXED.sub("", text) for _, text in given):
            return None
        return "slack://" + (":".join(_shown(key, text) for key, text in given) or "service")

    async def run(self, call: ActionCall[SlackSettings]) -> Outcome:
        """Post it, by one request."""
        settings = call.settings
        target = self._target(settings)
        if target is None:
            return Outcome.reject(
                "no-target", "write `channel` or `webhook_url`, and the token in `service: {actions: {slack: ...}}`"
            )
        excess = find_excess(settings)
        if excess is not None:
            return Outcome.reject("too-long", excess.message)
        message = build_message(settings)
        try:
            return await _post(call, target, message)
        except UnicodeEncodeError:
            return Outcome.reject("bad-text", "there is half a character in a text, which no message can hold")

    def _target(self, settings: SlackSettings) -> _Target | None:
        """Where this step posts to; a token goes nowhere but to the service's Web API."""
        service = self._service
        webhook = settings.webhook_url
        if webhook is None and settings.channel is None:
            webhook = service.webhook_url
        if webhook is not None:
            return _Target(webhook.get_secret_value())
        token, channel = settings.token or service.token, settings.channel or service.channel
        if token is None or channel is None:
            return None
        return _Target(f"{service.api.rstrip('/')}/chat.postMessage", token.get_secret_value(), channel)


async def _post(call: ActionCall[SlackSettings], target: _Target, message: dict[str, Any]) -> Outcome:
    """Send it; raises UnicodeEncodeError for half a character."""
    headers = {"content-type": "application/json; charset=utf-8"}
    if target.token is not None:
        headers["authorization"] = f"Bearer {target.token}"
        message["channel"] = target.channel
    content = json.dumps(message, ensure_ascii=False).encode()
    response = await call.http.send("POST", target.url, headers=headers, content=content)
    return read_answer(response, call.started, api=target.token is not None)


def _shown(key: str, text: str) -> str:
    """A part of a lane's name: names as they are, and of a secret that is written out only a digest."""
    found = _FIXED.fullmatch(text)
    if found:
        return found[1]
    return text if key == "channel" else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
