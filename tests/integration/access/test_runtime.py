"""From hooks.yaml to the endpoint: what goes out, what is kept of it, and what a reload changes."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookrt import Runtime
from hookrt.errors import ConfigError

PASSWORD = "hunter2-hunter2"
HOOK = "hooks:\n  one:\n    on: '**'\n    retry: none\n    steps:\n      - %s\n"


def write(folder: Path, destination: str, step: str = "webhook: {to: crm}") -> Path:
    file = folder / "hooks.yaml"
    file.write_text(f"destinations:\n  crm: {destination}\n" + HOOK % step.replace("\n", "\n      "))
    return file


def runtime_of(file: Path) -> Runtime:
    return Runtime.from_file(file, store="memory:", env={"HOOKRT_SECRET_PW": PASSWORD})


async def deliver(runtime: Runtime, data: Any = None) -> tuple[Any, Any]:
    """One event: its delivery, and the latest attempt."""
    receipt = await runtime.emit("A.B", data)
    [delivery] = await receipt.wait(timeout=20)
    return delivery, (await runtime.store.attempts(delivery.id))[-1]


def test_basic_and_bearer_go_along_and_are_not_kept(kit, tmp_path):
    async def run():
        def echo(request) -> bytes:
            return kit.reply(200, {"you said": request.headers["authorization"]})

        encoded = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
        for auth, sent in (
            ("{basic: {user: me, password: '${{ secrets.PW }}'}}", f"Basic {encoded}"),
            ("{bearer: '${{ secrets.PW }}'}", f"Bearer {PASSWORD}"),
        ):
            async with (
                kit.serve(echo) as endpoint,
                runtime_of(write(tmp_path, f"{{url: '{endpoint.origin}', auth: {auth}}}")) as runtime,
            ):
                delivery, attempt = await deliver(runtime)
                assert delivery.status == "succeeded"
                assert endpoint.authorizations == [sent]
                kept = str(msgspec.to_builtins(attempt.exchange))
                assert attempt.exchange.request_headers["authorization"] == "***"
                assert "you said" in kept
                assert PASSWORD not in kept
                assert encoded not in kept

    asyncio.run(run())


def test_a_token_that_the_endpoint_echoes_is_masked_in_the_record_and_the_log(kit, tmp_path):
    async def run():
        given = {"access_token": "t0ken-from-login", "expires_in": 60}

        def echo(request) -> bytes:
            return kit.reply(200, {"you said": request.headers["authorization"]})

        async with kit.serve(echo) as endpoint, kit.serve(lambda request: kit.reply(200, given)) as issuer:
            oauth = f"{{token_url: '{issuer.origin}/t', client_id: me, client_secret: '${{{{ secrets.PW }}}}'}}"
            step = "webhook: {to: crm}\n- log: '${{ steps.webhook.output }}'"
            file = write(tmp_path, f"{{url: '{endpoint.origin}', auth: {{oauth2: {oauth}}}}}", step)
            async with runtime_of(file) as runtime:
                receipt = await runtime.emit("A.B")
                [delivery] = await receipt.wait(timeout=20)
                attempts = await runtime.store.attempts(delivery.id)
                assert delivery.status == "succeeded"
                assert endpoint.authorizations == ["Bearer t0ken-from-login"]
                kept = str([msgspec.to_builtins(one) for one in attempts])
                assert kept.count("you said") == 2  # the answer, and the line of the log
                assert "t0ken" not in kept
                assert runtime.mask("t0ken-from-login") == "***"

    asyncio.run(run())


def test_an_endpoint_without_its_token_is_a_retry_named_token(kit, tmp_path):
    async def run():
        async with kit.serve() as endpoint, kit.serve(lambda request: kit.reply(401)) as issuer:
            oauth = f"{{token_url: '{issuer.origin}/t', client_id: me, client_secret: '${{{{ secrets.PW }}}}'}}"
            async with runtime_of(write(tmp_path, f"{{url: '{endpoint.origin}', auth: {{oauth2: {oauth}}}}}")) as one:
                delivery, attempt = await deliver(one)
                assert (delivery.status, attempt.outcome, attempt.reason) == ("dead", "retry", "token")
                assert attempt.message == "no OAuth 2 token: the token endpoint answered 401"
                assert endpoint.requests == []
                assert one.breakers.get("crm") == "closed"

    asyncio.run(run())


def test_a_changed_certificate_is_taken_up_by_a_reload_and_a_broken_one_is_not(kit, authority, tmp_path):
    async def run():
        authority.issue("hookrt")
        async with kit.serve(tls=authority.context("127.0.0.1", clients=True)) as endpoint:
            tls = "{certificate: hookrt.crt, key: hookrt.key, ca: authority.pem}"
            file = write(tmp_path, f"{{url: '{endpoint.origin}', tls: {tls}}}")
            async with runtime_of(file) as runtime:
                assert (await deliver(runtime))[0].status == "succeeded"
                for kind in ("crt", "key"):
                    (tmp_path / f"renewed.{kind}").unlink(missing_ok=True)
                renewed = authority.issue("renewed")
                (tmp_path / "hookrt.crt").write_bytes(renewed[0].read_bytes())
                report = await runtime.reload()
                assert not report.accepted
                assert "does not belong to the certificate" in report.problems[0].message
                assert (await deliver(runtime))[0].status == "succeeded"
                (tmp_path / "hookrt.key").write_bytes(renewed[1].read_bytes())
                report = await runtime.reload()
                assert report.accepted
                assert report.destinations.changed == ("crm",)
                assert (await deliver(runtime))[0].status == "succeeded"
                assert [request.peer for request in endpoint.requests] == ["hookrt", "hookrt", "renewed"]

    asyncio.run(run())


def test_a_destination_goes_by_its_proxy(kit, tmp_path):
    async def run():
        async with kit.serve() as endpoint, kit.proxying("me:" + PASSWORD) as proxy:
            url = proxy.origin.replace("//", "//me:${{ secrets.PW }}@")
            async with runtime_of(write(tmp_path, f"{{url: '{endpoint.origin}', proxy: '{url}'}}")) as runtime:
                delivery, attempt = await deliver(runtime)
                assert delivery.status == "succeeded"
                assert proxy.asked == [f"POST {endpoint.origin}/ HTTP/1.1"]
                assert PASSWORD not in str(msgspec.to_builtins(attempt))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        ("X-A: '${{ event.data }}'", "a\r\nwebhook-signature: v1,forged"),
        ("X-A: '${{ event.data }}'", "a\nb"),
        ("X-A: '${{ event.data }}'", "a\x00b"),
    ],
)
def test_a_header_that_breaks_its_line_once_it_is_rendered_is_a_reject(kit, tmp_path, headers, data):
    async def run():
        async with kit.serve() as endpoint:
            step = f"webhook: {{to: crm, headers: {{{headers}}}}}"
            async with runtime_of(write(tmp_path, f"{{url: '{endpoint.origin}'}}", step)) as runtime:
                delivery, attempt = await deliver(runtime, data)
                assert (delivery.status, attempt.outcome) == ("dead", "reject")
                assert "forged" not in attempt.message
                assert endpoint.connections == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    [
        "http://user:pw@example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "http://example.com/\r\nx: y",
        "http://exa\tmple.com/",
        "//example.com",
        "",
    ],
)
def test_a_url_that_turns_out_bad_once_it_is_rendered_is_a_reject(kit, tmp_path, url):
    async def run():
        file = write(tmp_path, "{url: https://crm.example.com}", "webhook: {url: '${{ event.data }}'}")
        async with runtime_of(file) as runtime:
            delivery, attempt = await deliver(runtime, url)
            assert (delivery.status, attempt.outcome) == ("dead", "reject")
            assert "pw" not in (attempt.message or "")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("step", "sent"),
    [
        ("webhook: '${{ event.data }}'", False),
        ("webhook: 'ORIGIN${{ event.data.substring(ORIGIN_LENGTH) }}'", False),
        ("webhook: 'ORIGIN/${{ event.data.substring(ORIGIN_LENGTH) }}'", True),
    ],
)
def test_a_url_that_an_event_chose_does_not_get_the_credentials_of_its_origin(kit, tmp_path, step, sent):
    async def run():
        async with kit.serve() as endpoint:
            step_here = step.replace("ORIGIN_LENGTH", str(len(endpoint.origin))).replace("ORIGIN", endpoint.origin)
            file = write(tmp_path, "{url: https://crm.example.com}", step_here)
            text = file.read_text().replace(
                "  crm: {url: https://crm.example.com}", "  ORIGIN: {auth: {bearer: abcdef}}"
            )
            allow = "service: {egress: {allow: [private]}}\n"
            file.write_text(allow + text.replace("ORIGIN", endpoint.origin))
            async with runtime_of(file) as runtime:
                _, attempt = await deliver(runtime, endpoint.origin + "/x")
                if sent:
                    assert endpoint.authorizations == ["Bearer abcdef"], attempt
                else:
                    assert (attempt.outcome, endpoint.requests) == ("reject", [])
                    assert "does not get the credentials" in attempt.message

    asyncio.run(run())


@pytest.mark.parametrize("name", ["Proxy-Authorization", "WEBHOOK-SIGNATURE", "webhook-x", "Host", "Trailer"])
def test_a_header_that_a_step_cannot_set_is_an_error_when_it_is_read(tmp_path, name):
    file = write(tmp_path, "{url: https://crm.example.com}", f"webhook: {{to: crm, headers: {{{name}: a}}}}")
    with pytest.raises(ConfigError) as raised:
        runtime_of(file)
    assert "cannot be set by hand" in str(raised.value)
