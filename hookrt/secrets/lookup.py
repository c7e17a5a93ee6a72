"""Asking for a secret: the providers in their order, and the masker that remembers what they answered."""

from __future__ import annotations

from collections.abc import Sequence

from hookrt.errors import SecretMissing
from hookrt.plugin.protocols import Secrets
from hookrt.secrets.masking import Masker
from hookrt.secrets.providers import DirectorySecrets, EnvironmentSecrets


class SecretLookup:
    """The secrets of one runtime. It keeps no value itself; providers that are slow to ask must remember.

    Every value that it gives is known to `masker` before anybody sees it.
    """

    def __init__(self, providers: Sequence[Secrets], masker: Masker) -> None:
        self._providers = tuple(providers)
        self.masker = masker

    def get(self, name: str) -> str | None:
        """The first answer that a provider has, None where none has one.

        Raises SecretMissing when a provider fails, without the words of its error: they may hold the secret.
        """
        for provider in self._providers:
            value = _ask(provider, name)
            if value is not None:
                self.masker.add(value)
                return value
        return None

    def require(self, name: str) -> str:
        """The secret's value; raises SecretMissing naming it, and saying where to put it."""
        value = self.get(name)
        if value is None:
            raise SecretMissing(f"the secret {name} is not provided{self._where(name)}")
        return value

    def names(self) -> frozenset[str]:
        """All names that the providers can list, for did-you-mean; a provider need not be able to."""
        found: set[str] = set()
        for provider in self._providers:
            found.update(_names_of(provider))
        return frozenset(found)

    def where(self, name: str) -> str | None:
        """Where somebody would put this secret: `set the variable ... or write the file ...`; None if unknown."""
        known = (EnvironmentSecrets, DirectorySecrets)
        return " or ".join(one.where(name) for one in self._providers if isinstance(one, known)) or None

    def _where(self, name: str) -> str:
        places = self.where(name)
        return f": set {places}" if places else ""

    def __repr__(self) -> str:
        return f"SecretLookup({len(self._providers)} providers)"


def _names_of(provider: Secrets) -> frozenset[str]:
    """The names that a provider lists; it need not list any, and a failure to do so costs only a suggestion."""
    lister = getattr(provider, "names", None)
    try:
        return frozenset(str(name) for name in lister()) if lister else frozenset()
    except Exception:
        return frozenset()


def _ask(provider: Secrets, name: str) -> str | None:
    try:
        value = provider.get(name)
    except SecretMissing:
        raise
    except Exception as error:
        raise SecretMissing(
            f"the secret {name} could not be asked for: {type(provider).__name__} failed with {type(error).__name__}"
        ) from None
    if value is not None and not isinstance(value, str):
        raise SecretMissing(f"the secret {name} is no text: {type(provider).__name__} gave {type(value).__name__}")
    return value
