"""Signing by the Standard Webhooks v1, against the specification's vector and an independent implementation."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from hookrt.signing import SigningKey, VerificationError, new_secret, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(TIMESTAMP, UTC)


def headers(**changed: str) -> dict[str, str]:
    found = {"webhook-id": MESSAGE, "webhook-timestamp": str(TIMESTAMP), "webhook-signature": SIGNATURE}
    return found | {name.replace("_", "-"): value for name, value in changed.items()}


def reason_of(found: dict[str, str], body: bytes = BODY, secrets: str | list[str] = SECRET) -> str:
    with pytest.raises(VerificationError) as raised:
        verify(found, body, secrets, now=NOW)
    return raised.value.reason


def test_the_v1_vector_of_the_specification_is_met():
    assert sign([SigningKey.parse(SECRET)], MESSAGE, TIMESTAMP, BODY) == SIGNATURE
    verify(headers(), BODY, SECRET, now=NOW)


@given(st.binary(min_size=24, max_size=64), st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_an_independent_verifier_accepts_what_we_sign(raw: bytes, text: str):
    secret = "whsec_" + base64.b64encode(raw).decode()
    now = int(datetime.now(UTC).timestamp())
    signed = sign([SigningKey.parse(secret)], MESSAGE, now, text.encode())
    found = {"webhook-id": MESSAGE, "webhook-timestamp": str(now), "webhook-signature": signed}
    Webhook(secret).verify(text, found, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(text + " ", found, json_parse=False)


@given(st.binary(min_size=24, max_size=64), st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_we_accept_what_an_independent_signer_signed(raw: bytes, text: str):
    secret = "whsec_" + base64.b64encode(raw).decode()
    found = headers(webhook_signature=Webhook(secret).sign(MESSAGE, NOW, text))
    verify(found, text.encode(), secret, now=NOW)
    assert reason_of(found, text.encode() + b" ", secret) == "no-match"


def test_a_body_cannot_be_cut_into_another_time_and_another_body():
    later = TIMESTAMP + 86_400
    signed = sign([SigningKey.parse(SECRET)], MESSAGE, TIMESTAMP, f"{later}.transfer 1000".encode())
    found = headers(webhook_id=f"{MESSAGE}.{TIMESTAMP}", webhook_timestamp=str(later), webhook_signature=signed)
    with pytest.raises(VerificationError) as raised:
        verify(found, b"transfer 1000", SECRET, now=datetime.fromtimestamp(later, UTC))
    assert raised.value.reason == "no-match"


def test_a_secret_is_read_with_or_without_prefix_and_padding():
    raw = base64.b64encode(b"k" * 25).decode()
    assert SigningKey.parse("whsec_" + raw) == SigningKey.parse(raw) == SigningKey.parse(raw.rstrip("="))


def test_a_new_secret_signs_and_verifies():
    secret = new_secret()
    signed = sign([SigningKey.parse(secret)], MESSAGE, TIMESTAMP, BODY)
    verify(headers(webhook_signature=signed), BODY, secret, now=NOW)
    assert secret != new_secret()


def test_every_key_of_a_rotation_signs_and_any_secret_verifies():
    old, new = new_secret(), new_secret()
    signed = sign([SigningKey.parse(old), SigningKey.parse(new)], MESSAGE, TIMESTAMP, BODY)
    assert len(signed.split(" ")) == 2
    for secrets in (old, new, [new_secret(), old]):
        verify(headers(webhook_signature=signed), BODY, secrets, now=NOW)


def test_header_names_are_looked_up_without_regard_to_case():
    verify({name.title(): value for name, value in headers().items()}, BODY, SECRET, now=NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_or_empty_header_is_named(name: str):
    assert reason_of({key: value for key, value in headers().items() if key != name}) == "missing-header"
    assert reason_of(headers() | {name: ""}) == "missing-header"


@pytest.mark.parametrize("junk", ["v1", "v1,", ",", "v2,AAAA", f"v1a,{SIGNATURE[3:]}", "v1,ä", "v1,!!!!", "\u2028"])
def test_unknown_versions_and_malformed_items_are_skipped(junk: str):
    assert reason_of(headers(webhook_signature=junk)) == "no-match"
    verify(headers(webhook_signature=f"{junk} {SIGNATURE} {junk}"), BODY, SECRET, now=NOW)


@pytest.mark.parametrize("text", ["", "abc", "1614265330.0", "-1", "+1614265330", "1e9", "٣", "9" * 400, " 1614265330"])
def test_a_malformed_timestamp_is_refused(text: str):
    assert reason_of(headers(webhook_timestamp=text)) in {"bad-timestamp", "missing-header"}


def test_the_timestamp_is_bounded_both_ways():
    edge = timedelta(minutes=5)
    verify(headers(), BODY, SECRET, now=NOW + edge)
    verify(headers(), BODY, SECRET, now=NOW - edge)
    for now, reason in ((NOW + edge + timedelta(seconds=1), "too-old"), (NOW - edge - timedelta(seconds=1), "too-new")):
        with pytest.raises(VerificationError) as raised:
            verify(headers(), BODY, SECRET, now=now)
        assert raised.value.reason == reason
    verify(headers(), BODY, SECRET, now=NOW + timedelta(hours=1), tolerance=timedelta(hours=2))


def test_without_now_the_present_time_counts():
    with pytest.raises(VerificationError) as raised:
        verify(headers(), BODY, SECRET)
    assert raised.value.reason == "too-old"
    assert " s is allowed" in str(raised.value)


def test_another_body_id_or_timestamp_does_not_match():
    assert reason_of(headers(), BODY + b" ") == "no-match"
    assert reason_of(headers(webhook_id="msg_other")) == "no-match"
    assert reason_of(headers(webhook_timestamp=str(TIMESTAMP + 1))) == "no-match"
    assert reason_of(headers(), BODY, new_secret()) == "no-match"


@pytest.mark.parametrize(
    ("secret", "word"),
    [
        ("", "empty"),
        ("whsec_", "0 bytes"),
        ("whsec_c2hvcnQ=", "5 bytes"),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), "65 bytes"),
        ("whsec_not base64 at all!", "base64"),
        ("whsec_schlüssel", "base64"),
    ],
)
def test_a_bad_secret_is_refused_with_the_way_to_make_one_and_never_shown(secret: str, word: str):
    with pytest.raises(ValueError, match="hookrt secrets new") as raised:
        SigningKey.parse(secret)
    assert word in str(raised.value)
    assert len(secret) < 7 or secret.removeprefix("whsec_") not in str(raised.value)


def test_a_key_never_shows_its_bytes():
    assert "Mf" not in repr(SigningKey.parse(SECRET))
    assert repr(SigningKey.parse(SECRET)) == "SigningKey(version='v1')"


def test_text_in_place_of_bytes_and_no_secret_are_misuse():
    with pytest.raises(TypeError, match="bytes"):
        verify(headers(), BODY.decode(), SECRET, now=NOW)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        verify(headers(), BODY, [], now=NOW)


def test_a_message_id_with_a_dot_cannot_be_signed():
    with pytest.raises(ValueError, match=r"'\.'"):
        sign([SigningKey.parse(SECRET)], "msg.1", TIMESTAMP, BODY)


@given(st.text(max_size=300), st.text(max_size=30), st.text(max_size=30))
def test_hostile_headers_never_raise_anything_else(signature: str, timestamp: str, message: str):
    found = {"webhook-id": message, "webhook-timestamp": timestamp, "webhook-signature": signature}
    with pytest.raises(VerificationError):
        verify(found, b"{}", SECRET, now=NOW)
