"""What `allow` grants: origins, paths, secrets, types; and what a check says of uses that it does not."""

from __future__ import annotations

import ast

import pytest
from pydantic import ValidationError

from hookrt.actions.python_snippet.grants import Grants, NotGranted, read_address, read_grant, ungranted
from hookrt.actions.python_snippet.settings import PythonSettings
from hookrt.actions.python_snippet.worker.uses import find_uses
from hookrt.actions.python_snippet.worker.wire import Use
from hookrt.testing.run_attempts import read_settings


def may(grant: str, url: str) -> bool:
    try:
        Grants(http=(grant,)).address(url)
    except (NotGranted, ValueError):
        return False
    return True


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://API.example.com/",
        "https://api.example.com:443/v1?x=1#y",
        "HTTPS://api.example.com./v1",
        "https://ap%69.example.com/",
        "https://api.example.com/../..",
        "https://api.example.com\\.evil.example/",
    ],
)
def test_an_origin_is_granted_however_it_is_spelt(url: str) -> None:
    assert may("https://api.example.com", url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.evil.example/",
        "https://evil.example/https://api.example.com/",
        "https://api.example.com@evil.example/",
        "https://evil.example\\@api.example.com/",
        "https://user@api.example.com/",
        "https://xapi.example.com/",
        "https://example.com/",
        "https://evil.example#@api.example.com/",
        "//api.example.com/",
        "api.example.com",
        "file:///etc/passwd",
        "",
    ],
)
def test_what_is_no_granted_origin_is_not_granted(url: str) -> None:
    assert not may("https://api.example.com", url)


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/users?x=/../", "/v1/a%2Fb", "/./v1/x", "/v2/../v1/x", "/v1/..x"])
def test_below_the_path_of_a_grant_all_is_granted(path: str) -> None:
    assert may("https://a.example/v1", "https://a.example" + path)
    assert may("https://a.example/v1/", "https://a.example" + path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v2",
        "/v10",
        "/V1",
        "/v1/../v2",
        "/v1/%2e%2e/v2",
        "/v1/%2E./v2",
        "/v1/..%2fv2",
        "/v1/%252e%252e/v2",
        "/v1/..;/v2",
        "/v1/..;x=1/v2",
        "/v1\\..\\v2",
        "/v1/x%5c..%5cv2",
        "/v1/%25252e%25252e/v2",
        "/v1/%2525252525252525252e./v2",
        "/v1/..%20/v2",
        "/v1/..%00/v2",
        "/v1/.%09./v2",
        "/v1/..%c0%afv2",
    ],
)
def test_no_way_leads_out_of_the_path_of_a_grant(path: str) -> None:
    assert not may("https://a.example/v1", "https://a.example" + path)


