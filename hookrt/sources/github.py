"""The source `github`: webhooks of GitHub, of an app, an organization or a repository.

GitHub signs the body with HMAC-SHA256 (`X-Hub-Signature-256`) and carries no time, so that what bounds a replay is the
id of the delivery, which stands in a header that is not signed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hookrt.plugin import Inbound, InboundSettings, InboundSource, Received, Refused, Source, impl, read_json
from hookrt.sources.github_events import EVENT_TYPES
from hookrt.sources.reading import at, first_name, name_of, require_object, type_of
from hookrt.sources.signed import HmacHeader

_SIGNATURE = HmacHeader("x-hub-signature-256", "secret", prefix="sha256=")
_EVENT = re.compile(r"[a-z0-9_]{1,100}", re.ASCII)


class GitHubSettings(InboundSettings):
    """What verifies webhooks of GitHub: `secret` is the webhook's own."""


class GitHub(InboundSource[GitHubSettings]):
    """Webhooks of GitHub, verified by `X-Hub-Signature-256`; an event is `pull_request.opened`, `push` or `ping`."""

    name = "github"
    short = "secret"
    max_body = 25 * 1024 * 1024  # GitHub sends nothing larger than 25 MB

    def receive(self, request: Inbound, settings: GitHubSettings) -> Received:
        """The event, named after `X-GitHub-Event` and the payload's `action`; raises Refused."""
        _verify(request, settings)
        event = request.require("x-github-event", "malformed")
        if not _EVENT.fullmatch(event):
            raise Refused("malformed", "the header x-github-event is no name of an event")
        text = _payload(request)
        payload = require_object(read_json(text))
        return Received(
            type=type_of(event, payload.get("action")),
            data=text,
            id=name_of(request.headers.get("x-github-delivery")),
            subject=_subject(payload),
        )

    def types(self, settings: GitHubSettings) -> Sequence[str] | None:
        """GitHub's events; those that have actions as a pattern."""
        return EVENT_TYPES


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `github`."""
    return [GitHub]


def _verify(request: Inbound, settings: GitHubSettings) -> None:
    if not request.headers.get(_SIGNATURE.name):
        raise Refused("bad-signature", _unsigned(request))
    _SIGNATURE.verify(request, settings.plain_secrets, request.body)


def _unsigned(request: Inbound) -> str:
    if "x-hub-signature" in request.headers:
        return "it is signed with SHA-1 only (x-hub-signature), which is not taken: send x-hub-signature-256 too"
    return "the header x-hub-signature-256 is missing: give the webhook a secret"


def _payload(request: Inbound) -> bytes:
    """The JSON text: the body itself, or the field `payload` where the webhook's content type is a form."""
    if not request.is_form:
        return request.body
    fields = [value for name, value in request.form() if name == "payload"]
    if len(fields) != 1:
        raise Refused("malformed", "the form must have one field payload")
    return fields[0].encode()


def _subject(payload: dict[str, Any]) -> str | None:
    """The repository, or what else the event is about."""
    return first_name(
        at(payload, "repository", "full_name"), at(payload, "organization", "login"), at(payload, "enterprise", "slug")
    )
