"""Who may use the API."""

import pytest

from hookrt.web.app import OPEN_PATHS, needed_scope
from hookrt.web.auth import Guard, Scope, Token
from hookrt.web.problem import Refusal

LOCAL = {b"host": b"127.0.0.1:4665", b"content-type": b"application/json"}


def ask(head, *, method="POST", peer=("127.0.0.1", 50000), tokens=(), needed=Scope.EMIT):
    Guard(tokens).check({"client": peer, "method": method}, head, needed)


def refuse(head, **more):
    with pytest.raises(Refusal) as caught:
        ask(head, **more)
    return caught.value.document


@pytest.mark.parametrize(
    "host", [b"127.0.0.1:4665", b"127.8.8.8", b"localhost", b"LOCALHOST:80", b"[::1]:4665", b"[::1]"]
)
@pytest.mark.parametrize("peer", [("127.0.0.1", 1), ("::1", 1), ("127.0.0.53", 1), ("::ffff:127.0.0.1", 1)])
def test_without_a_token_a_request_on_this_machine_passes(host, peer):
    ask({**LOCAL, b"host": host}, peer=peer)


@pytest.mark.parametrize(
    "host",
    [
        b"example.com",
        b"localhost.evil.com",
        b"127.0.0.1.nip.io",
        b"10.0.0.1",
        b"",
        b"localhost:80:80",
        b"[::2]",
        b"x@localhost",
    ],
)
def test_without_a_token_another_host_is_closed(host):
    assert refuse({**LOCAL, b"host": host}).status == 403


def test_without_a_host_header_it_is_closed():
    assert refuse({b"content-type": b"application/json"}).status == 403


@pytest.mark.parametrize("peer", [("10.0.0.7", 1), ("192.168.1.1", 1), ("2001:db8::1", 1), ("1127.0.0.1", 1), None])
def test_without_a_token_another_machine_is_closed_and_told_how_to_open(peer):
    document = refuse(LOCAL, peer=peer)
    assert document.status == 403
    assert "service: {tokens:" in document.detail


@pytest.mark.parametrize(
    "header", [b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-anything", b"via", b"x-real-ip"]
)
def test_without_a_token_what_a_proxy_or_tunnel_passed_on_is_closed(header):
    assert refuse({**LOCAL, header: b"1"}).status == 403


@pytest.mark.parametrize(
    "origin", [b"https://evil.example", b"null", b"http://localhost:3000", b"https://127.0.0.1:4665"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_token_a_foreign_origin_is_closed(origin, method):
    assert refuse({**LOCAL, b"origin": origin}, method=method).status == 403


def test_without_a_token_its_own_origin_passes():
    ask({**LOCAL, b"origin": b"http://127.0.0.1:4665"})


@pytest.mark.parametrize(
    "content_type", [b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", None]
)
@pytest.mark.parametrize("method", ["POST", "CONNECT", "UNHEARD"])
def test_without_a_token_a_write_must_send_a_json_content_type(content_type, method):
    head = {b"host": b"localhost"}
    if content_type is not None:
        head[b"content-type"] = content_type
    assert refuse(head, method=method).status == 415


@pytest.mark.parametrize(
    "content_type",
    [b"application/json", b"application/json; charset=utf-8", b"application/cloudevents+json", b"application/x-ndjson"],
)
def test_without_a_token_json_content_types_pass(content_type):
    ask({**LOCAL, b"content-type": content_type})


def test_without_a_token_reading_needs_no_content_type():
    ask({b"host": b"localhost:4665"}, method="GET", needed=Scope.READ)


TOKENS = (
    Token.make("emit-secret", ["emit"]),
    Token.make("read-secret", ["read"]),
    Token.make("root-secret", ["admin"]),
)


def bearer(value: str):
    return {b"authorization": f"Bearer {value}".encode()}


@pytest.mark.parametrize(
    ("value", "needed"),
    [
        ("emit-secret", Scope.EMIT),
        ("read-secret", Scope.READ),
        ("root-secret", Scope.EMIT),
        ("root-secret", Scope.READ),
        ("root-secret", Scope.ADMIN),
    ],
)
def test_a_token_opens_its_scope_from_anywhere_and_admin_opens_all(value, needed):
    ask({b"host": b"hooks.example.com", **bearer(value)}, peer=("203.0.113.9", 1), tokens=TOKENS, needed=needed)


@pytest.mark.parametrize(
    ("value", "needed"), [("emit-secret", Scope.READ), ("read-secret", Scope.EMIT), ("read-secret", Scope.ADMIN)]
)
def test_a_token_without_the_scope_is_forbidden(value, needed):
    document = refuse(bearer(value), tokens=TOKENS, needed=needed)
    assert document.status == 403
    assert f'scope="{needed}"' in document.headers["www-authenticate"]


@pytest.mark.parametrize(
    "head", [{}, {b"authorization": b"Basic YTpi"}, {b"authorization": b"Bearer "}, bearer("wrong")]
)
def test_with_tokens_a_request_without_a_right_one_is_unauthorized(head):
    document = refuse({**LOCAL, **head}, tokens=TOKENS)
    assert document.status == 401
    assert document.headers["www-authenticate"].startswith('Bearer realm="hookrt"')


def test_with_tokens_a_tokenless_request_on_loopback_is_not_let_in():
    assert refuse(LOCAL, tokens=TOKENS).status == 401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_without_regard_to_case(scheme):
    ask({b"authorization": f"{scheme} emit-secret".encode()}, tokens=TOKENS)


def test_a_token_is_never_printed():
    assert "secret" not in repr(TOKENS[0])
    assert TOKENS[0].digest not in repr(TOKENS[0]).encode()


@pytest.mark.parametrize(
    ("value", "scopes"), [("", ["emit"]), ("a b", ["emit"]), ("é", ["emit"]), ("x", []), ("x", ["write"])]
)
def test_a_token_that_could_not_work_is_refused(value, scopes):
    with pytest.raises(ValueError, match=r"token|Scope"):
        Token.make(value, scopes)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/events", Scope.READ),
        ("HEAD", "/v1/hooks", Scope.READ),
        ("GET", "/metrics", Scope.READ),
        ("POST", "/v1/explain", Scope.READ),
        ("GET", "/v1/samples/PostSignIn", Scope.READ),
        ("POST", "/v1/hooks/welcome/test", Scope.ADMIN),
        ("POST", "/v1/deliveries/d/replay", Scope.ADMIN),
        ("POST", "/v1/deliveries/d/retry", Scope.ADMIN),
        ("POST", "/v1/deliveries/d/cancel", Scope.ADMIN),
        ("POST", "/v1/deliveries/replay", Scope.READ),  # until the body tells that it is no dry run
        ("POST", "/v1/events/replay", Scope.READ),
        ("PUT", "/v1/events/replay", Scope.ADMIN),
        ("DELETE", "/v1/anything", Scope.ADMIN),
    ],
)
def test_reading_needs_read_and_changing_needs_admin(method, path, scope):
    assert needed_scope(method, path) is scope


def test_only_health_and_the_description_are_open():
    assert {"/", "/healthz", "/readyz", "/openapi.json"} == OPEN_PATHS
