"""Errors are RFC 9457 problem documents, and none shows more than it should."""

import json
from datetime import timedelta

import pytest

from hookrt.errors import (
    EventConflict,
    EventError,
    EventTooLarge,
    HookrtError,
    NotFound,
    Overloaded,
    StoreError,
    StoreFull,
    UsageError,
)
from hookrt.web.faults import Faults
from hookrt.web.malformed import malformed_at
from hookrt.web.problem import describe_error


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict]] = []

    def error(self, event, **fields):
        self.lines.append((event, fields))


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (EventError("x"), 400, "event-invalid"),
        (EventTooLarge("x"), 413, "event-too-large"),
        (EventConflict("x"), 409, "event-conflict"),
        (Overloaded("x"), 503, "overloaded"),
        (StoreFull("x"), 503, "store-full"),
        (StoreError("x"), 503, "store-unavailable"),
        (NotFound("x"), 404, "not-found"),
        (UsageError("x"), 409, "not-possible"),
        (HookrtError("x"), 500, "failed"),
    ],
)
def test_each_error_has_its_status_and_its_type(error, status, kind):
    shown = json.loads(describe_error(error).encode())
    assert shown["type"] == f"urn:hookrt:problem:{kind}"
    assert shown["status"] == status
    assert shown["detail"] == "x"
    assert shown["title"]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(Overloaded("x", timedelta(seconds=2.1)), "3"), (Overloaded("x", timedelta(0)), "1"), (StoreFull("x"), "5")],
)
def test_503_says_when_to_try_again(error, seconds):
    assert describe_error(error).headers["retry-after"] == seconds


def test_the_place_of_a_fault_is_shown():
    shown = json.loads(describe_error(malformed_at("bad", b"{\n  x", 4)).encode())
    assert (shown["position"], shown["line"], shown["column"]) == (4, 2, 3)
    assert "index" not in shown


def test_an_unexpected_error_shows_an_id_that_is_logged_and_nothing_else():
    log = Lines()
    faults = Faults(log, mask=lambda text: text.replace("hunter2", "***"))
    try:
        raise ZeroDivisionError("password hunter2")
    except ZeroDivisionError as error:
        shown = json.loads(faults.describe(error).encode())
    assert shown["status"] == 500
    assert "hunter2" not in json.dumps(shown)
    assert "Traceback" not in json.dumps(shown)
    [(event, fields)] = log.lines
    assert event == "request-failed"
    assert fields["error_id"] == shown["error_id"]
    assert fields["error"] == "ZeroDivisionError"
    assert fields["message"] == "password ***"
    assert any("test_problem.py" in place for place in fields["places"])
