"""What a test expects of a request: found among those that came, or said of each why it is not the one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from hookrt.signing import VerificationError, VerifiedScheme

if TYPE_CHECKING:
    from hookrt.testing.exchange import ReceivedRequest

MOST_SHOWN = 10
"""Requests of which an AssertionError says why they are not what was expected."""


class Expected(TypedDict, total=False):
    """What a request is expected to be; what is left out may be anything.

    `headers` and `query` are those that must be there, beside any others. `signed_with` is a secret, or several of
    which one suffices; the signature is checked by `scheme`, at `now`.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any
    body: bytes
    signed_with: Sequence[str] | str
    scheme: VerifiedScheme
    now: datetime


def find_request(requests: Sequence[ReceivedRequest], expected: Expected) -> ReceivedRequest:
    """The first of the requests that is as expected; raises AssertionError that says what the others have instead."""
    complaints = []
    for number, request in enumerate(requests, 1):
        found = list(_differences(request, expected))
        if not found:
            return request
        complaints.append(f"  {number}. {request.method} {request.path}: {'; '.join(found)}")
    if not complaints:
        raise AssertionError("no request has come")
    more = [f"  and {len(complaints) - MOST_SHOWN} more"] if len(complaints) > MOST_SHOWN else []
    raise AssertionError("\n".join(["no request is as expected:", *complaints[:MOST_SHOWN], *more]))


def _differences(request: ReceivedRequest, expected: Expected) -> Iterator[str]:
    for name in ("method", "path", "body"):
        if name in expected and getattr(request, name) != expected[name]:
            yield f"its {name} is {getattr(request, name)!r}, not {expected[name]!r}"
    lower = {name.lower(): value for name, value in expected.get("headers", {}).items()}
    for kind, has, wanted in (("header", request.headers, lower), ("query", request.query, expected.get("query", {}))):
        for name, value in wanted.items():
            if has.get(name) != value:
                yield f"its {kind} {name} is {has.get(name)!r}, not {value!r}"
    if "json" in expected:
        yield from _json_differences(request, expected["json"])
    if "signed_with" in expected:
        yield from _signature_faults(request, expected)


def _json_differences(request: ReceivedRequest, wanted: Any) -> Iterator[str]:
    try:
        has = request.json
    except ValueError:
        yield f"its body is no JSON: {request.body[:100]!r}"
        return
    if has != wanted:
        yield f"its JSON is {has!r}, not {wanted!r}"


def _signature_faults(request: ReceivedRequest, expected: Expected) -> Iterator[str]:
    try:
        request.verify(expected["signed_with"], expected.get("now"), expected.get("scheme", "standard"))
    except VerificationError as error:
        yield f"its signature does not hold ({error.reason}): {error}"