@pytest.mark.parametrize("url", ["https://a.example/" + "x" * 9_000, "https://a.example/" + "é" * 4_000])
def test_a_url_that_is_too_long_is_not_remembered(url: str) -> None:
    before = read_address.cache_info().currsize
    with pytest.raises(ValueError, match="at most 8,192"):
        Grants(http=("https://a.example",)).address(url)
    assert read_address.cache_info().currsize <= before + 1  # that of the entry


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("https://*.example.com", "no `*`"),
        ("api.example.com", "this is no URL: write it with its scheme"),
        ("ftp://api.example.com", "with its scheme"),
        ("https://ada:pw@api.example.com", "no user name"),
        ("https://api.example.com?x=1", "no query"),
        ("https://api.example.com/#x", "no query"),
        ("https://api.example.com/a/%2e%2e%2fb", "no `..`"),
        ("", "this is no URL"),
    ],
)
def test_an_entry_that_cannot_work_is_refused_in_words(entry: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_grant(entry)


@pytest.mark.parametrize(
    "allow",
    [
        {"http": ["https://api.example.com", "http://localhost:8000/v1"]},
        {"secrets": ["CRM_TOKEN", "_x1"]},
        {"state": True},
        {"emit": ["User.Enriched", "User.*", "**"]},
        {},
    ],
)
def test_allow_takes_what_it_says(allow: dict[str, object]) -> None:
    read_settings(PythonSettings, {"code": "x", "allow": allow})


@pytest.mark.parametrize(
    "allow",
    [
        {"http": "https://api.example.com"},
        {"http": [1]},
        {"secrets": ["CRM-TOKEN"]},
        {"secrets": ["${{ secrets.X }}"]},
        {"state": "yes"},
        {"emit": ["hookrt.delivery.dead"]},
        {"emit": ["hookrt"]},
        {"emit": ["User*"]},
        {"emit": [""]},
        {"files": ["/"]},
        {"http": ["https://api.example.com"] * 101},
    ],
)
def test_allow_refuses_the_rest(allow: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read_settings(PythonSettings, {"code": "x", "allow": allow})


def test_types_are_granted_as_hooks_match_them() -> None:
    grants = Grants(emit=("User.*", "Audit.**"))
    for name in ("User.Created", "Audit.A.B"):
        grants.check_type(name)
    for name in ("User", "User.A.B", "Audit", "Other"):
        with pytest.raises(NotGranted):
            grants.check_type(name)


def test_the_digest_tells_grants_apart() -> None:
    one, same = Grants(http=("https://a.example",), place="x:1"), Grants(http=("https://a.example",), place="y:2")
    assert one.digest == same.digest
    others = (Grants(), Grants(state=True), Grants(http=("https://a.example/v1",)), Grants(secrets=("A",)))
    assert len({grants.digest for grants in (one, *others)}) == 5


SNIPPET = """
def run(event, context):
    a = context.http.get("https://a.example/x")
    b = context.http.request("POST", url=f"https://b.example/users/{a}")
    c = context.http.get("https://c.example/" + b)
    d = context.http.get(url)
    e = [context.secrets.CRM_TOKEN, context.secrets["OTHER"], context.secrets.get("THIRD"), context.secrets[name]]
    f = context.state
    context.emit("User.Enriched", {})
    context.emit(f"User.{e}")
    return context.log, event.http, ctx.state
"""


def uses_of(text: str) -> tuple[Use, ...]:
    tree = ast.parse(text)
    runs = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "run"]
    return find_uses(tree, runs[0] if runs else None)


def test_uses_are_seen_with_what_they_are_for() -> None:
    found = {(use.name, use.target, use.line) for use in uses_of(SNIPPET)}
    assert found == {
        ("http", "https://a.example/x", 3),
        ("http", "https://b.example/users/", 4),
        ("http", "https://c.example/", 5),
        ("http", None, 6),
        ("secrets", "CRM_TOKEN", 7),
        ("secrets", "OTHER", 7),
        ("secrets", "THIRD", 7),
        ("secrets", None, 7),
        ("state", None, 8),
        ("emit", "User.Enriched", 9),
        ("emit", None, 10),
        ("state", None, 11),
    }


def test_a_ctx_of_the_snippets_own_is_none() -> None:
    assert uses_of("class Own: pass\nctx = Own()\nresult = ctx.state\n") == ()


def test_a_check_names_only_the_uses_that_will_be_refused() -> None:
    grants = Grants(http=("https://a.example", "https://b.example/v1"), secrets=("CRM_TOKEN",), emit=("User.*",))
    said = {(use.name, use.target): why for use, why in ungranted(uses_of(SNIPPET), grants)}
    assert set(said) == {
        ("http", "https://c.example/"),
        ("secrets", "OTHER"),
        ("secrets", "THIRD"),
        ("state", None),
    }
    assert said["http", "https://c.example/"] == (
        'ctx.http is not granted for https://c.example: add "allow: {http: [https://c.example]}" to this step'
    )
    assert said["state", None] == 'ctx.state is not granted: add "allow: {state: true}" to this step'


def test_another_path_of_a_granted_origin_is_not_told_to_grant_the_whole_origin() -> None:
    with pytest.raises(NotGranted) as caught:
        Grants(http=("https://b.example/v1",)).address("https://b.example/v2")
    assert str(caught.value) == "ctx.http is granted for https://b.example/v1 and what lies below only"


def test_nobody_is_told_to_grant_events_of_hookrt() -> None:
    for grants in (Grants(), Grants(emit=("User.*",))):
        with pytest.raises(NotGranted, match=r"never granted for `hookrt\.` events"):
            grants.check_type("hookrt.made.up")


def test_without_grants_every_use_is_named() -> None:
    assert len(list(ungranted(uses_of(SNIPPET), Grants()))) == 12


@pytest.mark.parametrize(
    ("name", "target", "entry"),
    [
        ("http", "http://[::1]:8000/x", 'http: ["http://[::1]:8000"]'),
        ("http", "http://10.0.0.1/x", "http: [http://10.0.0.1]"),
        ("emit", "User,Created", 'emit: ["User,Created"]'),
        ("emit", "1.5", 'emit: ["1.5"]'),
    ],
)
def test_the_line_to_add_is_yaml(name: str, target: str, entry: str) -> None:
    [(_, why)] = ungranted([Use(name=name, target=target)], Grants())
    assert f'add "allow: {{{entry}}}" to this step' in why
