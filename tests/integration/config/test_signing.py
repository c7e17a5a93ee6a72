"""`signing`, `format` and `retry: logto` in hooks.yaml, with the installed webhook action."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from hookrt.config.schema import build_schema
from hookrt.model.policy import LOGTO
from hookrt.plugin.manager import load_plugins

HEAD = """destinations:
  crm:
    url: https://crm.example.com
"""
TAIL = """hooks:
  one:
    on: A
    steps:
      - webhook: {to: crm}
"""
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="


@pytest.fixture
def webhooks(bench: Any) -> Any:
    bench.registry = load_plugins()
    return bench


def destination(bench: Any, *lines: str) -> Any:
    text = HEAD + "".join(f"    {line}\n" for line in lines) + TAIL
    return bench.configuration(text).destinations["crm"]


def errors_of(bench: Any, *lines: str, step: str = "{to: crm}", beside: str = "") -> list[str]:
    text = HEAD + "".join(f"    {line}\n" for line in lines) + TAIL.replace("{to: crm}", step + beside)
    return list(bench.errors(text))


def test_a_destination_is_signed_by_any_scheme_and_several(webhooks: Any) -> None:
    found = destination(
        webhooks,
        f"signing_secret: {PRIVATE}",
        "format: logto",
        "signing:",
        "  - {scheme: logto, secret: [{secret: old, until: 2027-01-31T00:00:00Z}, new]}",
        '  - {scheme: hmac, secret: s, header: X-Sig, content: "{timestamp}.{body}", prefix: "t={timestamp},v1="}',
    )
    assert [sorted(one.header_names) for one in found.signing] == [["logto-signature-sha-256"], ["x-sig"]]
    assert [secret.value for secret in found.signing[0].secrets] == ["old", "new"]
    assert found.format == "logto"
    assert "old" not in repr(found)


def test_secrets_of_a_signing_come_from_the_provider_and_are_masked(webhooks: Any) -> None:
    webhooks.env["HOOKRT_SECRET_CRM"] = "hush-hush"
    found = webhooks.configuration(HEAD + '    signing: {scheme: github, secret: "${{ secrets.CRM }}"}\n' + TAIL)
    assert found.destinations["crm"].signing[0].secrets[0].value == "hush-hush"
    assert found.secrets.masker.mask("a hush-hush b") == "a *** b"
    written = webhooks.configuration(HEAD + "    signing: {scheme: github, secret: in-the-file}\n" + TAIL)
    assert written.secrets.masker.mask("in-the-file") == "***"


@pytest.mark.parametrize(
    ("written", "error"),
    [
        (
            "{scheme: githb, secret: x}",
            "4:23 `signing.scheme` must be 'standard', 'logto', 'github' or 'hmac' | did you",
        ),
        ("{secret: x}", "4:5 `signing` of destination 'crm' needs `scheme`"),
        ("{scheme: github}", "4:5 `signing` of destination 'crm' needs `secret` | write secret: "),
        ("text", "4:14 `signing` must be a mapping, this is text"),
        (
            "{scheme: hmac, secret: x, headr: X}",
            "4:40 destination 'crm' has no setting 'headr' | did you mean 'header'?",
        ),
        ('{scheme: hmac, secret: x, header: X, content: "{bdy}"}', "4:60 `signing.content`: {bdy} is not known here"),
        ("{scheme: hmac, secret: x, header: Host}", "4:48 `signing.header`: Host is made otherwise"),
        ("[{scheme: logto, secret: x}, {scheme: logto, secret: y}]", "4:14 `signing`: two of them make the header"),
        (f"{{scheme: standard, secret: {PUBLIC}}}", "4:41 `signing.secret`: this is a public key"),
    ],
)
def test_a_bad_signing_is_told_where_it_stands(webhooks: Any, written: str, error: str) -> None:
    found = errors_of(webhooks, f"signing: {written}")
    assert any(one.startswith(error) for one in found), found


def test_a_signature_header_cannot_be_set_by_hand_at_the_destination(webhooks: Any) -> None:
    [error] = errors_of(webhooks, "signing: {scheme: github, secret: x}", "headers: {x-hub-signature-256: evil}")
    assert error.startswith("5:14 `headers`: x-hub-signature-256 cannot be set by hand: it belongs to the signature")
    assert errors_of(webhooks, "headers: {x-hub-signature-256: made elsewhere}") == []


@pytest.mark.parametrize(
    ("lines", "step"),
    [
        (["signing: {scheme: github, secret: x}"], "{to: crm, headers: {X-Hub-Signature-256: evil}}"),
        (["signing: {scheme: github, secret: x}"], '{to: crm, headers: {X-Hub-Signature-256: "${{ event.data.x }}"}}'),
        ([], "{to: crm, headers: {X-Hub-Signature-256: evil}, signing: {scheme: github, secret: x}}"),
        ([], "{to: crm, headers: {X-S: evil}, signing: {scheme: hmac, header: x-s, secret: x}}"),
        ([], "{to: crm, headers: {Logto-Signature-SHA-256: evil}, format: logto}"),
    ],
)
def test_a_signature_header_cannot_be_set_by_hand_at_a_step(webhooks: Any, lines: list[str], step: str) -> None:
    [error] = errors_of(webhooks, *lines, step=step)
    assert "is made by the signature and cannot be set by hand" in error


def test_a_url_takes_the_signature_headers_of_the_entry_of_its_origin(webhooks: Any) -> None:
    text = TAIL.replace("{to: crm}", "{url: https://a.example/x, headers: {X-Hub-Signature-256: evil}}")
    entry = "destinations:\n  https://a.example: {signing: {scheme: github, secret: x}}\n"
    assert "made by the signature" in webhooks.errors(entry + text)[0]


def test_a_format_is_one_of_five_and_goes_without_a_body(webhooks: Any) -> None:
    for name in ("standard", "cloudevents", "cloudevents-binary", "raw", "logto"):
        assert destination(webhooks, f"format: {name}").format == name
        assert errors_of(webhooks, step=f"{{to: crm, format: {name}}}") == []
    [error] = errors_of(webhooks, "format: cloudevent")
    assert error.endswith("did you mean 'cloudevents'?")
    [error] = errors_of(webhooks, step="{to: crm, format: raw, body: x}")
    assert "set one of them" in error


def test_retry_logto_is_three_more_attempts_after_5xx_alone(webhooks: Any) -> None:
    [hook] = webhooks.configuration(HEAD + TAIL + "        retry: logto\n").hooks
    assert hook.steps[0].retry == LOGTO
    assert [delay.total_seconds() for delay in LOGTO.delays] == [0.3, 0.6, 1.2]
    assert (LOGTO.jitter, LOGTO.attempts, LOGTO.only_after) == (0.0, 4, ("5xx",))


def test_a_ceiling_in_defaults_does_not_make_logto_listen_to_retry_after(webhooks: Any) -> None:
    [hook] = webhooks.configuration("defaults: {max_retry_after: 1h}\n" + HEAD + TAIL + "        retry: logto\n").hooks
    assert hook.steps[0].retry.max_retry_after.total_seconds() == 0


def test_a_text_with_brackets_beside_an_expression_is_blamed_itself(webhooks: Any) -> None:
    step = '{to: crm, signing: {scheme: hmac, secret: "${{ secrets.X }}", header: X, content: {timestamp}.{body}}}'
    [error] = errors_of(webhooks, step=step)
    assert error.endswith("a text with brackets wants quotes")


@pytest.mark.parametrize(
    "signing",
    [
        {"scheme": "github", "secret": "x"},
        [{"scheme": "logto", "secret": ["a", {"secret": "b", "until": "2027-01-31T00:00:00Z"}]}],
        {"scheme": "hmac", "secret": "${{ secrets.X }}", "header": "X-Sig", "content": "{body}"},
        {"scheme": "of_a_plugin", "secret": "x", "more": 1},
    ],
)
def test_the_schema_takes_what_is_right(webhooks: Any, signing: object) -> None:
    schema = build_schema(webhooks.registry)
    step = {"webhook": {"url": "https://a.example", "signing": signing, "format": "logto"}, "retry": "logto"}
    document = {"hooks": {"one": {"on": "A", "steps": [step]}}}
    jsonschema.validate(document, schema)
    jsonschema.validate({"destinations": {"crm": {"url": "https://a", "signing": signing}}}, schema)


@pytest.mark.parametrize(
    "signing",
    ["text", {"scheme": "hmac", "secret": "x"}, {"scheme": "github"}, {"scheme": "logto", "secret": "x", "n": 1}],
)
def test_the_schema_refuses_what_is_wrong(webhooks: Any, signing: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {"destinations": {"crm": {"url": "https://a", "signing": signing}}}, build_schema(webhooks.registry)
        )
