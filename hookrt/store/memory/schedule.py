"""What is due when, in sorted lists: by lane, over all lanes, and by the end of leases."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping

from hookrt.model.delivery import Status
from hookrt.store.memory.rows import DeliveryRow

_Entry = tuple[int, int]  # a time, and the number of a delivery
_AFTER_ALL = 2**63


class Schedule:
    """Knows every delivery that is running, or pending or waiting and not blocked.

    A row is removed before it changes, added after.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, list[_Entry]] = {}
        self._due: list[_Entry] = []
        self._leases: list[_Entry] = []

    def add(self, row: DeliveryRow) -> None:
        """Take it up, if it is open and not held."""
        for entries, entry in self._places(row):
            insort(entries, entry)

    def remove(self, row: DeliveryRow) -> None:
        """Forget it, if it is known."""
        for entries, entry in self._places(row):
            place = bisect_left(entries, entry)
            if place < len(entries) and entries[place] == entry:
                del entries[place]
        if self._lanes.get(row.delivery.lane) == []:
            del self._lanes[row.delivery.lane]

    def lanes(self) -> Mapping[str, list[_Entry]]:
        """By lane, what is pending or waiting: oldest due time first."""
        return self._lanes

    def due(self, lane: str, now_us: int, most: int) -> list[_Entry]:
        """The oldest due ones of a lane."""
        entries = self._lanes.get(lane, [])
        return entries[: min(most, bisect_right(entries, (now_us, _AFTER_ALL)))]

    def expired(self, now_us: int) -> Iterator[int]:
        """The numbers of those whose lease has ended."""
        return (seq for _, seq in self._leases[: bisect_right(self._leases, (now_us, _AFTER_ALL))])

    def leased(self) -> list[int]:
        """The numbers of all that are leased."""
        return [seq for _, seq in self._leases]

    def next_us(self, after_us: int) -> int | None:
        """The earliest due time or end of a lease after this."""
        times = []
        for entries in (self._due, self._leases):
            place = bisect_right(entries, (after_us, _AFTER_ALL))
            times += [time for time, _ in entries[place : place + 1]]
        return min(times, default=None)

    def _places(self, row: DeliveryRow) -> list[tuple[list[_Entry], _Entry]]:
        delivery = row.delivery
        if delivery.status is Status.RUNNING:
            return [(self._leases, (row.until_us, row.seq))]
        if delivery.status in {Status.PENDING, Status.WAITING} and not row.blocked:
            entry = (delivery.due_us, row.seq)
            return [(self._lanes.setdefault(delivery.lane, []), entry), (self._due, entry)]
        return []
