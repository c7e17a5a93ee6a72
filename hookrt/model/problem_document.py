"""Errors as RFC 9457 problem documents: what each of hookrt's errors answers over HTTP."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import msgspec

from hookrt.errors import (
    EventConflict,
    EventError,
    EventTooLarge,
    ExpressionError,
    HookrtError,
    NotFound,
    Overloaded,
    StoreError,
    StoreFull,
    UsageError,
)

CONTENT_TYPE = "application/problem+json"
"""The media type of a problem document."""

_PLACES = ("position", "line", "column", "index")
_STORE_RETRY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """What a failed request is answered with.

    `kind` is the last part of `type`, for programs; `detail` is a sentence for people. `more` are further members,
    `headers` go with the answer.
    """

    status: int
    kind: str
    detail: str
    more: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The document as JSON."""
        shown = {
            "type": f"urn:hookrt:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        return msgspec.json.encode({**shown, **self.more})


_KINDS: tuple[tuple[type[HookrtError], int, str], ...] = (
    (EventTooLarge, 413, "event-too-large"),
    (EventConflict, 409, "event-conflict"),
    (EventError, 400, "event-invalid"),
    (Overloaded, 503, "overloaded"),
    (StoreFull, 503, "store-full"),
    (NotFound, 404, "not-found"),
    (StoreError, 503, "store-unavailable"),
    (ExpressionError, 400, "expression-invalid"),
    (UsageError, 409, "not-possible"),
)


def describe_error(error: HookrtError) -> ProblemDocument:
    """The document of an error that hookrt raises on purpose."""
    status, name = next(((code, name) for kind, code, name in _KINDS if isinstance(error, kind)), (500, "failed"))
    headers = _retry_after(error) if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return ProblemDocument(status, name, str(error), _places(error), headers)


def _places(error: HookrtError) -> dict[str, int]:
    found = {name: getattr(error, name, None) for name in _PLACES}
    return {name: value for name, value in found.items() if isinstance(value, int)}


def _retry_after(error: HookrtError) -> dict[str, str]:
    wait = error.retry_after if isinstance(error, Overloaded) else _STORE_RETRY
    return {"retry-after": str(max(1, math.ceil(wait.total_seconds())))}


def unexpected(error_id: str) -> ProblemDocument:
    """The document of a fault in hookrt itself: nothing but the id under which it is logged."""
    return ProblemDocument(
        500, "internal", f"hookrt failed to answer; its log tells more under error {error_id}", {"error_id": error_id}
    )
