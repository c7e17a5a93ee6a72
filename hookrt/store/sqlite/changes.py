"""Small changes, each inside a group commit."""

from __future__ import annotations

from typing import Any

from hookrt.model.delivery import Status
from hookrt.store.sqlite.connection import Row, Session
from hookrt.store.sqlite.keyed import touch_keys
from hookrt.store.sqlite.tally import Tally
from hookrt.store.value_contract import ValueChange, ValueChanged

_PENDING, _RUNNING, _WAITING, _CANCELLED = (
    status.value for status in (Status.PENDING, Status.RUNNING, Status.WAITING, Status.CANCELLED)
)


def renew_leases(session: Session, _: Tally, owner: str, until_us: int) -> int:
    """Extend all leases of an owner; returns how many there are."""
    return session.run("renew_leases", (owner, until_us))


def end_leases(session: Session, tally: Tally, owner: str | None, now_us: int) -> int:
    """End all leases of an owner, or everybody's with None; what they held is due at once. Returns how many."""
    values: list[Any] = []
    for seq, origin, hook, step_attempts in session.all("leased", (owner,)):
        status = _WAITING if step_attempts else _PENDING
        values += (seq, status, now_us)
        tally.move(origin, hook, _RUNNING, status)
    return session.run_rows("end_leases", values)


def take_over(session: Session, tally: Tally, now_us: int) -> int:
    """End everybody's leases, since their owner is dead; fails where nothing can be written, also without any lease,
    so that no service starts on a full disk.
    """
    [[version]] = session.connection.execute("PRAGMA user_version").fetchall()
    session.connection.execute(f"PRAGMA user_version = {int(version)}")  # writes the first page, the same as before
    return end_leases(session, tally, None, now_us)


def retry_now(session: Session, tally: Tally, delivery: str, now_us: int) -> bool:
    """Whether the delivery was waiting; then it is due."""
    found = session.one("state_of", (delivery,))
    if found is None or found[3] != _WAITING:
        return False
    touch_keys(session, tally, [found[0]], now_us)
    return session.run("make_due", (now_us, now_us, found[0])) > 0


def cancel(session: Session, tally: Tally, delivery: str, reason: str, now_us: int) -> bool:
    """Whether the delivery was not final; then it is cancelled."""
    found = session.one("state_of", (delivery,))
    if found is None or Status(found[3]).final:
        return False
    seq, origin, hook, status = found
    tally.move(origin, hook, status, _CANCELLED)
    touch_keys(session, tally, [seq], now_us)
    return session.run("cancel", (reason, now_us, seq)) > 0


def put_value(session: Session, _: Tally, row: Row, now_us: int) -> None:
    """Store a value (namespace, key, value, expires_us)."""
    session.run("delete_expired", (now_us,))
    session.run("put", row)


def delete_value(session: Session, _: Tally, namespace: str, key: str) -> None:
    """Forget a value."""
    session.run("delete", (namespace, key))


def change_value(session: Session, _: Tally, change: ValueChange, now_us: int) -> ValueChanged:
    """Look at a value, and change it where it is as expected."""
    name = (change.namespace, change.key)
    found = session.one("get", (*name, now_us))
    if change.checked and (found[0] if found else None) != change.expected:
        return ValueChanged.DIFFERENT
    if change.value is None:
        session.run("delete", name)
        return ValueChanged.DONE
    if found is None and change.most is not None:
        [[count]] = session.all("count_values", (change.namespace, now_us))
        if count >= change.most:
            return ValueChanged.FULL
    session.run("put", (*name, change.value, change.expires_us))
    return ValueChanged.DONE
