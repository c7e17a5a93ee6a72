"""The demo's stage: nothing leaves the machine, and signatures can be verified."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from hookrt.cli.demo.stage import InventedSecrets, set_stage, signing_secrets
from hookrt.config.configuration import Configuration
from hookrt.config.service import ServiceSettings, Token
from hookrt.model.hook import Destination, SigningSecret
from hookrt.secrets.lookup import SecretLookup
from hookrt.secrets.masking import Masker
from hookrt.secrets.providers import EnvironmentSecrets
from hookrt.signing import SigningKey, new_secret

RECEIVER = "http://localhost:4666"


def _configuration(*destinations: Destination, env: dict[str, str] | None = None) -> Configuration:
    token = Token.model_validate_json('{"token": "tok", "scopes": ["admin"]}')
    return Configuration(
        hooks=(),
        destinations={destination.name: destination for destination in destinations},
        sources=(),
        service=ServiceSettings(host="0.0.0.0", port=80, tokens=(token,)),
        base_dir=Path(),
        files=(),
        secrets=SecretLookup([EnvironmentSecrets(env or {})], Masker()),
    )


def test_a_destination_elsewhere_is_pointed_to_the_receiver_its_path_kept() -> None:
    stage = set_stage(_configuration(Destination("crm", "https://crm.example.com/api/")), RECEIVER, 0)
    assert stage.configuration.destinations["crm"].url == "http://localhost:4666/api"
    assert stage.redirected == ("crm",)


def test_a_destination_on_the_receiver_stays_as_it_is() -> None:
    there = (Destination("a", "http://localhost:4666/x"), Destination("b", "http://127.0.0.1:4666"), Destination("c"))
    stage = set_stage(_configuration(*there), RECEIVER, 0)
    assert tuple(stage.configuration.destinations.values()) == there
    assert stage.redirected == ()


def test_another_port_of_this_machine_is_not_the_receiver() -> None:
    stage = set_stage(_configuration(Destination("a", "http://localhost:5432")), RECEIVER, 0)
    assert stage.redirected == ("a",)


def test_every_address_but_loopback_is_denied() -> None:
    denied = [
        ipaddress.ip_network(text)
        for text in set_stage(_configuration(), RECEIVER, 0).configuration.service.egress.deny
    ]

    def is_denied(text: str) -> bool:
        address = ipaddress.ip_address(text)
        return any(address in network for network in denied if network.version == address.version)

    assert all(
        map(is_denied, ["1.1.1.1", "10.0.0.1", "169.254.169.254", "126.255.255.255", "128.0.0.0", "2001:db8::1", "::2"])
    )
    assert not any(map(is_denied, ["127.0.0.1", "127.255.255.255", "::1"]))


def test_the_service_listens_on_loopback_without_tokens() -> None:
    service = set_stage(_configuration(), RECEIVER, 4665).configuration.service
    assert (service.host, service.port, service.tokens) == ("127.0.0.1", 4665, ())


def test_an_invented_secret_is_the_same_each_time_and_can_sign() -> None:
    secrets = InventedSecrets()
    assert secrets.get("A") == secrets.get("A") != secrets.get("B")
    SigningKey.parse(secrets.get("A"))
    assert list(secrets.made) == ["A", "B"]


def test_the_receiver_knows_every_secret_that_can_sign() -> None:
    written, given, invented = new_secret(), new_secret(), new_secret()
    configuration = _configuration(
        Destination("crm", RECEIVER, signing_secrets=(SigningSecret(written),)),
        env={"HOOKRT_SECRET_OTHER": given, "HOOKRT_SECRET_PASSWORD": "hunter2"},
    )
    assert signing_secrets(configuration, {"X": invented}) == [written, invented, given]
