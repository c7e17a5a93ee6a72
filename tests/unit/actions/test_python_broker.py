"""The service's side of a run's calls: what a worker that was taken over may send, and what it gets for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hookrt.actions.python_snippet.action import PythonSnippet
from hookrt.actions.python_snippet.broker import MAX_EMITTED, MAX_EVENTS, SnippetBroker
from hookrt.actions.python_snippet.calls import CallFailed, CallRefused
from hookrt.actions.python_snippet.grants import Grants
from hookrt.testing import Answer, MemoryState, RecordedHttp, call_for

ALL = Grants(("https://api.example.com",), ("CRM_TOKEN",), state=True, emit=("User.*",), place="hooks.yaml:5")
SECRETS = {"CRM_TOKEN": "s3cret", "OTHER": "other"}


class Desk:
    """A broker with its call, and a short way to ask it."""

    def __init__(self, grants: Grants = ALL) -> None:
        self.http = RecordedHttp(Answer(201, json={"id": 7}))
        self.state = MemoryState()
        self.call = call_for(PythonSnippet, {"code": "x"}, http=self.http, secrets=SECRETS, state=self.state)
        self.broker = SnippetBroker(self.call, grants)

    def ask(self, call: str, /, **arguments: Any) -> Any:
        return asyncio.run(self.broker.answer(call, arguments))


@pytest.mark.parametrize(
    ("name", "arguments", "entry"),
    [
        ("http", {"method": "GET", "url": "https://evil.example/x"}, "http: [https://evil.example]"),
        ("http", {"method": "GET", "url": "http://api.example.com/"}, "http: [http://api.example.com]"),
        ("secret", {"name": "OTHER"}, "secrets: [OTHER]"),
        ("emit", {"type": "Order.Placed"}, "emit: [Order.Placed]"),
    ],
)
def test_what_is_not_granted_ends_the_run_as_denied(name: str, arguments: dict[str, Any], entry: str) -> None:
    for grants in (ALL, Grants(place="hooks.yaml:5")):
        desk = Desk(grants)
        with pytest.raises(CallRefused) as caught:
            desk.ask(name, **arguments)
        assert caught.value.kind == "denied"
        assert caught.value.message.endswith(f': add "allow: {{{entry}}}" to this step (hooks.yaml:5)')
        assert (desk.http.requests, desk.call.emitted) == ((), [])


@pytest.mark.parametrize("name", ["state.get", "state.set", "state.compare_and_set", "state.add"])
def test_without_a_state_each_of_its_calls_is_denied(name: str) -> None:
    desk = Desk(Grants(secrets=("CRM_TOKEN",)))
    with pytest.raises(CallRefused, match="state: true"):
        desk.ask(name, key="k")
    assert asyncio.run(desk.state.get("k")) is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("open", {"path": "/etc/passwd"}),
        ("__class__", {}),
        ("", {}),
        ("http", {}),
        ("http", {"method": "GET", "url": 1}),
        ("http", {"method": "GET", "url": "https://api.example.com/", "trusted": ["x"]}),
        ("http", {"method": "CONNECT", "url": "https://api.example.com/"}),
        ("http", {"method": "GET /x HTTP/1.1\r\n\r\n", "url": "https://api.example.com/"}),
        ("http", {"method": "GET", "url": "https://api.example.com/", "headers": {"Host": "evil.example"}}),
        ("http", {"method": "GET", "url": "https://api.example.com/", "headers": {"X": 1}}),
        ("http", {"method": "PUT", "url": "https://api.example.com/", "base64": "%%"}),
        ("http", {"method": "GET", "url": "nonsense"}),
        ("http", {"method": "GET", "url": "https://api.example.com/" + "x" * 9000}),
        ("secret", {"name": ["CRM_TOKEN"]}),
        ("secret", {}),
        ("state.get", {"key": 1}),
        ("state.get", {"key": "a\0b"}),
        ("state.set", {"key": "k", "value": 1, "ttl": "soon"}),
        ("state.set", {"key": "k", "value": 1, "ttl": -1}),
        ("state.set", {"key": "k", "value": 1, "namespace": "state/other/python"}),
        ("state.add", {"key": "k", "amount": "1"}),
        ("state.add", {"key": "k", "amount": True}),
        ("emit", {"type": "hookrt.delivery.dead"}),
        ("emit", {"type": "hookrt"}),
        ("emit", {"type": "User.A", "id": "a\nb"}),
        ("emit", {"type": "User.A", "source": "logto"}),
        ("emit", {"type": 1}),
    ],
)
def test_what_makes_no_sense_fails_and_does_nothing(name: str, arguments: dict[str, Any]) -> None:
    desk = Desk()
    with pytest.raises(CallFailed):
        desk.ask(name, **arguments)
    assert (desk.http.requests, desk.call.emitted) == ((), [])
    assert asyncio.run(desk.state.get("k")) is None


def test_what_is_granted_is_done() -> None:
    desk = Desk()
    answer = desk.ask("http", method="POST", url="https://API.example.com/v1?a=1", text="hi", headers={"X-A": "1"})
    assert (answer["status"], answer["text"], answer["url"]) == (201, '{"id":7}', "https://api.example.com/v1?a=1")
    [request] = desk.http.requests
    assert (request.method, request.url, request.text) == ("POST", "https://api.example.com/v1?a=1", "hi")
    assert desk.ask("secret", name="CRM_TOKEN") == "s3cret"
    assert [desk.ask("state.add", key="n", amount=2), desk.ask("state.get", key="n")] == [2, 2]
    assert desk.ask("state.compare_and_set", key="n", expected=2, value=[1], ttl="10m") is True
    desk.ask("emit", type="User.Enriched", data={"a": 1}, subject="u1")
    [emission] = desk.call.emitted
    assert (emission.type, emission.data, emission.subject, emission.id) == ("User.Enriched", {"a": 1}, "u1", None)


def test_a_secret_that_is_granted_and_missing_fails_by_its_name() -> None:
    with pytest.raises(CallFailed, match="GONE") as caught:
        Desk(Grants(secrets=("GONE",))).ask("secret", name="GONE")
    assert caught.value.name == "SecretMissing"


def test_a_failed_request_fails_with_its_reason() -> None:
    desk = Desk()
    desk.http.answer(Answer(fault="breaker-open"))
    with pytest.raises(CallFailed) as caught:
        desk.ask("http", method="GET", url="https://api.example.com/")
    assert (caught.value.name, caught.value.fields) == ("HttpError", {"reason": "breaker-open"})
    [(level, event, fields)] = desk.call.log.lines
    assert (level, event, fields["status"], fields["url"]) == (
        "debug",
        "http",
        "breaker-open",
        "https://api.example.com/",
    )


def test_what_one_endpoint_asks_for_is_not_laid_upon_the_next_one() -> None:
    desk = Desk(Grants(("https://api.example.com", "https://crm.example.com")))
    desk.http.answer(Answer(429, headers={"retry-after": "600"}), Answer(fault="timeout"))
    desk.ask("http", method="GET", url="https://api.example.com/")
    assert desk.broker.overload is not None
    with pytest.raises(CallFailed):
        desk.ask("http", method="GET", url="https://crm.example.com/")
    assert desk.broker.overload is None


def test_the_events_of_a_run_are_bounded_by_number_and_by_size() -> None:
    desk = Desk()
    for _ in range(MAX_EVENTS):
        desk.ask("emit", type="User.A")
    with pytest.raises(CallFailed, match="at most 1,000 events"):
        desk.ask("emit", type="User.A")
    desk, part = Desk(), "x" * (MAX_EMITTED // 20)
    for _ in range(19):
        desk.ask("emit", type="User.A", data=part)
    with pytest.raises(CallFailed, match="at most 4 MiB"):
        desk.ask("emit", type="User.A", data=part + part)
    assert len(desk.call.emitted) == 19
