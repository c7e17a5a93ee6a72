"""The signature scheme: what a plugin implements so that requests can be signed in another way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from hookrt.errors import PluginError
from hookrt.model.hook import SigningSecret
from hookrt.plugin.blame import FAULTS
from hookrt.plugin.rotating_secrets import RotatingSecrets
from hookrt.plugin.settings import Settings, take_model


@dataclass(frozen=True, slots=True)
class ToSign:
    """One attempt of one request: its message id, its time, its body as it is sent."""

    message_id: str
    started: datetime
    body: bytes = field(repr=False)

    @property
    def timestamp(self) -> int:
        """The time in Unix seconds."""
        return int(self.started.timestamp())


class SchemeSettings(Settings):
    """The base of the settings of a scheme: one entry of `signing:`. Declare `scheme` anew, as a Literal."""

    scheme: str = Field(description="The name of the signature scheme")
    secret: RotatingSecrets = Field(
        repr=False,
        description="What it signs with: one secret, or a list during a rotation, each with an end `{secret, until}`",
    )


SchemeSettingsT = TypeVar("SchemeSettingsT", bound=SchemeSettings)


class SignatureScheme(Generic[SchemeSettingsT]):
    """The base of every signature scheme: give it a `name`, a settings model, the names of its headers, and `sign`.

    One instance serves all requests. It must not block, and must not keep secrets.
    """

    name: ClassVar[str]
    """What `scheme:` says: lower case letters, digits, `_`."""

    settings: ClassVar[type[SchemeSettings]] = SchemeSettings
    """The settings model; taken from `SignatureScheme[Model]`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Find the settings model in the type parameter."""
        super().__init_subclass__(**kwargs)
        take_model(cls, SchemeSettings)

    def header_names(self, settings: SchemeSettingsT) -> Collection[str]:
        """The headers that it makes with these settings; nobody can set them by hand then."""
        raise NotImplementedError

    def sign(self, settings: SchemeSettingsT, secrets: Sequence[str], request: ToSign) -> Mapping[str, str]:
        """The headers for this attempt, all of them among `header_names`.

        `secrets` are those that are valid now, one at least, in the order in which they are written. A scheme that has
        room for one signature takes the first.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Signing:
    """A scheme with its settings: one entry of `signing:`."""

    scheme: SignatureScheme[Any] = field(compare=False)  # the settings say which
    settings: SchemeSettings = field(repr=False)
    header_names: frozenset[str]

    @classmethod
    def of(cls, scheme: type[SignatureScheme[Any]], settings: SchemeSettings) -> Signing:
        """The signing with these settings."""
        made = scheme()
        return cls(made, settings, frozenset(name.lower() for name in made.header_names(settings)))

    @property
    def secrets(self) -> tuple[SigningSecret, ...]:
        """The secrets, which are never to be shown."""
        return self.settings.secret

    def sign(self, message_id: str, started: datetime, body: bytes) -> Mapping[str, str]:
        """The headers for one attempt, names in lower case; none when no secret is valid any more.

        Raises PluginError when the scheme fails, or makes a header that it has not declared.
        """
        valid = [one.value for one in self.secrets if one.until is None or one.until > started]
        if not valid:
            return {}
        try:
            made = self.scheme.sign(self.settings, valid, ToSign(message_id, started, body))
            headers = {name.lower(): str(value) for name, value in made.items()}
        except FAULTS as error:  # its text may hold the secret
            raise PluginError(f"the signature scheme {self.scheme.name!r} failed: {type(error).__name__}") from None
        if not headers.keys() <= self.header_names:
            raise PluginError(f"the signature scheme {self.scheme.name!r} made a header that it has not declared")
        return headers
