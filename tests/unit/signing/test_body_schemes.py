"""Schemes that sign the body alone: Logto's and GitHub's, and the verifier that knows them."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hookrt
from hookrt.signing import BODY_SCHEMES, VerificationError, new_key_pair, new_secret

# docs.logto.io/developers/webhooks/secure-webhooks describes it; computed independently with node:crypto's logic
LOGTO_KEY = "k" * 32
LOGTO_BODY = '{"event":"PostSignIn","name":"Zoë ☃ </script>","n":1,"hookId":"h"}'.encode()
LOGTO_SIGNATURE = "601143c6070ea42ade1bd2b1bf472ff47a2308854c3ba27b9d451832aff16708"

# docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the webhook payload validation"
GITHUB_KEY = "It's a Secret to Everybody"
GITHUB_BODY = b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

VECTORS = [
    ("logto", "logto-signature-sha-256", LOGTO_KEY, LOGTO_BODY, LOGTO_SIGNATURE),
    ("github", "X-Hub-Signature-256", GITHUB_KEY, GITHUB_BODY, GITHUB_SIGNATURE),
]


def reason_of(headers: dict[str, str], body: bytes, secrets: str | list[str], scheme: str) -> str:
    with pytest.raises(VerificationError) as raised:
        hookrt.verify(headers, body, secrets, scheme=scheme)  # type: ignore[arg-type]
    return raised.value.reason


@pytest.mark.parametrize(("scheme", "header", "key", "body", "signature"), VECTORS)
def test_the_vector_of_the_scheme_is_met(scheme: str, header: str, key: str, body: bytes, signature: str) -> None:
    assert BODY_SCHEMES[scheme].sign(key, body) == signature
    hookrt.verify({header: signature}, body, key, scheme=scheme)  # type: ignore[arg-type]
    assert hmac.new(key.encode(), body, hashlib.sha256).hexdigest() == signature.removeprefix("sha256=")


@pytest.mark.parametrize(("scheme", "header", "key", "body", "signature"), VECTORS)
def test_any_secret_of_a_rotation_verifies(scheme: str, header: str, key: str, body: bytes, signature: str) -> None:
    hookrt.verify({header.upper(): signature}, body, ["old", key, "new"], scheme=scheme)  # type: ignore[arg-type]
    assert reason_of({header: signature}, body, ["old", "new"], scheme) == "no-match"


@pytest.mark.parametrize(("scheme", "header", "key", "body", "signature"), VECTORS)
def test_a_signature_that_is_not_exactly_one_is_refused(
    scheme: str, header: str, key: str, body: bytes, signature: str
) -> None:
    for wrong in (f"evil, {signature}", f"{signature}, evil", signature.upper(), signature[:-1], f"{signature} ", "ä"):
        assert reason_of({header: wrong}, body, key, scheme) == "no-match"
    assert reason_of({header: ""}, body, key, scheme) == "missing-header"
    assert reason_of({}, body, key, scheme) == "missing-header"
    assert reason_of({header: signature}, body + b" ", key, scheme) == "no-match"


def test_an_empty_secret_or_an_unknown_scheme_is_misuse() -> None:
    with pytest.raises(ValueError, match="empty"):
        hookrt.verify({}, b"", ["", "x"], scheme="logto")
    with pytest.raises(ValueError, match="there are standard, logto, github"):
        hookrt.verify({}, b"", "x", scheme="stripe")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        hookrt.verify({}, b"", [], scheme="github")


_TEXT = st.text(max_size=60)
_NAMES = st.sampled_from(
    ["webhook-id", "webhook-timestamp", "webhook-signature", "logto-signature-sha-256", "X-Hub-Signature-256", "x"]
)


@given(
    st.dictionaries(_NAMES, _TEXT | st.just("1614265330") | st.just("v1,AAAA v1a,AAAA"), max_size=6),
    st.binary(max_size=40),
    st.sampled_from(["standard", "logto", "github"]),
)
def test_no_request_makes_the_verifier_fail_otherwise_than_by_refusing(
    headers: dict[str, str], body: bytes, scheme: str
) -> None:
    secrets = [new_secret(), new_key_pair()[1]]
    with pytest.raises(VerificationError):
        hookrt.verify(headers, body, secrets, scheme=scheme, now=datetime.fromtimestamp(1614265330, UTC))  # type: ignore[arg-type]
