"""What ends a run from outside the snippet, and what it is told when it reaches for something that it does not have."""

from __future__ import annotations


class StopRun(BaseException):
    """Ends a run; no `except Exception` of a snippet catches it, and where a `finally` does, a flag remembers."""

    kind = "error"


class DeadlineReached(StopRun):
    """The run has used up its time."""

    kind = "timeout"


class OutputExceeded(StopRun):
    """The run has printed more than it may."""

    kind = "output_limited"


class BadResultError(Exception):
    """What the snippet returned is no plain JSON value, or too big a one; the text says where."""


class DeniedError(Exception):
    """The snippet used something that is not offered to snippets."""


class DeniedAttributeError(DeniedError, AttributeError):
    """An attribute that is not offered; an AttributeError for the snippet, so that `hasattr` says no."""


class DeniedImportError(DeniedError, ImportError):
    """A module or a name of it that is not offered; an ImportError for the snippet, so that it may fall back."""
