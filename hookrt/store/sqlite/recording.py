"""Recording attempts in a transaction: first whose token still counts, then all changes at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hookrt.model.delivery import Status
from hookrt.store.contract import Recorded
from hookrt.store.sqlite.connection import Session
from hookrt.store.sqlite.tally import Tally
from hookrt.store.sqlite.work import Record

_RUNNING = Status.RUNNING.value
_Leased = list[tuple[Record, int]]


def find_leased(session: Session, tally: Tally, records: Sequence[Record]) -> _Leased:
    """Those whose token is the present one, each with its delivery's number; the others are stale."""
    wanted: list[Any] = []
    for n, record in enumerate(records):
        wanted += (n, record.delivery, record.token)
        record.result = Recorded.STALE
    leased: _Leased = []
    for n, seq, origin, hook, order_key in session.all_rows("find_leased", wanted):
        record = records[n]
        record.result = Recorded.DONE
        leased.append((record, seq))
        if order_key is not None and record.status != _RUNNING:
            tally.touch(hook, order_key, record.at_us)
        tally.move(origin, hook, _RUNNING, record.status)
        attempted = record.attempt is not None
        tally.recorded(hook, record.status, record.at_us, attempted=attempted, failed=record.failed)
    return leased


def write_records(session: Session, leased: _Leased) -> None:
    """Write what these recordings change, and their attempts."""
    deliveries: list[Any] = []
    attempts: list[Any] = []
    for record, seq in leased:
        deliveries.append(seq)
        deliveries += record.values
        if record.attempt is not None:
            attempts.append(seq)
            attempts += record.attempt
    session.run_rows("update_deliveries", deliveries)
    session.run_rows("insert_attempts", attempts)
