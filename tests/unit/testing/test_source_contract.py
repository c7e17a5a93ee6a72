"""The contract class passes for a sound source, and names what is wrong with others."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import ClassVar

import pytest

from hookrt.plugin import InboundSettings, InboundSource, Received, Refused, hmac_digests, matches_any
from hookrt.testing import SourceContract, inbound


class AcmeSettings(InboundSettings):
    """Of a sender that signs its body."""


class Acme(InboundSource[AcmeSettings]):
    """Webhooks of Acme."""

    name = "acme"

    def receive(self, request, settings):
        given = request.require("x-acme")
        if not matches_any(given, (one.hex() for one in hmac_digests("sha256", settings.plain_secrets, request.body))):
            raise Refused("bad-signature", "x-acme does not match")
        return Received("acme.event", request.data())


class AcmeContract(SourceContract):
    source = Acme
    valid_settings: ClassVar = {"secret": "a secret of acme"}
    invalid_settings = ({},)
    body = b'{"n":1}'

    def make_request(self, settings, body, sent):
        signature = hmac.new(settings["secret"].encode(), body, hashlib.sha256).hexdigest()
        return inbound(body, {"x-acme": signature, "content-type": "application/json"})


class TestAcme(AcmeContract):
    pass


def contract_of(**changes):
    made = type("Changed", (Acme,), {"__doc__": "Changed.", **changes})
    return type("Contract", (AcmeContract,), {"source": made})()


def takes_all(self, request, settings):
    return Received("acme.event", request.data(), id="same")


def tells_what_was_expected(self, request, settings):
    [expected] = hmac_digests("sha256", settings.plain_secrets, request.body)
    if request.headers.get("x-acme") != expected.hex():
        raise Refused("bad-signature", f"expected {expected.hex()}")
    return Received("acme.event", request.data())


def knows_one_secret(self, request, settings):
    if not matches_any(
        request.require("x-acme"), [hmac_digests("sha256", settings.plain_secrets[:1], request.body)[0].hex()]
    ):
        raise Refused("bad-signature", "x-acme does not match")
    return Received("acme.event", request.data())


def falls_over(self, request, settings):
    return Received(request.json()["type"], request.data())


@pytest.mark.parametrize(
    ("receive", "tests"),
    [
        (takes_all, ["test_another_secret_is_refused", "test_a_changed_body_is_refused"]),
        (takes_all, ["test_a_request_without_its_headers_is_refused"]),
        (tells_what_was_expected, ["test_a_refusal_tells_no_secret"]),
        (knows_one_secret, ["test_either_of_two_secrets_verifies"]),
        (falls_over, ["test_hostile_bodies_are_taken_or_refused"]),
    ],
)
def test_a_source_that_is_unsound_fails_the_test_that_says_so(receive, tests):
    contract = contract_of(receive=receive)
    for name in tests:
        with pytest.raises((AssertionError, Refused, KeyError, TypeError)):
            getattr(contract, name)()


def test_types_that_are_not_its_own_are_found():
    contract = contract_of(types=lambda self, settings: ["acme.other"])
    with pytest.raises(AssertionError, match="none of its types"):
        contract.test_it_publishes_the_types_that_it_sends()


def test_an_old_request_has_to_be_refused_where_a_tolerance_is_given():
    contract = contract_of()
    type(contract).tolerance = timedelta(minutes=5)
    with pytest.raises(AssertionError, match="it is taken"):
        contract.test_an_old_request_and_one_from_the_future_are_refused()


def test_a_request_is_built_without_a_word_about_what_does_not_matter():
    request = inbound({"a": 1}, {"X-Y": "shown"}, url="https://e.example/in/a?b=c&b=d")
    assert (request.method, request.body, request.headers, request.query) == (
        "POST",
        b'{"a":1}',
        {"x-y": "shown"},
        {"b": "c"},
    )
    assert request.json() == {"a": 1}
    assert "shown" not in repr(request)
