"""Signatures of every scheme as a real receiver gets them, and what cannot be forged."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from hookrt.plugin import Destination, OutcomeKind, Signings, SigningSecret
from hookrt.signing import VerificationError, new_key_pair, new_secret, verify

GITHUB = {"scheme": "github", "secret": "key"}


def signings(*written: dict[str, object]):
    return TypeAdapter(Signings).validate_python(list(written))


def send(kit, *, destination: dict[str, object] | None = None, **written):
    """Send one webhook, to a destination if one is given; the outcome and the receiver."""

    async def run():
        async with kit.receiving() as receiver:
            if destination is None:
                outcome, _ = await kit.attempt(kit.settings(url=receiver.origin, **written))
            else:
                known = {"crm": Destination("crm", url=receiver.origin, **destination)}
                outcome, _ = await kit.attempt(kit.settings(to="crm", **written), destinations=known)
            return outcome, receiver

    return asyncio.run(run())


@pytest.mark.parametrize("at_destination", [True, False])
@pytest.mark.parametrize(
    ("scheme", "header"), [("github", "x-hub-signature-256"), ("logto", "logto-signature-sha-256")]
)
def test_a_scheme_signs_the_bytes_that_arrive(kit, at_destination, scheme, header):
    one = {"scheme": scheme, "secret": "key"}
    if at_destination:
        _, receiver = send(kit, destination={"signing": signings(one)})
    else:
        _, receiver = send(kit, signing=one)
    assert header in receiver.headers
    verify(receiver.headers, receiver.body, "key", scheme=scheme)
    with pytest.raises(VerificationError):
        verify(receiver.headers, receiver.body + b" ", "key", scheme=scheme)


def test_an_ed25519_key_signs_and_its_public_half_verifies(kit):
    private, public = new_key_pair()
    _, receiver = send(kit, signing_secret=private)
    assert receiver.headers["webhook-signature"].startswith("v1a,")
    verify(receiver.headers, receiver.body, public, now=kit.STARTED)


def test_secrets_of_signing_secret_and_of_the_scheme_standard_sign_together(kit):
    own, public = new_secret(), new_key_pair()
    theirs, third = new_secret(), new_secret()
    at = {"signing_secrets": (SigningSecret(theirs),), "signing": signings({"scheme": "standard", "secret": third})}
    _, receiver = send(kit, destination=at, signing_secret=own, signing={"scheme": "standard", "secret": public[0]})
    assert len(receiver.headers["webhook-signature"].split()) == 4
    for secret in (own, theirs, third, public[1]):
        verify(receiver.headers, receiver.body, secret, now=kit.STARTED)


def test_schemes_go_side_by_side_and_the_step_wins_over_its_destination(kit):
    at = {"signing": signings(GITHUB, {"scheme": "logto", "secret": "theirs"})}
    key = new_secret()
    _, receiver = send(kit, destination=at, signing=[{"scheme": "github", "secret": "own"}], signing_secret=key)
    verify(receiver.headers, receiver.body, "own", scheme="github")
    verify(receiver.headers, receiver.body, "theirs", scheme="logto")
    verify(receiver.headers, receiver.body, key, now=kit.STARTED)


def test_a_described_hmac_can_be_verified_from_what_arrives(kit):
    described = {
        "scheme": "hmac",
        "secret": "key",
        "header": "X-Signature",
        "algorithm": "sha512",
        "prefix": "v0=",
        "content": "v0:{timestamp}:{body}",
        "timestamp_header": "X-Time",
    }
    _, receiver = send(kit, signing=described, body={"a": 1})
    content = b"v0:" + receiver.headers["x-time"].encode() + b":" + receiver.body
    assert receiver.headers["x-signature"] == "v0=" + hmac.new(b"key", content, hashlib.sha512).hexdigest()


@pytest.mark.parametrize(("seconds", "secret"), [(-1, "old"), (0, "new"), (1, "new")])
def test_a_rotation_ends_at_its_time(kit, seconds, secret):
    until = kit.STARTED - timedelta(seconds=seconds)
    _, receiver = send(
        kit, signing={"scheme": "github", "secret": [{"secret": "old", "until": until.isoformat()}, "new"]}
    )
    verify(receiver.headers, receiver.body, secret, scheme="github")


def test_a_request_without_a_body_is_signed_too(kit):
    _, receiver = send(kit, signing=GITHUB, method="GET")
    assert receiver.body == b""
    verify(receiver.headers, b"", "key", scheme="github")


def test_the_signature_header_of_the_destination_cannot_be_set_by_hand(kit):
    at = {"signing": signings(GITHUB)}
    outcome, receiver = send(kit, destination=at, headers={"X-Hub-Signature-256": "sha256=evil"})
    assert (outcome.kind, outcome.reason, receiver.count) == (OutcomeKind.REJECT, "bad-request", 0)
    assert "X-Hub-Signature-256" in (outcome.message or "")


def test_the_header_of_a_scheme_that_is_not_in_use_may_be_set(kit):
    _, receiver = send(kit, headers={"X-Hub-Signature-256": "made elsewhere"})
    assert receiver.headers["x-hub-signature-256"] == "made elsewhere"


def test_no_secret_shows_in_what_is_recorded(kit):
    async def run():
        async with kit.receiving() as receiver:
            signing = {"scheme": "hmac", "header": "X-Sig", "secret": "very-secret"}
            outcome, call = await kit.attempt(kit.settings(url=receiver.origin, signing=signing))
            return repr(outcome) + repr(call.http.exchange) + repr(call.settings)

    assert "very-secret" not in asyncio.run(run())
