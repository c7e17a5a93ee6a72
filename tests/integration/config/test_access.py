"""`auth`, `tls` and `proxy` of a destination: what can be written, and what is an error at its place."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hookrt.plugin.manager import load_plugins

PASSWORD = "hunter2-hunter2"


def destination(bench: Any, text: str) -> Any:
    written = f"destinations:\n  crm: {{url: https://crm.example.com, {text}}}\n"
    [found] = bench.configuration(written).destinations.values()
    return found


def errors(bench: Any, text: str) -> list[str]:
    found: list[str] = bench.errors(f"destinations:\n  crm: {{url: https://crm.example.com, {text}}}\n")
    return found


def test_basic_makes_the_header_and_its_base64_is_masked(bench: Any) -> None:
    bench.env["HOOKRT_SECRET_PW"] = PASSWORD
    text = "destinations:\n  crm: {url: https://a.example, auth: {basic: {user: me, password: '${{ secrets.PW }}'}}}\n"
    configuration = bench.configuration(text)
    found = configuration.destinations["crm"]
    encoded = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    assert found.headers == {"authorization": f"Basic {encoded}"}
    assert (found.authorized, found.access) == (True, None)
    assert configuration.secrets.masker.mask(f"{encoded} {PASSWORD}") == "*** ***"
    assert PASSWORD not in repr(found)
    assert encoded not in repr(found)


def test_a_bearer_token_makes_the_header_and_is_masked_though_it_is_written_out(bench: Any) -> None:
    text = "destinations:\n  crm: {url: https://a.example, auth: {bearer: t0ken-t0ken}}\n"
    configuration = bench.configuration(text)
    assert configuration.destinations["crm"].headers == {"authorization": "Bearer t0ken-t0ken"}
    assert configuration.secrets.masker.mask("so t0ken-t0ken it is") == "so *** it is"


def test_oauth2_is_kept_for_the_requests(bench: Any) -> None:
    written = "{token_url: https://login.example.com/token, client_id: me, client_secret: hunter2-hunter2, scope: a b}"
    found = destination(bench, f"auth: {{oauth2: {written}}}")
    oauth = found.access.oauth
    assert (oauth.token_url, oauth.client_id, oauth.client_secret) == (
        "https://login.example.com/token",
        "me",
        PASSWORD,
    )
    assert (oauth.scope, oauth.audience, oauth.style) == ("a b", None, "basic")
    assert (found.access.name, found.access.origin) == ("crm", "https://crm.example.com")
    assert found.authorized
    assert "authorization" not in found.headers
    assert PASSWORD not in repr(found)


@pytest.mark.parametrize("way", ["bearer: '${{ secrets.NONE }}'", "basic: {user: me, password: '${{ secrets.NONE }}'}"])
def test_a_secret_that_is_missing_is_no_error_of_what_it_stands_in(bench: Any, way: str) -> None:
    assert errors(bench, f"auth: {{{way}}}") == []


def test_a_proxy_is_taken_apart_and_its_password_masked(bench: Any) -> None:
    text = "destinations:\n  crm: {url: https://a.example, proxy: 'http://me:p%40ss-word@proxy.example.com:3128'}\n"
    configuration = bench.configuration(text)
    proxy = configuration.destinations["crm"].access.proxy
    assert (proxy.url, proxy.user, proxy.password) == ("http://proxy.example.com:3128", "me", "p@ss-word")
    encoded = base64.b64encode(b"me:p@ss-word").decode()
    assert configuration.secrets.masker.mask(f"p@ss-word p%40ss-word {encoded}") == "*** *** ***"
    assert "p@ss" not in repr(proxy)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("auth: {}", "exactly one of `basic`, `bearer` and `oauth2`"),
        ("auth: {bearer: a, basic: {user: a, password: b}}", "exactly one of"),
        ("auth: {bearer: 'Bearer abc'}", "without `Bearer` before it"),
        ('auth: {bearer: "a\\r\\nx: y"}', "one word of visible ASCII"),
        ('auth: {bearer: ""}', "one word of visible ASCII"),
        ("auth: {basic: {user: 'a:b', password: c}}", "cannot have a colon"),
        ('auth: {basic: {user: a, password: "b\\nc"}}', "a control character or a line break"),
        ("auth: {basic: {user: a}}", "`auth.basic` of destination 'crm' needs `password`"),
        ("auth: {digest: a}", "has no setting 'digest'"),
        ("auth: {oauth2: {token_url: 'ftp://a', client_id: a, client_secret: b}}", "must be an http or https URL"),
        ("auth: {oauth2: {token_url: 'https://a:b@c', client_id: a, client_secret: b}}", "without a user name in it"),
        ("auth: {oauth2: {token_url: 'https://a', client_id: a, client_secret: b, style: x}}", "'basic' or 'post'"),
        ("auth: {bearer: a}, headers: {AUTHORIZATION: b}", "AUTHORIZATION cannot be set by hand: `auth` makes it"),
        ("headers: {X-A: b, x-a: c}", "x-a stands there twice"),
        ("headers: {Proxy-Authorization: b}", "cannot be set by hand"),
        ("headers: {proxy-anything: b}", "such names are reserved"),
        ("headers: {Webhook-Signature: b}", "belongs to the signature"),
        ("headers: {webhook-anything: b}", "such names are reserved"),
        ("headers: {'webhook-id ': b}", "is no header name"),
        ("headers: {Transfer-Encoding: chunked}", "follows from the request"),
        ("headers: {TE: b}", "follows from the request"),
        ("headers: {Upgrade: b}", "follows from the request"),
        ("signing: {scheme: github, secret: abc}, headers: {X-HUB-Signature-256: b}", "belongs to the signature"),
        ("proxy: proxy.example.com:3128", "write it like http://proxy.example.com:3128"),
        ("proxy: socks5://proxy.example.com:1080", "write it like http://"),
        ("proxy: http://proxy.example.com:3128/path", "ends behind its host and port"),
        ('proxy: "http://a:b%0d%0ac@proxy.example.com"', "write it like"),
        ("tls: {}", "it takes `certificate` and `key`, `ca`, or all of them"),
        ("tls: {key: a.pem}", "`key` goes with `certificate`"),
        ("tls: {ca: nowhere.pem}", "`ca`: there is no file 'nowhere.pem'"),
        ("tls: {ca: .}", "`ca`: '.' cannot be read"),
    ],
)
def test_what_cannot_be_is_an_error_at_its_place(bench: Any, text: str, message: str) -> None:
    [error] = errors(bench, text)
    assert message in error
    assert error.startswith("2:")


def test_an_error_of_a_proxy_does_not_show_its_password(bench: Any) -> None:
    [error] = errors(bench, "proxy: http://me:hunter2-hunter2@proxy.example.com:3128/x")
    assert "hunter2" not in error


@pytest.mark.parametrize(
    "text",
    [
        "proxy: 'http://me:hunter2-hunter2@proxy.example.com:3128/x'",
        "auth: {bearer: 'hunter2-hunter2', nonsense: 1}",
        "auth: {basic: {user: 'a:b', password: hunter2-hunter2}}",
        "auth: {oauth2: {client_secret: hunter2-hunter2}}",
    ],
)
def test_the_line_of_an_error_is_not_shown_where_a_secret_stands_in_it(bench: Any, text: str) -> None:
    problems = bench.load(f"destinations:\n  crm: {{url: https://crm.example.com, {text}}}\n").problems
    assert problems
    assert not [one for one in problems if "hunter2" in f"{one.message} {one.hint} {one.line_text}"]


def test_cookies_can_be_sent(bench: Any) -> None:
    assert destination(bench, "headers: {Cookie: a=b}").headers == {"Cookie": "a=b"}


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pw@crm.example.com",
        "https://user@crm.example.com",
        "ftp://crm.example.com",
        "file:///etc/passwd",
        "https://",
        "https://:443",
        '"https://crm.example.com/a\\r\\nb"',
        "https://crm.example.com:0",
        "https://crm.example.com:65536",
        '"https://crm example.com"',
        '"https://crm.example.com\\\\@evil.example"',
        '"https://[fe80::1%25eth0]/"',
        '"https://a%2eb"',
    ],
)
def test_a_url_that_nothing_is_sent_to_is_an_error(bench: Any, url: str) -> None:
    [error] = bench.errors(f"destinations:\n  crm: {{url: {url}}}\n")
    assert error.startswith("2:14 `url`")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pem")
    for name in ("one", "two"):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2", "-subj", f"/CN={name}"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder


def test_certificates_are_found_beside_hooks_yaml_and_by_absolute_paths(bench: Any, pem: Path) -> None:
    for name in ("one.crt", "one.key"):
        (Path("certs") / name).parent.mkdir(exist_ok=True)
        (Path("certs") / name).write_bytes((pem / name).read_bytes())
    found = destination(bench, f"tls: {{certificate: certs/one.crt, key: certs/one.key, ca: {pem}/two.crt}}")
    assert found.access.tls.identity.count(b"BEGIN") == 2
    assert len(found.access.tls.authorities) == 1
    assert found.headers == {}
    assert not found.authorized


def test_certificate_and_key_may_stand_in_one_file(bench: Any, pem: Path) -> None:
    Path("both.pem").write_bytes((pem / "one.crt").read_bytes() + (pem / "one.key").read_bytes())
    assert destination(bench, "tls: {certificate: both.pem}").access.tls.identity.count(b"BEGIN") == 2


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{certificate: PEM/one.crt, key: PEM/two.key}", "`key`: the key does not belong to the certificate"),
        ("{certificate: PEM/one.key, key: PEM/one.key}", "`certificate`: it holds no certificate"),
        ("{certificate: PEM/one.crt}", "`certificate`: it holds no private key"),
        ("{ca: PEM/one.key}", "`ca`: it holds no certificate"),
    ],
)
def test_files_that_do_not_fit_are_an_error_at_their_setting(bench: Any, pem: Path, written: str, message: str) -> None:
    [error] = errors(bench, f"tls: {written.replace('PEM', str(pem))}")
    assert message in error


def test_tls_with_http_is_an_error(bench: Any, pem: Path) -> None:
    [error] = bench.errors(f"destinations:\n  crm: {{url: http://a.internal, tls: {{ca: {pem}/one.crt}}}}\n")
    assert "of no use for a URL by http" in error


def test_the_files_are_watched(bench: Any, pem: Path) -> None:
    loaded = bench.load(f"destinations:\n  crm: {{url: https://a.example, tls: {{ca: {pem}/one.crt}}}}\n")
    assert str(pem / "one.crt") in {stamp[0] for stamp in loaded.seen}


def test_a_webhook_to_such_a_destination_cannot_set_authorization(bench: Any) -> None:
    bench.registry = load_plugins()
    text = (
        "destinations: {crm: {url: https://a.example, auth: {bearer: abc}}}\n"
        "hooks:\n  one: {on: A, steps: [{webhook: {to: crm, headers: {Authorization: b}}}]}\n"
    )
    [error] = bench.errors(text)
    assert "Authorization is made by the destination's `auth`" in error
