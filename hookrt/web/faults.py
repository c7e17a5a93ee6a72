"""Faults of hookrt itself: logged under an id, shown to nobody."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from hookrt.errors import HookrtError
from hookrt.plugin.protocols import Log
from hookrt.web.problem import ProblemDocument, Refusal, describe_error, unexpected

_FRAMES = 6


@dataclass(frozen=True, slots=True)
class Faults:
    """Turns whatever a request raised into the document that it is answered with.

    `mask` hides secrets in texts, since the message of an unforeseen error may hold anything.
    """

    log: Log
    mask: Callable[[str], str] = str

    def describe(self, error: BaseException) -> ProblemDocument:
        """The answer to this error; one that nobody foresaw is logged under an id, with the places it went through."""
        if isinstance(error, Refusal):
            return error.document
        if isinstance(error, HookrtError):
            return describe_error(error)
        error_id = "err_" + secrets.token_hex(6)
        self.log.error(
            "request-failed",
            error_id=error_id,
            error=type(error).__name__,
            message=self.mask(str(error))[:500],
            places=_places(error),
        )
        return unexpected(error_id)


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
