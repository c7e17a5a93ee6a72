"""What ends a run from outside the snippet, and what it is told when it reaches for something that it does not have."""

from __future__ import annotations

from typing import Any

ADD_TO = "to this step"
"""How a refusal ends that names a line of YAML; the service knows where the step stands, and says it behind."""


class StopRun(BaseException):
    """Ends a run; no `except Exception` of a snippet catches it, and where a `finally` does, a flag remembers."""

    kind = "error"


class DeadlineReached(StopRun):
    """The run has used up its time."""

    kind = "timeout"


class OutputExceeded(StopRun):
    """The run has printed more than it may."""

    kind = "output_limited"


class CallFailedError(Exception):
    """A call to the service did not work out; `name` says what kind of failure it is, `fields` tell more."""

    def __init__(self, name: str, message: str, fields: dict[str, Any]) -> None:
        super().__init__(message)
        self.name = name
        self.fields = fields


class CapabilityError(Exception):
    """A failure of something that is granted, as a snippet catches it; `reason` says why in a word.

    A snippet may raise one itself, with whatever it likes.
    """

    def __init__(self, message: str = "", fields: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.fields = fields if type(fields) is dict else {}

    @property
    def reason(self) -> str:
        """Why, in a word."""
        reason = self.fields.get("reason")
        return reason if type(reason) is str else ""

    @property
    def message(self) -> str:
        """What happened."""
        return str(self)


class BadResultError(Exception):
    """What the snippet returned is no plain JSON value, or too big a one; the text says where."""


class DeniedError(Exception):
    """The snippet used something that is not offered to snippets."""


class DeniedAttributeError(DeniedError, AttributeError):
    """An attribute that is not offered; an AttributeError for the snippet, so that `hasattr` says no."""


class DeniedImportError(DeniedError, ImportError):
    """A module or a name of it that is not offered; an ImportError for the snippet, so that it may fall back."""
