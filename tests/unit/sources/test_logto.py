"""The source `logto`, by the rules that Logto's documentation gives for verifying its webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec
import pytest

from hookrt.plugin import Inbound, Received, Refused
from hookrt.sources.logto import HEADER, Logto, LogtoSettings
from hookrt.sources.logto_events import EVENT_TYPES
from hookrt.testing import SourceContract, inbound
from hookrt.testing.build_event import NOON

KEY = "k" * 32
"""A key such as Logto makes: 32 letters and digits."""

VECTOR = '{"event":"PostSignIn","name":"Zoë ☃ </script>","n":1,"hookId":"h"}'.encode()
"""A body in UTF-8 as Logto writes it, and its signature by the documented formula, computed with Node and Python."""

VECTOR_SIGNATURE = "601143c6070ea42ade1bd2b1bf472ff47a2308854c3ba27b9d451832aff16708"

SIGN_IN = {
    "event": "PostSignIn",
    "interactionEvent": "SignIn",
    "createdAt": "2025-01-01T12:00:00.000Z",
    "sessionId": "session",
    "userId": "usr_1",
    "user": {"id": "usr_1", "primaryEmail": "ada@example.com"},
    "hookId": "hook",
}


def signature(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def sent(payload: dict[str, Any], key: str = KEY, **fields: Any) -> Inbound:
    body = msgspec.json.encode(payload)
    headers = {"content-type": "application/json", HEADER: signature(key, body)}
    return inbound(body, headers, **fields)


def receive(request: Inbound, **written: Any) -> Received:
    return Logto().receive(request, LogtoSettings(secret=(KEY,), **written))


class TestLogto(SourceContract):
    source = Logto
    valid_settings: ClassVar = {"secret": KEY}
    invalid_settings = ({}, {"secret": ""}, {"secret": []}, {"secret": KEY, "tolerance": 300})
    body = msgspec.json.encode(SIGN_IN)
    other_secret = "j" * 32

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        return inbound(body, {HEADER: signature(settings["secret"], body), "content-type": "application/json"})


def test_the_signature_is_over_the_raw_bytes() -> None:
    assert signature(KEY, VECTOR) == VECTOR_SIGNATURE
    received = receive(inbound(VECTOR, {HEADER: VECTOR_SIGNATURE}), tolerance=None)
    assert (received.type, received.data) == ("PostSignIn", VECTOR)


@pytest.mark.parametrize(
    "header",
    [
        f"evil, {VECTOR_SIGNATURE}",
        VECTOR_SIGNATURE.upper(),
        VECTOR_SIGNATURE[:-1],
        VECTOR_SIGNATURE + "0",
        f"sha256={VECTOR_SIGNATURE}",
        f" {VECTOR_SIGNATURE}",
        VECTOR_SIGNATURE + "\n",
        "",
    ],
)
def test_a_signature_that_is_not_exactly_64_hex_digits_is_refused(header: str) -> None:
    with pytest.raises(Refused) as refused:
        receive(inbound(VECTOR, {HEADER: header}), tolerance=None)
    assert refused.value.reason == "bad-signature"


def test_the_event_keeps_the_names_and_the_time_that_logto_gives() -> None:
    received = receive(sent(SIGN_IN))
    assert (received.type, received.subject, received.time, received.id) == ("PostSignIn", "usr_1", NOON, None)


@pytest.mark.parametrize(
    ("payload", "subject"),
    [
        ({"event": "PostSignIn", "userId": "u", "user": {"id": "v"}}, "u"),
        ({"event": "User.Created", "data": {"id": "u"}}, "u"),
        ({"event": "User.Data.Updated", "params": {"userId": "u"}, "data": {"theme": "dark"}}, "u"),
        ({"event": "User.Deleted", "params": {"userId": "u"}, "data": {"id": "u"}}, "u"),
        ({"event": "TrustedDevice.Created", "data": {"id": "d", "userId": "u", "expiresAt": 1}}, "u"),
        ({"event": "Organization.Membership.Updated", "organizationId": "o", "addedUserIds": ["u"]}, "o"),
        ({"event": "Role.Created", "data": {"id": "r", "name": "x"}}, "r"),
        ({"event": "Role.Deleted", "params": {"id": "r"}}, "r"),
        ({"event": "Role.Scopes.Updated", "roleId": "r", "data": [{"id": "s"}]}, "r"),
        ({"event": "OrganizationRole.Scopes.Updated", "organizationRoleId": "r"}, "r"),
        ({"event": "Scope.Deleted", "params": {"resourceId": "x", "scopeId": "s"}}, "s"),
        ({"event": "Message.RateLimited", "action": "VerificationCodeSend", "recipient": "x"}, None),
        ({"event": "User.Created", "data": None, "params": None}, None),
    ],
)
def test_the_subject_is_the_user_or_what_the_event_is_about(payload: dict[str, Any], subject: str | None) -> None:
    assert receive(sent({**payload, "createdAt": SIGN_IN["createdAt"]})).subject == subject


def test_an_event_that_this_version_does_not_know_is_taken() -> None:
    assert receive(sent({**SIGN_IN, "event": "Application.Created"})).type == "Application.Created"


@pytest.mark.parametrize("distance", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_request_whose_signed_time_is_far_away_is_refused(distance: timedelta) -> None:
    with pytest.raises(Refused) as refused:
        receive(sent(SIGN_IN, received=NOON + distance))
    assert refused.value.reason == "too-old"
    assert receive(sent(SIGN_IN, received=NOON + distance), tolerance=None).type == "PostSignIn"
    assert receive(sent(SIGN_IN, received=NOON + distance), tolerance=timedelta(minutes=7)).type == "PostSignIn"


@pytest.mark.parametrize("created", [None, "yesterday", "2025-01-01T12:00:00", {}])
def test_a_request_without_a_time_is_malformed_while_time_is_judged(created: Any) -> None:
    with pytest.raises(Refused) as refused:
        receive(sent({**SIGN_IN, "createdAt": created}))
    assert refused.value.reason == "malformed"
    assert receive(sent({**SIGN_IN, "createdAt": created}), tolerance=None).time is None


@pytest.mark.parametrize(
    "payload",
    [
        {"event": "PostSignIn", "userId": "fake-id", "userAgent": "fake-user-agent"},
        {"event": "Role.Created", "path": "/fake-path/:id", "params": {"id": "fake-id"}, "data": {"result": "success"}},
        {"event": "Identifier.Lockout", "path": "/fake-path/:id", "params": {"id": "fake-id"}},
    ],
)
def test_a_test_delivery_is_recognised(payload: dict[str, Any]) -> None:
    assert receive(sent({**payload, "createdAt": SIGN_IN["createdAt"]})).attributes == {"logtotest": True}


def test_a_real_delivery_is_not_taken_for_a_test() -> None:
    assert receive(sent(SIGN_IN)).attributes == {}
    assert receive(sent({**SIGN_IN, "userId": "fake-id"})).attributes == {}


def test_all_31_names_are_published() -> None:
    types = Logto().types(LogtoSettings(secret=(KEY,)))
    assert types is not None
    assert len(types) == len(set(types)) == 31
    assert {"PostSignIn", "User.Data.Updated", "Grant.LimitExceeded"} < set(types)


def test_a_body_that_is_no_object_is_malformed() -> None:
    body = b'["PostSignIn"]'
    with pytest.raises(Refused) as refused:
        receive(inbound(body, {HEADER: signature(KEY, body)}))
    assert refused.value.reason == "malformed"


def test_there_is_a_sample_of_every_event_and_it_is_taken_as_one() -> None:
    samples = Logto.samples(NOON)
    settings = LogtoSettings.model_validate({"secret": KEY})
    for name, sample in samples.items():
        body = msgspec.json.encode(sample.data)
        received = Logto().receive(inbound(body, headers={HEADER: signature(KEY, body)}), settings)
        assert (received.type, received.subject, received.time) == (name, sample.subject, NOON)
        assert received.attributes == {}
        assert list(sample.data)[-1] == "hookId"
    assert list(samples) == list(EVENT_TYPES)


@pytest.mark.parametrize("event", ["PostSignIn", "User.Created", "Identifier.Lockout"])
def test_a_sample_has_the_names_that_logto_documents(event: str) -> None:
    data = Logto.samples(NOON)[event].data
    documented = {
        "PostSignIn": {"event", "createdAt", "interactionEvent", "sessionId", "userAgent", "userId", "userIp", "user"},
        "User.Created": {"event", "createdAt", "userAgent", "ip", "path", "method", "status", "params", "matchedRoute"},
        "Identifier.Lockout": {"event", "createdAt", "userAgent", "ip", "type", "value"},
    }
    assert documented[event] <= data.keys()
    assert ("ip" in data) != ("userIp" in data)
