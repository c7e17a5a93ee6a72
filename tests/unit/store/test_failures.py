"""SQLite's errors, each in one sentence with the way out."""

import sqlite3
from pathlib import Path

import pytest

from hookrt.errors import NotFound, StoreError, StoreFull
from hookrt.store.sqlite.connection import OLDEST_SQLITE, check_version
from hookrt.store.sqlite.failures import explain

PLACE = Path("/nowhere/at/all/x.db")


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (sqlite3.SQLITE_BUSY, "another process"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "another process"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "writable"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "damaged"),
        (sqlite3.SQLITE_NOTADB, "no database"),
        (sqlite3.SQLITE_IOERR_WRITE, "device"),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, "contradicts"),
        (sqlite3.SQLITE_CANTOPEN, "no folder /nowhere/at/all"),
        (sqlite3.SQLITE_TOOBIG, "too long"),
        (sqlite3.SQLITE_ERROR, "what SQLite says"),
    ],
)
def test_each_failure_has_its_sentence(code, says) -> None:
    error = explain(sqlite_error(code), PLACE, "sqlite:///x.db")
    assert type(error) is StoreError
    assert says in str(error)
    assert "\n" not in str(error)


def test_a_full_disk_has_an_error_of_its_own() -> None:
    assert isinstance(explain(sqlite_error(sqlite3.SQLITE_FULL), PLACE, "u"), StoreFull)


def test_hookrts_own_errors_pass() -> None:
    own = NotFound("there is no such event")
    assert explain(own, PLACE, "u") is own


def test_anything_else_is_a_store_error_too() -> None:
    assert "half a character" in str(explain(_encode_error(), PLACE, "u"))
    error = explain(OverflowError("Python int too large to convert to SQLite INTEGER"), PLACE, "u")
    assert isinstance(error, StoreError)
    assert "too large" in str(error)


def test_an_old_sqlite_is_named_with_the_version_that_is_needed() -> None:
    check_version(OLDEST_SQLITE)
    with pytest.raises(StoreError, match=r"SQLite 3\.36\.0, and hookrt needs 3\.37"):
        check_version((3, 36, 0))


def _encode_error() -> UnicodeEncodeError:
    try:
        "\ud800".encode()
    except UnicodeEncodeError as error:
        return error
    raise AssertionError
