"""The attempt: one try of one step, and what was exchanged with the world in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_RECORDED_BODY = 16 * 1024
"""Bytes of a request's or a response's body that are kept in the record."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response as they are kept: secrets masked, bodies cut at MAX_RECORDED_BODY.

    Without an answer `status` is None.
    """

    method: str
    url: str
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request_body: str | None = None
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one step, as it is kept. Times are microseconds since the epoch, `duration_us` microseconds.

    `number` counts the attempts of the whole delivery from 1, `outcome` is an OutcomeKind's value.
    """

    number: int
    step: str
    started_us: int
    duration_us: int
    outcome: str
    reason: str | None = None
    message: str | None = None
    logs: tuple[str, ...] = ()
    exchange: Exchange | None = None
