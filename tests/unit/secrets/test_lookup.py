from __future__ import annotations

import pytest

from hookrt.errors import SecretMissing
from hookrt.plugin.registry import Registry
from hookrt.secrets.lookup import SecretLookup
from hookrt.secrets.masking import Masker
from hookrt.secrets.providers import EnvironmentSecrets, secret_providers


class Vault:
    def __init__(self, **values: str) -> None:
        self.values = values

    def get(self, name: str) -> str | None:
        return self.values.get(name)


class Broken:
    def get(self, name: str) -> str | None:
        raise RuntimeError("the answer was hunter2-hunter2")

    def names(self) -> list[str]:
        raise RuntimeError("no list")


class Odd:
    def get(self, name: str) -> str | None:
        return 5  # type: ignore[return-value]


def lookup(*providers: object) -> SecretLookup:
    return SecretLookup(providers, Masker())  # type: ignore[arg-type]


def test_a_secret_is_the_variable_with_the_prefix() -> None:
    secrets = EnvironmentSecrets({"HOOKRT_SECRET_KEY": "value", "KEY": "other"})
    assert secrets.get("KEY") == "value"
    assert secrets.get("OTHER") is None


def test_the_prefix_can_be_changed_also_to_none() -> None:
    env = {"APP_KEY": "one", "KEY": "two"}
    assert EnvironmentSecrets(env, "APP_").get("KEY") == "one"
    assert EnvironmentSecrets(env, "").get("KEY") == "two"


def test_an_empty_variable_counts_as_absent() -> None:
    assert EnvironmentSecrets({"HOOKRT_SECRET_KEY": ""}).get("KEY") is None


def test_the_environment_lists_its_names_but_not_without_a_prefix() -> None:
    env = {"HOOKRT_SECRET_A": "1", "HOOKRT_SECRET_": "2", "PATH": "3"}
    assert EnvironmentSecrets(env).names() == {"A"}
    assert EnvironmentSecrets(env, "").names() == frozenset()


def test_providers_are_asked_in_their_order() -> None:
    secrets = lookup(Vault(A="first"), Vault(A="second", B="other"))
    assert (secrets.get("A"), secrets.get("B"), secrets.get("C")) == ("first", "other", None)


def test_what_a_lookup_gives_is_masked_from_then_on() -> None:
    secrets = lookup(Vault(A="a-secret-value"))
    assert secrets.masker.mask("a-secret-value") == "a-secret-value"
    secrets.get("A")
    assert secrets.masker.mask("a-secret-value") == "***"


def test_a_missing_secret_is_named_and_where_to_put_it() -> None:
    with pytest.raises(SecretMissing, match="the secret KEY is not provided: set the variable HOOKRT_SECRET_KEY"):
        lookup(EnvironmentSecrets({})).require("KEY")
    with pytest.raises(SecretMissing, match=r"the secret KEY is not provided$"):
        lookup(Vault()).require("KEY")


def test_a_failing_provider_is_named_without_its_words() -> None:
    with pytest.raises(SecretMissing) as caught:
        lookup(Broken()).get("KEY")
    assert "Broken failed with RuntimeError" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_provider_that_gives_no_text_is_refused() -> None:
    with pytest.raises(SecretMissing, match="Odd gave int"):
        lookup(Odd()).get("KEY")


def test_names_come_from_those_who_can_list_them() -> None:
    assert lookup(EnvironmentSecrets({"HOOKRT_SECRET_A": "1"}), Vault(B="2"), Broken()).names() == {"A"}


def test_the_plugins_providers_are_asked_last() -> None:
    registry = Registry(secret_providers=[Vault(A="plugin", B="plugin")])
    secrets = lookup(*secret_providers({"HOOKRT_SECRET_A": "variable"}, registry))
    assert (secrets.get("A"), secrets.get("B")) == ("variable", "plugin")


def test_values_never_stand_in_a_repr() -> None:
    environment = EnvironmentSecrets({"HOOKRT_SECRET_A": "a-secret-value"})
    secrets = lookup(environment)
    secrets.get("A")
    assert "a-secret-value" not in f"{environment!r} {secrets!r} {secrets.masker!r}"
