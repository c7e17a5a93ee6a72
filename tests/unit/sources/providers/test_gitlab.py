"""GitLab's webhooks.

The secret token: https://docs.gitlab.com/user/project/integrations/webhooks/. The signing token follows the Standard
Webhooks, as https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944 says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hookrt.plugin import Inbound, Received, Refused, check_pattern, matches
from hookrt.sources.gitlab import GitLab

Change = Callable[..., Inbound]

# The vector of the Standard Webhooks' own libraries, https://github.com/standard-webhooks/standard-webhooks
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    "x-gitlab-event": "Push Hook",
}
BODY = b'{"test": 2432232314}'
SENT = datetime.fromtimestamp(1614265330, UTC)


def receive(headers: dict[str, str], *secrets: str, body: bytes = BODY, late: float = 0) -> Received:
    request = Inbound("POST", "https://example.com/in/gitlab", headers, {}, body, SENT + timedelta(seconds=late))
    return GitLab().receive(request, GitLab.settings.model_validate({"secret": list(secrets)}))  # type: ignore[arg-type]


def refusal(headers: dict[str, str], *secrets: str, **others: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        receive(headers, *secrets, **others)
    return caught.value


def test_the_vector_of_the_standard_webhooks_verifies() -> None:
    assert receive(HEADERS, KEY).id == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert refusal(HEADERS, KEY, body=BODY + b" ").reason == "bad-signature"


def test_unknown_versions_and_malformed_signatures_beside_the_right_one_are_skipped() -> None:
    several = f"v1a,AAAA v0,BBBB v1,!!! v1 {HEADERS['webhook-signature']} v1,AAAA"
    assert receive({**HEADERS, "webhook-signature": several}, KEY).type == "push"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_a_signature_without_its_id_or_time_is_refused(name: str) -> None:
    refused = refusal({key: value for key, value in HEADERS.items() if key != name}, KEY)
    assert (refused.reason, refused.message) == ("bad-signature", f"the header {name} is missing")


@pytest.mark.parametrize("time", ["x", "-1", "1614265330.5", "9" * 400, "1614265330, 1614265330", "١"])
def test_a_time_that_is_no_number_is_refused_with_400(time: str) -> None:
    assert refusal({**HEADERS, "webhook-timestamp": time}, KEY).reason == "malformed"


def test_a_plain_token_is_no_way_around_the_signature() -> None:
    """Who has only a signing token takes no request that merely shows it, or anything else, as X-Gitlab-Token."""
    for token in (KEY, "", "x"):
        refused = refusal({"x-gitlab-token": token, "x-gitlab-event": "Push Hook"}, KEY)
        assert refused.reason == "bad-signature"
    wrong = {**HEADERS, "webhook-signature": "v1,AAAA", "x-gitlab-token": "plain"}
    assert refusal(wrong, KEY, "plain").reason == "bad-signature"


def test_a_token_and_a_signing_token_serve_the_change_from_one_to_the_other() -> None:
    assert receive({"x-gitlab-token": "plain", "x-gitlab-event": "Push Hook"}, "plain", KEY)
    assert receive({**HEADERS, "x-gitlab-token": "other"}, "plain", KEY)
    assert receive({**HEADERS, "x-gitlab-token": "plain"}, "plain"), "a signature nobody can check yet"


def test_a_token_with_other_letters_than_ascii_verifies() -> None:
    as_http_shows_it = "pässwörd".encode().decode("latin-1")
    assert receive({"x-gitlab-token": as_http_shows_it, "x-gitlab-event": "Push Hook"}, "pässwörd")


def test_a_signing_token_that_is_none_is_found_at_check_and_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        GitLab.settings.model_validate({"secret": "whsec_not-base64-at-all!"})
    assert "not-base64-at-all" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "event", "type_"),
    [
        (b'{"object_kind":"push","event_name":"push"}', "Push Hook", "push"),
        (b'{"object_kind":"tag_push"}', "Tag Push Hook", "tag_push"),
        (
            b'{"object_kind":"merge_request","object_attributes":{"action":"open"}}',
            "Merge Request Hook",
            "merge_request.open",
        ),
        (b'{"object_kind":"issue","object_attributes":{"action":"close"}}', "Issue Hook", "issue.close"),
        (b'{"object_kind":"note","object_attributes":{"note":"x"}}', "Note Hook", "note"),
        (b'{"object_kind":"pipeline","object_attributes":{"status":"success"}}', "Pipeline Hook", "pipeline.success"),
        (b'{"object_kind":"build","build_status":"failed"}', "Job Hook", "build.failed"),
        (b'{"object_kind":"deployment","status":"running"}', "Deployment Hook", "deployment.running"),
        (b'{"object_kind":"release","action":"create"}', "Release Hook", "release.create"),
        (b'{"event_name":"user_add_to_group"}', "Member Hook", "user_add_to_group"),
        (b'{"event_name":"project_create"}', "System Hook", "project_create"),
        (b"{}", "Some New Hook", "some_new"),
        (b'{"object_kind":["push"],"event_name":1}', "Push Hook", "push"),
        (b'{"object_kind":"issue","object_attributes":{"action":7}}', "Issue Hook", "issue"),
    ],
)
def test_the_type_comes_from_the_kind_and_its_action(body: bytes, event: str, type_: str) -> None:
    assert receive({"x-gitlab-token": "t", "x-gitlab-event": event}, "t", body=body).type == type_


def test_a_request_that_names_no_kind_is_refused_with_400() -> None:
    assert refusal({"x-gitlab-token": "t"}, "t", body=b"{}").reason == "malformed"


def test_the_subject_is_the_project() -> None:
    body = b'{"object_kind":"push","project":{"path_with_namespace":"mike/diaspora"}}'
    assert receive({"x-gitlab-token": "t"}, "t", body=body).subject == "mike/diaspora"


def test_a_repeated_delivery_is_known_by_its_idempotency_key() -> None:
    headers = {"x-gitlab-token": "t", "x-gitlab-event": "Push Hook", "idempotency-key": "a5461c4d"}
    assert receive({**headers, "x-gitlab-event-uuid": "9cebe914"}, "t").id == "a5461c4d"


def test_webhooks_that_follow_from_one_another_share_an_event_uuid_and_are_not_the_same() -> None:
    headers = {"x-gitlab-token": "t", "x-gitlab-event": "Push Hook", "x-gitlab-event-uuid": "9cebe914"}
    first, other = receive(headers, "t").id, receive(headers, "t", body=b"{}").id
    assert first == f"9cebe914:{hashlib.sha256(BODY).hexdigest()}"
    assert other != first
    assert receive({"x-gitlab-token": "t", "x-gitlab-event": "Push Hook"}, "t").id is None


def test_the_published_types_are_patterns_that_meet_the_events() -> None:
    types = GitLab().types(GitLab.settings.model_validate({"secret": "t"})) or ()  # type: ignore[arg-type]
    for one in types:
        check_pattern(one)
    for name in ("push", "merge_request.open", "pipeline.success", "user_add_to_group"):
        assert any(matches(one, name) for one in types)
    assert not any(matches(one, "merge_request") for one in types)
