"""What `hookrt import adnanh` writes runs what adnanh/webhook itself runs, request by request, with the same arguments;
where it does not, a note has said so."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

SECRET = "the secret of a sender"
TRIGGERED = "the command runs"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TOKEN = {"X-Token": SECRET}


def of(source: str, name: str, **more: str) -> dict[str, str]:
    return {"source": source, "name": name, **more}


def value(source: str, name: str, text: Any) -> dict[str, Any]:
    return {"match": {"type": "value", "value": text, "parameter": of(source, name)}}


def regex(source: str, name: str, pattern: str) -> dict[str, Any]:
    return {"match": {"type": "regex", "regex": pattern, "parameter": of(source, name)}}


def signed(kind: str, header: str, secret: str = SECRET) -> dict[str, Any]:
    return {"match": {"type": kind, "secret": secret, "parameter": of("header", header)}}


SHOWN = value("header", "X-Token", SECRET)
REF = value("payload", "ref", "refs/heads/main")


def behind_token(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"and": [SHOWN, *rules]}


RULES: dict[str, Any] = {
    "sha1": signed("payload-hmac-sha1", "X-Hub-Signature"),
    "sha256": signed("payload-hmac-sha256", "X-Hub-Signature-256"),
    "sha512": signed("payload-hmac-sha512", "X-Signature"),
    "old-name": signed("payload-hash-sha256", "X-Gitea-Signature"),
    "two": {"or": [signed("payload-hmac-sha256", "X-S", "another one"), signed("payload-hmac-sha256", "X-S")]},
    "token": SHOWN,
    "bearer": value("header", "Authorization", f"Bearer {SECRET}"),
    "basic": value("header", "Authorization", "Basic " + base64.b64encode(b"me:you").decode()),
    "main": behind_token(REF),
    "nested": behind_token(value("payload", "a.b.0.c", "x")),
    "number": behind_token(value("payload", "n", 5)),
    "truth": behind_token(value("payload", "t", True)),
    "empty-text": behind_token(value("payload", "e", "")),
    "pattern": behind_token(regex("payload", "tag", r"^v\d+\.\d+$")),
    "unanchored": behind_token(regex("payload", "tag", "b[cd]")),
    "any": behind_token(regex("payload", "tag", ".*")),
    "header": behind_token(value("header", "X-Event", "push")),
    "header-pattern": behind_token(regex("header", "X-Event", "(?i)^PU")),
    "query": behind_token(value("url", "env", "prod"), REF),
    "not": behind_token({"not": value("payload", "a.b", "x")}),
    "or-not": behind_token({"or": [{"not": value("payload", "a.b", "x")}, REF]}),
    "or": behind_token({"or": [value("payload", "a", "x"), REF]}),
    "or-header": behind_token({"or": [value("header", "X-Event", "push"), REF]}),
    "and-in-not": behind_token({"or": [{"not": {"and": [value("payload", "a", "x"), REF]}}]}),
    "not-or": behind_token({"not": {"or": [value("payload", "a", "x"), REF]}}),
    "or-of-ands": {"or": [behind_token(REF), behind_token(value("payload", "a", "x"))]},
    "empty-and": behind_token({"and": []}),
    "method": behind_token(value("request", "method", "POST")),
    "list": behind_token(value("payload", "root.0", "x")),
    "not-header": behind_token({"or": [value("header", "X-Event", "push"), {"not": value("payload", "a.b", "x")}]}),
    "literal": behind_token(value("string", "same", "same")),
}


def hook(name: str, rule: Any, recorder: Any, **more: Any) -> dict[str, Any]:
    arguments = [of("string", "fixed 'one'"), of("payload", "ref"), of("payload", "a.b.0.c"), of("payload", "n")]
    found = {
        "id": name,
        "execute-command": str(recorder),
        "command-working-directory": str(recorder.parent),
        "response-message": TRIGGERED,
        "pass-arguments-to-command": arguments,
        "pass-environment-to-command": [of("payload", "who", envname="WHO"), of("payload", "count")],
        "trigger-rule": rule,
    }
    return {**found, **more}


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def mac(algorithm: str, sent: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), sent, algorithm).hexdigest()


@dataclass
class Case:
    """A request. `differs` is what a note says where the two are not alike; `webhook` whether that one runs it then."""

    hook: str
    sent: bytes = b"{}"
    headers: Any = None
    query: str = ""
    method: str = "POST"
    differs: str = ""
    webhook: bool = True


GOOD = body(ref="refs/heads/main", who="zo\u00eb", count=3, n=5, a={"b": [{"c": "x y"}]})
ODD = b'{"ref": "a b;$(id)`id` \\"q\\" * \\n z", "n": true, "who": "", "count": "0", "a": {"b": [{"c": "--x"}]}}'
WITH = {**JSON, **TOKEN}


def shown(name: str, *bodies: bytes, **more: Any) -> list[Case]:
    return [Case(name, sent, **{"headers": WITH, **more}) for sent in bodies]


def signatures() -> list[Case]:
    found = []
    known = {"sha1": "X-Hub-Signature", "sha256": "X-Hub-Signature-256"}
    for name, header in known.items():
        right = f"{name}={mac(name, GOOD)}"
        found += [
            Case(name, GOOD, {**JSON, header: right}),
            Case(name, ODD, {**JSON, header: f"{name}={mac(name, ODD)}"}),
            Case(name, b"", {header: f"{name}={mac(name, b'')}"}),
            Case(name, GOOD + b" ", {**JSON, header: right}),
            Case(name, GOOD, {**JSON, header: f"{name}={mac(name, GOOD, 'wrong')}"}),
            Case(name, GOOD, {**JSON, header: right[:-1]}),
            Case(name, GOOD, {**JSON, header: ""}),
            Case(name, GOOD, JSON),
            Case(name, GOOD, {**JSON, header: mac(name, GOOD)}, differs="needs its `sha1=` or `sha256=`"),
            Case(name, GOOD, {**JSON, header: f"{right},{right}"}, differs="a header has one signature"),
        ]
    return found


CASES = [
    *signatures(),
    Case("sha512", GOOD, {**JSON, "X-Signature": mac("sha512", GOOD)}),
    Case("sha512", GOOD, {**JSON, "X-Signature": mac("sha256", GOOD)}),
    Case("sha512", GOOD, {**JSON, "X-Signature": "sha512=" + mac("sha512", GOOD)}, differs="add `prefix`"),
    Case("old-name", GOOD, {**JSON, "x-gitea-signature": mac("sha256", GOOD)}),
    Case("old-name", GOOD, {**JSON, "x-gitea-signature": mac("sha256", GOOD).upper()}, differs="upper", webhook=False),
    Case("two", GOOD, {**JSON, "X-S": mac("sha256", GOOD)}),
    Case("two", GOOD, {**JSON, "X-S": mac("sha256", GOOD, "another one")}),
    Case("two", GOOD, {**JSON, "X-S": mac("sha256", GOOD, "third")}),
    *shown("token", GOOD, ODD, b"{}", b"", body(n=1.5, ref=False)),
    *shown("token", body(who=None), differs="null counts as missing"),
    *shown("token", b'{"ref": 1.50}', differs="1.50 is 1.5"),
    *shown("token", GOOD, headers={**JSON, "X-Token": "wrong"}),
    *shown("token", GOOD, headers=JSON),
    *shown("token", GOOD, query=f"?X-Token={SECRET}", headers=JSON),
    *shown("token", b"ref=refs%2Fheads%2Fmain&who=me&n=7", headers={**FORM, **TOKEN}),
    *shown("token", b"ref=one&ref=two", headers={**FORM, **TOKEN}, differs="several values of one field"),
    *shown("token", b'{"ref": ', differs="refused with 400"),
    *shown("token", body(ref={"x": 1}), differs="cannot be an argument"),
    *shown("token", GOOD, method="GET", differs="405"),
    Case("bearer", GOOD, {**JSON, "Authorization": f"Bearer {SECRET}"}),
    Case("bearer", GOOD, {**JSON, "Authorization": "Bearer other"}),
    Case("bearer", GOOD, {**JSON, "Authorization": SECRET}),
    Case("bearer", GOOD, {**JSON, "Authorization": f"bearer {SECRET}"}, differs="in any case", webhook=False),
    Case("basic", GOOD, {**JSON, "Authorization": "Basic " + base64.b64encode(b"me:you").decode()}),
    Case("basic", GOOD, {**JSON, "Authorization": "Basic " + base64.b64encode(b"me:other").decode()}),
    *shown("main", GOOD, ODD, b"{}", body(ref=["refs/heads/main"]), body(ref="refs/heads/main2")),
    *shown("main", GOOD, headers=JSON),
    *shown("main", b"ref=refs/heads/main", headers={**FORM, **TOKEN}),
    *shown("main", GOOD, headers={**TOKEN, "content-type": "text/plain"}, differs="content type", webhook=False),
    *shown("nested", GOOD, body(a={"b": []}), body(a={"b": [{"c": "x"}]}), body(a={"b": {"0": {"c": "x"}}}), body(a=1)),
    *shown("nested", body(a=None), body(a={"b": None})),
    *shown("nested", b'{"a.b.0.c": "x"}', differs="with a dot in its name"),
    *shown("nested", b'{"a.b.0.c": "y", "a": {"b": [{"c": "x"}]}}', differs="with a dot in its name", webhook=False),
    *shown("number", body(n=5), body(n="5"), body(n=6), body(n=[5]), body(n=None), b"{}"),
    *shown("number", b'{"n": 5.0}', differs="1.0 is 1", webhook=False),
    *shown("truth", body(t=True), body(t="true"), body(t=False), body(t=1)),
    *shown("empty-text", body(e=""), body(e="x"), b"{}"),
    *shown("pattern", *(body(tag=tag) for tag in ("v1.2", "v1.2\n", "xv1.2", "v1", 1.2, True)), b"{}"),
    *shown("unanchored", *(body(tag=tag) for tag in ("abcd", "BC", "b\nc"))),
    *shown("unanchored", body(tag=["bc"]), differs="has no text"),
    *shown("any", body(tag=""), body(tag="x"), b"{}"),
    *shown("any", body(tag=None), differs="null counts as missing"),
    *shown("header", GOOD, headers={**WITH, "x-event": "push"}),
    *shown("header", GOOD, b"", headers={**WITH, "X-Event": "pull"}),
    *shown("header", GOOD),
    *shown("header-pattern", GOOD, headers={**WITH, "x-event": "push"}),
    *shown("header-pattern", GOOD, headers={**WITH, "x-event": "xpush"}),
    *shown("query", GOOD, ODD, query="?env=prod"),
    *shown("query", GOOD, query="?env=test"),
    *shown("query", GOOD, query="?env=prod&env=test"),
    *shown("query", GOOD),
    *shown("not", body(a={"b": "x"}), body(a={"b": "y"}), b"{}", body(a={}), body(a=None)),
    *shown("not", body(a={"b": None}), differs="null counts as missing"),
    *shown("or-not", body(a={"b": "x"}), body(a={"b": "y"}), b"{}", body(a={}), body(a=None)),
    *shown("or-not", body(a={"b": "x"}, ref="refs/heads/main")),
    *shown("or", GOOD, body(a="x"), body(a="y"), b"{}"),
    *shown("or-header", b"{}", headers={**WITH, "X-Event": "push"}),
    *shown("or-header", GOOD, b"{}"),
    *shown(
        "or-header", b"text", headers={**TOKEN, "content-type": "text/plain", "X-Event": "push"}, differs="none can be"
    ),
    *shown("or-header", b"text", headers={**TOKEN, "content-type": "text/plain"}),
    *shown("or-not", b"text", headers={**TOKEN, "content-type": "text/plain"}, differs="no condition on a value"),
    *shown("main", b"<ref>refs/heads/main</ref>", headers={**TOKEN, "content-type": "text/xml"}, differs="condition"),
    *shown("main", b"<a><ref>refs/heads/main</ref></a>", headers={**TOKEN, "content-type": "text/xml"}),
    *shown("list", body(root=["x"]), b'["y"]'),
    *shown("list", b'["x"]', differs="below `root`"),
    *shown("and-in-not", b"{}", body(a="x"), body(a="x", ref="refs/heads/main"), body(a="y")),
    *shown("not-or", b"{}", body(a="x"), body(ref="refs/heads/main"), body(a="y", ref="z")),
    *shown("or-of-ands", GOOD, body(a="x"), body(a="y"), b"{}"),
    *shown("or-of-ands", GOOD, headers=JSON),
    *shown("empty-and", GOOD),
    *shown("not-header", body(a={"b": "x"}), body(a={"b": "y"}), b"{}", body(a=None)),
    *shown("not-header", body(a={"b": "x"}), headers={**WITH, "X-Event": "push"}),
    *shown("method", GOOD),
    *shown("literal", GOOD),
]


def test_every_request_runs_what_webhook_runs_or_a_note_says_that_it_does_not(beside: Any, recorder: Any) -> None:
    hooks = [hook(name, rule, recorder) for name, rule in RULES.items()]
    hooks[list(RULES).index("two")]["trigger-signature-soft-failures"] = True

    async def scenario(both: Any) -> None:
        assert both.imported.left_out == 0, both.imported.text
        unlike, unannounced = [], []
        for number, case in enumerate(CASES):
            sent = request(both, case)
            theirs, ours = await both.ask(sent)
            if (theirs != ours) != bool(case.differs) or (case.differs and (theirs is not None) != case.webhook):
                unlike.append(f"{number}: {case}\n  webhook {theirs}\n  hookrt  {ours}")
            said = [note.text for note in both.imported.notes if note.hook in (None, case.hook)]
            if not any(case.differs in text for text in said):
                unannounced.append(case.differs)
        assert not unlike, "\n".join(unlike)
        assert unannounced == []

    beside(hooks, scenario)


def request(both: Any, case: Case) -> Any:
    return SimpleNamespace(
        hook=case.hook, body=case.sent, headers=case.headers or {}, query=case.query, method=case.method
    )


def test_arguments_from_headers_the_query_and_the_whole_body_are_the_same(beside: Any, recorder: Any) -> None:
    hooks = [
        hook("event", SHOWN, recorder, **{"pass-arguments-to-command": [of("header", "X-Event"), of("string", "")]}),
        hook("env", SHOWN, recorder, **{"pass-arguments-to-command": [of("url", "env"), of("query", "env")]}),
        hook("all", SHOWN, recorder, **{"pass-arguments-to-command": [of("entire-payload", "")]}),
        hook("none", SHOWN, recorder, **{"pass-arguments-to-command": [], "command-working-directory": ""}),
    ]
    cases = [
        *shown("event", GOOD, headers={**WITH, "X-Event": "a 'push'; $HOME"}),
        *shown("event", GOOD),
        *shown("env", b"{}", query="?env=a%20b"),
        *shown("env", b"{}"),
        *shown("all", b'{"b":1,"c":"x"}', b"{}"),
        *shown("none", GOOD),
    ]

    async def scenario(both: Any) -> None:
        assert both.imported.left_out == 0, both.imported.text
        for case in cases:
            theirs, ours = await both.ask(request(both, case))
            assert ours is not None
            assert (ours.arguments, ours.folder) == (theirs.arguments, theirs.folder), case

    beside(hooks, scenario)


def test_each_request_counts_also_one_that_came_before(beside: Any, recorder: Any) -> None:
    async def scenario(both: Any) -> None:
        for _ in range(2):
            theirs, ours = await both.ask(request(both, shown("token", GOOD)[0]))
            assert ours is not None
            assert ours == theirs

    beside([hook("token", SHOWN, recorder)], scenario)


LEFT_OUT = {
    "open": None,
    "never": {},
    "nobody": {"or": []},
    "address": behind_token({"match": {"type": "ip-whitelist", "ip-range": "127.0.0.1/32"}}),
    "remote": behind_token(value("request", "remote-addr", "127.0.0.1")),
    "scalr": {"match": {"type": "scalr-signature", "secret": SECRET}},
    "in-query": value("url", "token", SECRET),
    "in-body": value("payload", "token", SECRET),
    "or-signed": {"or": [signed("payload-hmac-sha256", "X-S"), SHOWN]},
    "not-signed": {"not": signed("payload-hmac-sha256", "X-S")},
    "hard": {"or": [signed("payload-hmac-sha256", "X-S", "another one"), signed("payload-hmac-sha256", "X-S")]},
    "raw": behind_token(regex("raw-request-body", "", "x")),
    "unknown-match": behind_token({"match": {"type": "valu", "value": "1", "parameter": of("payload", "a")}}),
}


def test_nobody_gets_in_by_what_was_left_out(beside: Any, recorder: Any) -> None:
    hooks = [hook(name, rule, recorder) for name, rule in LEFT_OUT.items()]
    del hooks[0]["trigger-rule"]

    async def scenario(both: Any) -> None:
        left_out = {note.hook for note in both.imported.notes if note.kind == "left out"}
        assert left_out == set(LEFT_OUT)
        for name in LEFT_OUT:
            for headers in (WITH, {**JSON, "X-S": mac("sha256", GOOD)}):
                answer = await both.hookrt.post(f"/in/{name}?token={SECRET}", content=GOOD, headers=headers)
                assert answer.status_code == 404

    beside([*hooks, hook("token", SHOWN, recorder)], scenario)
