"""Signature schemes: the built-in ones, the setting `signing`, and those that plugins bring."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from hookrt.errors import PluginError
from hookrt.plugin import KnownDestinations, Signing, Signings
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.schemes import BUILT_IN
from hookrt.signing import new_key_pair, new_secret, verify

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODY = b'{"n": 1.10}'
READ = TypeAdapter(Signings)

PLUGIN = """
from typing import Literal
from hookrt.plugin import SchemeSettings, SignatureScheme, impl

class ShoutSettings(SchemeSettings):
    scheme: Literal["shout"]
    loud: bool = False

class Shout(SignatureScheme[ShoutSettings]):
    name = "shout"
    def header_names(self, settings):
        return ["X-Shout"]
    def sign(self, settings, secrets, request):
        {sign}

@impl
def hookrt_signature_schemes():
    return [Shout]
"""
WORKS = 'return {"X-Shout": f"{len(secrets)}-{len(request.body)}-{settings.loud}"}'


def read(written: object, context: KnownDestinations | None = None) -> tuple[Signing, ...]:
    return READ.validate_json(msgspec.json.encode(written), context=context)


def signed(written: object, body: bytes = BODY) -> dict[str, str]:
    (one,) = read(written)
    return dict(one.sign("msg_1", NOW, body))


def errors_of(written: object) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as raised:
        read(written)
    return [(error["loc"], error["type"]) for error in raised.value.errors()]


def test_logto_and_github_sign_the_raw_body() -> None:
    digest = hmac.new(b"key", BODY, hashlib.sha256).hexdigest()
    assert signed({"scheme": "logto", "secret": "key"}) == {"logto-signature-sha-256": digest}
    assert signed({"scheme": "github", "secret": "key"}) == {"x-hub-signature-256": f"sha256={digest}"}


def test_standard_signs_with_every_key_v1_and_v1a() -> None:
    first, (private, public) = new_secret(), new_key_pair()
    headers = signed({"scheme": "standard", "secret": [first, private]})
    for secrets in (first, public):
        verify(headers, BODY, secrets, now=NOW)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha384", "sha1"])
@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url"])
def test_a_described_hmac_is_what_it_says(algorithm: str, encoding: str) -> None:
    written = {
        "scheme": "hmac",
        "secret": "schlüssel",
        "header": "X-Sig",
        "algorithm": algorithm,
        "encoding": encoding,
        "prefix": "t={timestamp},v1=",
        "content": "v0:{timestamp}:{id}:{body}",
        "timestamp_header": "X-Time",
        "id_header": "X-Id",
    }
    time = str(int(NOW.timestamp()))
    digest = hmac.new("schlüssel".encode(), f"v0:{time}:msg_1:".encode() + BODY, algorithm).digest()
    if encoding == "base64url":
        text = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    else:
        text = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert signed(written) == {"x-sig": f"t={time},v1={text}", "x-time": time, "x-id": "msg_1"}
    assert read(written)[0].header_names == {"x-sig", "x-time", "x-id"}


@pytest.mark.parametrize(("key", "secret"), [("hex", "00ff6b"), ("base64", "AP9r")])
def test_a_described_hmac_takes_a_key_of_bytes(key: str, secret: str) -> None:
    digest = hmac.new(b"\x00\xffk", BODY, hashlib.sha256).hexdigest()
    assert signed({"scheme": "hmac", "secret": secret, "key": key, "header": "X-Sig"}) == {"x-sig": digest}


def test_a_described_hmac_signs_the_body_by_default() -> None:
    digest = hmac.new(b"key", BODY, hashlib.sha256).hexdigest()
    assert signed({"scheme": "hmac", "secret": "key", "header": "X-Sig"}) == {"x-sig": digest}


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"header": "Host"}, "header"),
        ({"header": "webhook-signature"}, "header"),
        ({"header": "Content-Type"}, "header"),
        ({"header": "a b"}, "header"),
        ({"header": ""}, "header"),
        ({"content": "{timestamp}"}, "content"),
        ({"content": "{bdy}"}, "content"),
        ({"prefix": "{body}"}, "prefix"),
        ({"prefix": "a\r\nb: c"}, "prefix"),
        ({"algorithm": "md5"}, "algorithm"),
        ({"encoding": "base32"}, "encoding"),
        ({"secret": ""}, "secret"),
        ({"secret": []}, "secret"),
        ({"timestamp_header": "x-sig"}, ""),
        ({"key": "hex", "secret": "no hex"}, ""),
        ({"key": "base64", "secret": "!!"}, ""),
        ({"typo": 1}, "typo"),
    ],
)
def test_a_described_hmac_that_cannot_be_is_refused(changed: dict[str, object], where: str) -> None:
    [(place, _)] = errors_of({"scheme": "hmac", "secret": "k", "header": "X-Sig", **changed})
    assert place[:2] == ((0, where) if where else (0,))


def test_each_scheme_takes_several_secrets_and_drops_those_that_have_ended() -> None:
    later, past = (NOW + timedelta(seconds=1)).isoformat(), (NOW - timedelta(seconds=1)).isoformat()
    for scheme in ("logto", "github", "hmac"):
        more = {"header": "X-Sig"} if scheme == "hmac" else {}
        old, new = {"secret": "old", "until": later}, "new"
        assert signed({"scheme": scheme, "secret": [old, new], **more}) == signed(
            {"scheme": scheme, "secret": "old", **more}
        )
        ended = {"secret": "old", "until": past}
        assert signed({"scheme": scheme, "secret": [ended, new], **more}) == signed(
            {"scheme": scheme, "secret": "new", **more}
        )
        assert signed({"scheme": scheme, "secret": ended, **more}) == {}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text", ((0,), "dict_type")),
        ([], ((), "too_short")),
        ({"secret": "x"}, ((0, "scheme"), "missing")),
        ({"scheme": "githb", "secret": "x"}, ((0, "scheme"), "literal_error")),
        ({"scheme": 5, "secret": "x"}, ((0, "scheme"), "literal_error")),
        ({"scheme": "github"}, ((0, "secret"), "missing")),
        ({"scheme": "standard", "secret": "nonsense"}, ((0, "secret", 0, "secret"), "value_error")),
        ([{"scheme": "github", "secret": "a"}] * 2, ((), "same_header")),
    ],
)
def test_what_is_no_signing_says_where(written: object, expected: tuple[object, str]) -> None:
    assert errors_of(written) == [expected]


def test_several_schemes_sign_side_by_side() -> None:
    both = read([{"scheme": "github", "secret": "a"}, {"scheme": "logto", "secret": "a"}])
    assert [one.scheme.name for one in both] == ["github", "logto"]


def test_a_signing_from_code_may_hold_a_secret_that_hides_itself() -> None:
    (one,) = READ.validate_python({"scheme": "github", "secret": SecretStr("hidden")})
    assert one.secrets[0].value == "hidden"
    assert READ.validate_python(one) == (one,)


def test_the_same_settings_are_the_same_signing_so_that_a_reload_sees_no_change() -> None:
    one = {"scheme": "github", "secret": "a"}
    assert read(one) == read(one)
    assert read(one) != read(one | {"secret": "b"}) != read(one | {"scheme": "logto"})


def test_a_signing_never_shows_its_secrets() -> None:
    (one,) = read({"scheme": "hmac", "secret": "very-secret", "header": "X-Sig"})
    assert "very-secret" not in repr(one) + repr(one.settings) + str(one.settings)
    assert READ.dump_python((one,)) == [{"scheme": "hmac", "secret": "***"}]


def test_a_plugin_brings_a_scheme_by_entry_point(installed) -> None:
    registry = load_plugins(installed("acme", shout=PLUGIN.replace("{sign}", WORKS)))
    assert registry.schemes.keys() - BUILT_IN.keys() == {"shout", "acme:shout"}
    [plugin] = registry.plugins
    assert (plugin.signature_schemes, plugin.errors) == (("shout",), ())
    known = KnownDestinations(None, schemes=registry.schemes)
    (one,) = read({"scheme": "shout", "secret": ["a", "b"], "loud": True}, known)
    assert one.sign("msg_1", NOW, BODY) == {"x-shout": f"2-{len(BODY)}-True"}


@pytest.mark.parametrize(
    ("sign", "why"), [("return {'Host': 'evil'}", "not declared"), ("raise KeyError(secrets[0])", "failed: KeyError")]
)
def test_a_scheme_that_misbehaves_is_named_and_tells_no_secret(installed, sign: str, why: str) -> None:
    registry = load_plugins(installed("acme", shout=PLUGIN.replace("{sign}", sign)))
    (one,) = read({"scheme": "shout", "secret": "hush"}, KnownDestinations(None, schemes=registry.schemes))
    with pytest.raises(PluginError, match=f"'shout' .*{why}") as raised:
        one.sign("msg_1", NOW, BODY)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('name = "shout"', 'name = "github"', "one of hookrt's own"),
        ('name = "shout"', 'name = "So Loud"', "must be lower case letters"),
        ("def sign", "async def sign", "must be a plain `def`"),
        ("def sign", "def sgn", "it has no `sign`"),
        ("SignatureScheme[ShoutSettings]", "object", "no subclass of hookrt.plugin.SignatureScheme"),
    ],
)
def test_an_unfit_scheme_is_refused_with_the_reason(installed, old: str, new: str, why: str) -> None:
    registry = load_plugins(installed("acme", shout=PLUGIN.replace("{sign}", WORKS).replace(old, new)))
    assert registry.schemes.keys() == BUILT_IN.keys()
    assert why in " ".join(registry.plugins[0].errors)
