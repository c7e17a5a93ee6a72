"""Counts of deliveries by status and hook, collected over a transaction and written at its end."""

from __future__ import annotations

from collections import defaultdict

from hookrt.model.delivery import Status
from hookrt.store.contract import HOUR_US
from hookrt.store.sqlite.connection import Session

_OPEN = frozenset({Status.PENDING.value, Status.RUNNING.value, Status.WAITING.value})
_HELD, _SUCCEEDED, _DEAD = Status.HELD.value, Status.SUCCEEDED.value, Status.DEAD.value


class _Hour:
    """What happened to one hook in one hour."""

    __slots__ = ("attempts", "dead", "last_failure_us", "last_success_us", "succeeded")

    def __init__(self) -> None:
        self.succeeded = self.dead = self.attempts = self.last_success_us = self.last_failure_us = 0


class Tally:
    """The changes of one transaction. Every status that changes must be told here."""

    def __init__(self) -> None:
        self._moves: defaultdict[tuple[str, str, str | None, str], int] = defaultdict(int)
        self._hours: defaultdict[tuple[str, int], _Hour] = defaultdict(_Hour)
        self.touched: dict[tuple[str, str], int] = {}

    def move(self, origin: str, hook: str, old: str | None, new: str) -> None:
        """A delivery of this hook went from one status (None: it is new) to another."""
        self._moves[origin, hook, old, new] += 1

    def recorded(self, hook: str, status: str, at_us: int, *, attempted: bool, failed: bool) -> None:
        """An attempt, or the end of a delivery without one, was recorded."""
        hour = self._hours[hook, at_us // HOUR_US]
        hour.attempts += attempted
        if status == _SUCCEEDED:
            hour.succeeded += 1
            hour.last_success_us = max(hour.last_success_us, at_us)
        elif status == _DEAD:
            hour.dead += 1
        if failed:
            hour.last_failure_us = max(hour.last_failure_us, at_us)

    def touch(self, hook: str, order_key: str, now_us: int) -> None:
        """Something of this order key changed: at the end of the transaction its turn is looked at."""
        self.touched[hook, order_key] = now_us

    def write(self, session: Session) -> None:
        """Write what was collected."""
        statuses: defaultdict[str, int] = defaultdict(int)
        hooks: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for (origin, hook, old, new), n in self._moves.items():
            statuses[new] += n
            hooks[origin, hook][0] += n * ((new in _OPEN) - (old in _OPEN))
            hooks[origin, hook][1] += n * ((new == _HELD) - (old == _HELD))
            if old is not None:
                statuses[old] -= n
        session.run_rows("add_to_tallies", [value for change in statuses.items() if change[1] for value in change])
        session.run_rows(
            "add_to_hook_tallies", [value for key, n in hooks.items() if n != [0, 0] for value in (*key, *n)]
        )
        session.run_rows("add_to_hook_hours", self._hour_values())

    def _hour_values(self) -> list[str | int]:
        values: list[str | int] = []
        for (hook, hour), one in self._hours.items():
            values += (hook, hour, one.succeeded, one.dead, one.attempts, one.last_success_us, one.last_failure_us)
        return values
