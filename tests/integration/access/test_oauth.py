"""OAuth 2 client credentials: a token for all who wait, kept, renewed once, and shown to nobody."""

from __future__ import annotations

import asyncio
import base64

import pytest

from hookrt.egress import tokens
from hookrt.model.access import Access, OAuthClient
from hookrt.plugin import HttpError

SECRET = "s3cret/+ 4711"


class Issuer:
    """Answers token requests: `token-1`, `token-2`, ...; and endpoints that take some of them."""

    def __init__(self, kit, **more) -> None:
        self.kit = kit
        self.more = {"token_type": "Bearer", "expires_in": 3600, **more}
        self.count = 0
        self.valid = {f"Bearer token-{number}" for number in range(1, 100)}

    def token(self, request) -> bytes:
        self.count += 1
        return self.kit.reply(200, {"access_token": f"token-{self.count}", **self.more})

    def endpoint(self, request) -> bytes:
        return self.kit.reply(200 if request.headers.get("authorization") in self.valid else 401)


def access_to(endpoint, issuer, **more) -> Access:
    client = {"token_url": f"{issuer.origin}/token", "client_id": "me", "client_secret": SECRET, **more}
    return Access("crm", endpoint.origin, OAuthClient(**client))


def play(kit, story, issuer=None, token=None):
    """Run the story with a token endpoint, an endpoint, and a way out to both."""
    issuer = issuer or Issuer(kit)

    async def run():
        async with (
            kit.serve(token or issuer.token) as given,
            kit.serve(issuer.endpoint) as endpoint,
            kit.going_out() as egress,
        ):
            return await story(issuer, given, endpoint, egress)

    return asyncio.run(run())


def test_a_token_is_fetched_once_for_concurrent_requests_and_then_kept(kit):
    async def story(issuer, given, endpoint, egress):
        access = access_to(endpoint, given)

        async def send() -> int:
            http = egress.http_for((endpoint.origin,), 30)
            return (await http.send("POST", endpoint.origin, content=b"x", access=access)).status_code

        assert await asyncio.gather(*(send() for _ in range(20))) == [200] * 20
        assert await send() == 200
        assert issuer.count == 1
        assert set(endpoint.authorizations) == {"Bearer token-1"}
        assert egress.tokens == [("crm", "token-1")]

    play(kit, story)


@pytest.mark.parametrize("style", ["basic", "post"])
def test_the_token_request_is_that_of_the_standard(kit, style):
    async def story(issuer, given, endpoint, egress):
        access = access_to(endpoint, given, style=style, scope="a b", audience="https://api")
        await egress.http_for((endpoint.origin,), 30).send("POST", endpoint.origin, access=access)
        [request] = given.requests
        assert request.line == "POST /token HTTP/1.1"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        asked = {"grant_type": "client_credentials", "scope": "a b", "audience": "https://api"}
        if style == "post":
            asked |= {"client_id": "me", "client_secret": SECRET}
            assert "authorization" not in request.headers
        else:
            encoded = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
            assert encoded == "me:s3cret%2F%2B+4711"
        assert request.form == asked

    play(kit, story)


def test_a_401_renews_the_token_once(kit):
    async def story(issuer, given, endpoint, egress):
        access, http = access_to(endpoint, given), egress.http_for((endpoint.origin,), 30)
        await http.send("POST", endpoint.origin, content=b"x", access=access)
        issuer.valid.discard("Bearer token-1")
        assert (await http.send("POST", endpoint.origin, content=b"y", access=access)).status_code == 200
        assert endpoint.authorizations == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
        assert [request.body for request in endpoint.requests] == [b"x", b"y", b"y"]

    play(kit, story)


def test_many_that_get_a_401_at_once_renew_the_token_once(kit):
    async def story(issuer, given, endpoint, egress):
        access = access_to(endpoint, given)
        await egress.http_for((endpoint.origin,), 30).send("POST", endpoint.origin, access=access)
        issuer.valid.discard("Bearer token-1")
        many = (egress.http_for((endpoint.origin,), 30).send("POST", endpoint.origin, access=access) for _ in range(10))
        assert {answer.status_code for answer in await asyncio.gather(*many)} == {200}
        assert issuer.count == 2

    play(kit, story)


