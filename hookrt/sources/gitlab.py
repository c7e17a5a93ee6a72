"""The source `gitlab`: webhooks of GitLab, of a project, a group or the instance.

GitLab has two ways. The secret token stands as it is in `X-Gitlab-Token`, which proves who sent the request and nothing
about its body. The signing token (GitLab 19) signs id, time and body by the Standard Webhooks; it begins with `whsec_`,
which is how the two are told apart here: such a secret is never taken as a plain token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field, field_validator

from hookrt.plugin import (
    DEFAULT_TOLERANCE,
    Duration,
    Inbound,
    InboundSecrets,
    InboundSettings,
    InboundSource,
    Received,
    Refused,
    Source,
    impl,
    matches_any,
)
from hookrt.sources.reading import as_sent, at, first_name, name_of, require_object, type_of
from hookrt.sources.standard_signature import check_secrets, verify_signature

_SIGNING = "whsec_"
_NO_SIGNING_TOKEN = "a secret that begins with whsec_ is a signing token, which is the base64 of 24 to 64 bytes"  # noqa: S105
_EVENT_SUFFIX = " hook"
_STATUSES = {"pipeline": ("object_attributes", "status"), "build": ("build_status",), "deployment": ("status",)}

_MERGE_REQUEST = "open close reopen update approval approved unapproval unapproved merge"

TYPES = (
    "push",
    "tag_push",
    *(f"issue.{action}" for action in ("open", "close", "reopen", "update")),
    "work_item.*",
    "note",
    "note.*",
    *(f"merge_request.{action}" for action in _MERGE_REQUEST.split()),
    "wiki_page.*",
    "pipeline.*",
    "build.*",
    "deployment.*",
    "feature_flag",
    "release.*",
    "milestone.*",
    "emoji.*",
    "access_token",
    "access_token.*",
    "vulnerability",
    "vulnerability.*",
    "user_add_to_group",
    "user_update_for_group",
    "user_remove_from_group",
    "user_access_request_to_group",
    "user_access_request_denied_for_group",
    "subgroup_create",
    "subgroup_destroy",
    "project_create",
    "project_destroy",
)
"""The types of the webhooks of projects and groups; those of an instance's system hooks have more."""


class GitLabSettings(InboundSettings):
    """What verifies webhooks of GitLab: `secret` is the secret token, or the signing token (whsec_)."""

    tolerance: Duration = Field(
        default=DEFAULT_TOLERANCE,
        description="How far the time of a signed webhook may lie from now; a secret token comes without a time",
    )

    @field_validator("secret")
    @classmethod
    def _check_signing_tokens(cls, secrets: InboundSecrets) -> InboundSecrets:
        """A signing token that is none is a mistake now, and not at the first webhook."""
        try:
            check_secrets(_signing_tokens(one.get_secret_value() for one in secrets))
        except ValueError:
            raise ValueError(_NO_SIGNING_TOKEN) from None
        return secrets


class GitLab(InboundSource[GitLabSettings]):
    """Webhooks of GitLab, verified by their signature or by `X-Gitlab-Token`; an event is `merge_request.open`."""

    name = "gitlab"
    short = "secret"
    max_body = 25 * 1024 * 1024  # GitLab sends nothing larger than 25 MB

    def receive(self, request: Inbound, settings: GitLabSettings) -> Received:
        """The event, named after the body's `object_kind` and its action; raises Refused."""
        if "webhook-signature" in request.headers and (signing := _signing_tokens(settings.plain_secrets)):
            verify_signature(request, signing, settings.tolerance)
        else:
            _verify_token(request, settings)
        payload = require_object(request.json())
        return Received(
            type=_type(payload, request.headers.get("x-gitlab-event", "")),
            data=request.body,
            id=_id(request),
            subject=first_name(
                at(payload, "project", "path_with_namespace"), payload.get("group_path"), payload.get("full_path")
            ),
        )

    def types(self, settings: GitLabSettings) -> Sequence[str] | None:
        """What projects and groups send; those that have actions as a pattern."""
        return TYPES


@impl
def hookrt_sources() -> Sequence[type[Source[Any]]]:
    """The source `gitlab`."""
    return [GitLab]


def _signing_tokens(secrets: Iterable[str]) -> list[str]:
    return [secret for secret in secrets if secret.startswith(_SIGNING)]


def _verify_token(request: Inbound, settings: GitLabSettings) -> None:
    tokens = [secret for secret in settings.plain_secrets if not secret.startswith(_SIGNING)]
    if not tokens:
        raise Refused("bad-signature", "the header webhook-signature is missing: give the webhook a signing token")
    if not matches_any(as_sent(request.require("x-gitlab-token")), tokens):
        raise Refused("bad-signature", "x-gitlab-token is not the secret token")


def _type(payload: dict[str, Any], header: str) -> str:
    kind = payload.get("object_kind") or payload.get("event_name")
    if not isinstance(kind, str):
        kind = header.lower().removesuffix(_EVENT_SUFFIX).replace(" ", "_")
    if kind in _STATUSES:
        return type_of(kind, at(payload, *_STATUSES[kind]))
    return type_of(kind, at(payload, "object_attributes", "action") or payload.get("action"))


def _id(request: Inbound) -> str | None:
    """What repeated deliveries have in common.

    `X-Gitlab-Event-UUID` alone is no such id: all webhooks that follow from one another share it.
    """
    headers = request.headers
    if found := first_name(headers.get("webhook-id"), headers.get("idempotency-key")):
        return found
    event = name_of(headers.get("x-gitlab-event-uuid"))
    return event and name_of(f"{event}:{hashlib.sha256(request.body).hexdigest()}")
