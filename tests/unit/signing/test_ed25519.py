"""Signatures of version v1a: ed25519, against the vector of the Svix server's own test, and without the extra."""

from __future__ import annotations

import base64
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from hookrt.signing import SigningKey, VerificationError, new_key_pair, new_secret, sign, verify

# github.com/svix/svix-webhooks, server/svix-server/src/worker.rs
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
NOW = datetime.fromtimestamp(TIMESTAMP, UTC)


def headers(signature: str = SIGNATURE) -> dict[str, str]:
    return {"webhook-id": MESSAGE, "webhook-timestamp": str(TIMESTAMP), "webhook-signature": signature}


def reason_of(found: dict[str, str], body: bytes = BODY, secrets: str | list[str] = PUBLIC) -> str:
    with pytest.raises(VerificationError) as raised:
        verify(found, body, secrets, now=NOW)
    return raised.value.reason


def test_the_v1a_vector_is_met() -> None:
    assert sign([SigningKey.parse(PRIVATE)], MESSAGE, TIMESTAMP, BODY) == SIGNATURE
    verify(headers(), BODY, PUBLIC, now=NOW)
    verify(headers(), BODY, PRIVATE, now=NOW)  # whose public half is in it


def test_another_body_key_or_signature_does_not_match() -> None:
    assert reason_of(headers(), BODY + b" ") == "no-match"
    assert reason_of(headers(), secrets=new_key_pair()[1]) == "no-match"
    assert reason_of(headers(SIGNATURE.replace("v1a,hn", "v1a,hm"))) == "no-match"
    assert reason_of(headers(SIGNATURE.replace("v1a,", "v1,"))) == "no-match"


@pytest.mark.parametrize("junk", ["v1a", "v1a,", "v1a,AAAA", "v1a,!!", "v1,AAAA", "v1b,AAAA"])
def test_malformed_signatures_are_skipped(junk: str) -> None:
    assert reason_of(headers(junk)) == "no-match"
    verify(headers(f"{junk} {SIGNATURE} {junk}"), BODY, PUBLIC, now=NOW)


def test_v1_and_v1a_go_side_by_side_and_either_verifies() -> None:
    symmetric = new_secret()
    signed = sign([SigningKey.parse(symmetric), SigningKey.parse(PRIVATE)], MESSAGE, TIMESTAMP, BODY)
    assert [item.partition(",")[0] for item in signed.split()] == ["v1", "v1a"]
    for secrets in (symmetric, PUBLIC, [PUBLIC, symmetric], [new_secret(), PUBLIC]):
        verify(headers(signed), BODY, secrets, now=NOW)


def test_a_new_pair_signs_and_verifies() -> None:
    private, public = new_key_pair()
    assert private.startswith("whsk_")
    assert public.startswith("whpk_")
    assert len(base64.b64decode(private.removeprefix("whsk_"))) == 64
    verify(headers(sign([SigningKey.parse(private)], MESSAGE, TIMESTAMP, BODY)), BODY, public, now=NOW)
    assert (private, public) != new_key_pair()


def test_a_private_key_may_be_its_seed_alone() -> None:
    seed = base64.b64encode(base64.b64decode(PRIVATE.removeprefix("whsk_"))[:32]).decode()
    assert SigningKey.parse(f"whsk_{seed}") == SigningKey.parse(PRIVATE)


def test_a_flood_of_signatures_costs_a_bounded_number_of_checks() -> None:
    """Each reads the whole body: 32 of them took a fifth of a second for a MiB, for whoever asked."""
    wrong = "v1a," + base64.b64encode(b"x" * 64).decode()
    assert reason_of(headers(" ".join([wrong] * 8 + [SIGNATURE]))) == "no-match"
    verify(headers(" ".join([wrong] * 7 + [SIGNATURE])), BODY, PUBLIC, now=NOW)


@pytest.mark.parametrize(
    ("secret", "word"),
    [
        ("whsk_", "64 bytes"),
        ("whsk_!!!", "64 bytes"),
        ("whsk_" + base64.b64encode(b"x" * 33).decode(), "64 bytes"),
        ("whsk_" + base64.b64encode(b"x" * 64).decode(), "do not belong together"),
        (PUBLIC, "only verifies"),
    ],
)
def test_a_bad_private_key_is_refused_and_never_shown(secret: str, word: str) -> None:
    with pytest.raises(ValueError, match=word) as raised:
        SigningKey.parse(secret)
    assert len(secret) < 9 or secret[5:] not in str(raised.value)


@pytest.mark.parametrize("text", ["whpk_", "whpk_AAAA", "whpk_ä"])
def test_a_bad_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whpk_ and the base64 of 32 bytes"):
        verify(headers(), BODY, text, now=NOW)


def test_a_public_key_that_is_no_point_of_the_curve_matches_nothing() -> None:
    assert reason_of(headers(), secrets="whpk_" + base64.b64encode(b"\xff" * 32).decode()) == "no-match"


def test_a_key_never_shows_its_bytes() -> None:
    assert repr(SigningKey.parse(PRIVATE)) == "SigningKey(version='v1a')"


def test_without_the_extra_the_error_names_it_and_v1_works_on() -> None:
    program = f"""
import sys
sys.modules["cryptography"] = None
import hookrt
from hookrt.signing import SigningKey, new_key_pair, new_secret
SigningKey.parse(new_secret())
for call in (lambda: SigningKey.parse({PRIVATE!r}), new_key_pair, lambda: hookrt.verify({{}}, b"", {PUBLIC!r})):
    try:
        call()
    except ValueError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all("pip install 'hookrt[ed25519]'" in line for line in lines)


def test_importing_hookrt_does_not_import_cryptography() -> None:
    program = "import sys, hookrt, hookrt.plugin; hookrt.verify; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