def test_an_endpoint_that_takes_no_token_gets_two_and_then_no_more_are_asked_for(kit):
    async def story(issuer, given, endpoint, egress):
        issuer.valid.clear()
        access, http = access_to(endpoint, given), egress.http_for((endpoint.origin,), 30)
        assert (await http.send("POST", endpoint.origin, access=access)).status_code == 401
        assert (len(endpoint.requests), issuer.count) == (2, 2)
        assert (await http.send("POST", endpoint.origin, access=access)).status_code == 401
        assert (len(endpoint.requests), issuer.count) == (3, 2)

    play(kit, story)


def test_a_token_is_used_until_shortly_before_it_expires(kit, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(tokens, "monotonic", lambda: now[0])

    async def story(issuer, given, endpoint, egress):
        access = access_to(endpoint, given)

        async def send() -> None:
            source = egress.http_for((endpoint.origin,), 30)
            await source.send("POST", endpoint.origin, access=access)

        await send()
        now[0] += 3569
        await send()
        assert issuer.count == 1
        now[0] += 2
        await send()
        assert issuer.count == 2

    play(kit, story)


@pytest.mark.parametrize(
    ("written", "lives"), [(None, 270.0), ("600", 570.0), (10, 8.0), (-5, 270.0), ("soon", 270.0), (10**9, 86_370.0)]
)
def test_the_life_of_a_token_is_what_the_endpoint_says_within_reason(kit, monkeypatch, written, lives):
    now = [0.0]
    monkeypatch.setattr(tokens, "monotonic", lambda: now[0])

    async def story(issuer, given, endpoint, egress):
        access = access_to(endpoint, given)
        await egress.http_for((endpoint.origin,), 200_000).send("POST", endpoint.origin, access=access)
        for moment, count in ((lives - 1, 1), (lives + 1, 2)):
            now[0] = moment
            await egress.http_for((endpoint.origin,), 200_000).send("POST", endpoint.origin, access=access)
            assert issuer.count == count

    play(kit, story, Issuer(kit, expires_in=written) if written is not None else Issuer(kit, expires_in=None))


FAILURES = [
    ((401, {"error": "invalid_client", "error_description": SECRET}), "answered 401 (invalid_client)"),
    ((400, {"error": f"no {SECRET}"}), "answered 400"),
    ((500, None), "answered 500"),
    ((302, None), "answered 302"),
    ((200, {"token_type": "Bearer"}), "has no `access_token`"),
    ((200, [SECRET]), "has no `access_token`"),
    ((200, {"access_token": "two words"}), "has no `access_token` that a header can carry"),
    ((200, {"access_token": "a\r\nx: y"}), "has no `access_token` that a header can carry"),
    ((200, {"access_token": "x" * 20_000}), "has no `access_token`"),
    ((200, {"access_token": "a", "token_type": "mac"}), "another type than Bearer"),
]


@pytest.mark.parametrize(("answer", "message"), FAILURES)
def test_a_failed_token_request_is_the_reason_token_and_shows_no_secret(kit, answer, message):
    async def story(issuer, given, endpoint, egress):
        with pytest.raises(HttpError) as raised:
            await egress.http_for((endpoint.origin,), 30).send(
                "POST", endpoint.origin, access=access_to(endpoint, given)
            )
        assert (raised.value.reason, raised.value.permanent) == ("token", False)
        assert message in raised.value.message
        assert "s3cret" not in raised.value.message
        assert endpoint.requests == []

    play(kit, story, token=lambda request: kit.reply(*answer))


def test_a_failed_token_request_is_not_repeated_at_once(kit):
    async def story(issuer, given, endpoint, egress):
        for _ in range(5):
            with pytest.raises(HttpError, match="answered 500"):
                await egress.http_for((endpoint.origin,), 30).send(
                    "POST", endpoint.origin, access=access_to(endpoint, given)
                )
        assert len(given.requests) == 1

    play(kit, story, token=lambda request: kit.reply(500))


def test_a_silent_token_endpoint_takes_no_longer_than_the_attempt(kit):
    async def silence(request) -> bytes:
        await asyncio.Event().wait()
        return b""

    async def story(issuer, given, endpoint, egress):
        with pytest.raises(HttpError) as raised:
            await egress.http_for((endpoint.origin,), 0.2).send(
                "POST", endpoint.origin, access=access_to(endpoint, given)
            )
        assert raised.value.reason == "token"
        assert "did not answer in time" in raised.value.message

    play(kit, story, token=silence)


def test_a_token_endpoint_that_sends_without_end_is_cut_off(kit):
    async def story(issuer, given, endpoint, egress):
        with pytest.raises(HttpError, match="more than 1048576 bytes") as raised:
            await egress.http_for((endpoint.origin,), 30).send(
                "POST", endpoint.origin, access=access_to(endpoint, given)
            )
        assert raised.value.reason == "token"

    play(kit, story, token=lambda request: kit.reply(200, {"access_token": "x" * 2_000_000}))


def test_the_token_endpoint_passes_the_same_guard(kit):
    async def run():
        async with kit.serve() as endpoint, kit.serve() as inner:
            names = {"login.example.com": ["127.0.0.1"]}
            async with kit.going_out(names) as egress:
                client = OAuthClient(f"http://login.example.com:{inner.port}/token", "me", SECRET)
                with pytest.raises(HttpError) as raised:
                    await egress.http_for((endpoint.origin,), 30).send(
                        "POST", endpoint.origin, access=Access("crm", endpoint.origin, client)
                    )
                assert raised.value.reason == "token"
                assert "login.example.com is at 127.0.0.1" in raised.value.message
                assert inner.connections == endpoint.connections == 0

    asyncio.run(run())


def test_a_redirect_of_the_token_endpoint_is_not_followed(kit):
    async def run():
        async with kit.serve() as endpoint, kit.serve() as elsewhere:
            away = kit.reply(307, None, f"location: {elsewhere.origin}/")
            async with kit.serve(lambda request: away) as given, kit.going_out() as egress:
                with pytest.raises(HttpError, match="answered 307"):
                    await egress.http_for((endpoint.origin,), 30).send(
                        "POST", endpoint.origin, access=access_to(endpoint, given)
                    )
                assert elsewhere.connections == 0

    asyncio.run(run())


def test_the_token_goes_to_the_own_origin_only(kit):
    async def story(issuer, given, endpoint, egress):
        async with kit.serve() as other:
            with pytest.raises(HttpError) as raised:
                await egress.http_for((endpoint.origin, other.origin), 30).send(
                    "POST", other.origin, access=access_to(endpoint, given)
                )
            assert raised.value.reason == "bad-request"
            assert (other.connections, given.connections) == (0, 0)

    play(kit, story)


def test_the_record_of_the_request_hides_the_token_and_so_does_a_rehearsal(kit):
    async def story(issuer, given, endpoint, egress):
        access, http = access_to(endpoint, given), egress.http_for((endpoint.origin,), 30)
        await http.send("POST", endpoint.origin, access=access)
        assert http.exchange.request_headers["authorization"] == "***"
        assert http.exchange.url == endpoint.origin + "/"
        unsent = egress.unsent_for((endpoint.origin,), 30)
        with pytest.raises(HttpError, match="rehearsal"):
            await unsent.send("POST", endpoint.origin, access=access)
        assert unsent.exchange.request_headers["authorization"] == "***"
        assert (len(endpoint.requests), issuer.count) == (1, 1)

    play(kit, story)


def test_an_authorization_by_hand_beside_the_token_is_refused(kit):
    async def story(issuer, given, endpoint, egress):
        with pytest.raises(HttpError) as raised:
            await egress.http_for((endpoint.origin,), 30).send(
                "POST", endpoint.origin, headers={"Authorization": "x"}, access=access_to(endpoint, given)
            )
        assert raised.value.reason == "bad-request"

    play(kit, story)


def test_nothing_shows_the_secret(kit):
    access = Access("crm", "https://crm.example.com", OAuthClient("https://login", "me", SECRET))
    assert SECRET not in repr(access)
