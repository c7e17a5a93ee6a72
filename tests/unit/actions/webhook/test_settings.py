"""The settings of a webhook: what is refused when hooks.yaml is read, and how a call's lane is found."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hookrt.actions.webhook import Webhook, WebhookSettings, hookrt_actions
from hookrt.actions.webhook.url import check_path, join_url
from hookrt.plugin import STANDARD
from hookrt.signing import new_secret


def read(**written) -> WebhookSettings:
    return WebhookSettings.model_validate_json(msgspec.json.encode(written))


def problems(**written) -> list[tuple]:
    with pytest.raises(ValidationError) as raised:
        read(**written)
    return [problem["loc"] for problem in raised.value.errors(include_url=False, include_input=False)]


def test_the_module_brings_one_action_named_webhook():
    (action,) = hookrt_actions()
    assert action is Webhook
    assert (Webhook.name, Webhook.short, Webhook.retry) == ("webhook", "url", STANDARD)
    assert Webhook.settings is WebhookSettings


@pytest.mark.parametrize("written", [{}, {"to": "crm", "url": "https://a.example"}, {"path": "/x"}])
def test_exactly_one_of_to_and_url_is_needed(written):
    assert problems(**written) == [()]


def test_a_path_goes_with_to_only():
    assert problems(url="https://a.example", path="/x") == [()]
    assert read(to="crm", path="/x").path == "/x"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "a.example/hooks",
        "//a.example",
        "javascript:alert(1)",
        "https://user:pass@a.example/",
        "https://token@a.example/",
        "https://a.example/\r\nx",
        "https://a\t.example",
        "https://",
        "https:///x",
        "https://:80/",
        "",
    ],
)
def test_a_url_with_another_scheme_credentials_or_control_characters_is_refused(url):
    assert problems(url=url) == [("url",)]


@pytest.mark.parametrize(
    "url", ["https://a.example", "HTTP://localhost:8000/x?y=@z", "https://[::1]/", "https://a/b@c"]
)
def test_a_plain_url_is_taken(url):
    assert read(url=url).url == url


@pytest.mark.parametrize(
    "path",
    [
        *("../admin", "/a/../b", "/a/%2e%2E/b", "/a/.", "..", "/a?b=c", "/a#b", "/a\\..\\b", "/a\n", "/.\t./b"),
        *("/..%2fb", "/a/%2e%2e%5cb", "/%252e%252e/b", "/..;/b", "/..%00/b"),  # as many servers read them
    ],
)
def test_a_path_that_could_leave_the_destination_is_refused(path):
    assert problems(to="crm", path=path) == [("path",)]


@given(st.text(max_size=40))
def test_a_joined_path_never_changes_host_or_leaves_the_base(text):
    from pyreqwest.http import Url

    try:
        check_path(text)
    except ValueError:
        return
    url = Url(join_url("https://crm.example.com/base", text, {}))
    assert url.host_str == "crm.example.com"
    assert url.path.startswith("/base")
    assert url.query_string is None


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({"method": "TRACE"}, ("method",)),
        ({"method": "post"}, ("method",)),
        ({"headers": {"x": 1}}, ("headers", "x")),
        ({"hedaers": {}}, ("hedaers",)),
        ({"signing_secret": "short"}, ("signing_secret",)),
    ],
)
def test_other_settings_are_strict(written, place):
    found = problems(url="https://a.example", **written)
    assert found[0][: len(place)] == place


def test_signing_secret_takes_one_a_list_or_dated_ones():
    one, two = new_secret(), new_secret()
    until = "2027-01-31T00:00:00Z"
    assert [secret.value for secret in read(to="a", signing_secret=one).signing_secret] == [one]
    several = read(to="a", signing_secret=[one, {"secret": two, "until": until}]).signing_secret
    assert [secret.until is None for secret in several] == [True, False]
    assert one not in repr(several)


def test_a_written_null_body_is_a_body_and_an_absent_one_is_none():
    assert read(to="a", body=None).has_body
    assert not read(to="a").has_body


@pytest.mark.parametrize(
    "name", ["Content-Length", "TRANSFER-ENCODING", "host", "Connection", "Upgrade", "webhook-id", "Webhook-Signature"]
)
def test_a_header_that_cannot_be_set_by_hand_is_a_check_problem_at_its_place(name):
    settings = read(url="https://a.example", headers={"x-fine": "1", name: "2"})
    (problem,) = Webhook().check(settings)
    assert problem.path == ("headers", name)
    assert name in problem.message


def test_a_header_with_odd_characters_is_a_check_problem():
    settings = read(url="https://a.example", headers={"x y": "1", "x-a": "b\nc"})
    assert [problem.path for problem in Webhook().check(settings)] == [("headers", "x y"), ("headers", "x-a")]


@pytest.mark.parametrize(
    ("written", "lane"),
    [
        ({"to": "crm", "path": "/${{ event.id }}"}, "crm"),
        ({"url": "https://A.example/x/${{ event.id }}"}, "https://a.example"),
        ({"url": "https://a.example:8443/x"}, "https://a.example:8443"),
        ({"url": "https://${{ event.data.host }}/x"}, None),
        ({"url": "https://a.example${{ event.data.x }}/"}, None),
        ({"url": "${{ event.data.url }}"}, None),
        ({}, None),
    ],
)
def test_the_lane_is_the_destination_else_the_written_origin_else_the_hooks_own(written, lane):
    assert Webhook().lane(written) == lane


def test_a_query_and_a_fragment_are_joined_sanely():
    join = join_url
    assert join("https://a.example", None, {}) == "https://a.example"
    assert join("https://a.example/", "x", {}) == "https://a.example/x"
    assert (
        join("https://a.example/b/?k=1#f", "/x/", {"q": "a&b", "t": False})
        == "https://a.example/b/x/?k=1&q=a%26b&t=false"
    )


def test_every_setting_has_a_description_for_editors():
    schema = WebhookSettings.model_json_schema()
    assert all(entry.get("description") for entry in schema["properties"].values())
    assert "oneOf" not in schema


def test_every_reason_is_documented():
    assert all(meaning for meaning in Webhook.reasons.values())
    assert {"status", "gone", "timeout", "blocked-address", "too-large"} <= set(Webhook.reasons)
