"""One transaction for many callers: what is queued is sorted by kind, and each kind is written at once."""

from __future__ import annotations

from collections.abc import Sequence

from hookrt.store.sqlite.connection import Session
from hookrt.store.sqlite.keyed import pass_turns
from hookrt.store.sqlite.recording import find_leased, write_records
from hookrt.store.sqlite.saving import save_events
from hookrt.store.sqlite.tally import Tally
from hookrt.store.sqlite.work import Change, Record, Save, Work


def apply_group(session: Session, group: Sequence[Work]) -> None:
    """Write all of this inside the open transaction, and fill in the results.

    What is queued together was asked for at the same time, so that any order is right; but saves keep theirs, since
    the order of commit is that of deliveries.
    """
    tally = Tally()
    saves = [work for work in group if isinstance(work, Save)]
    records = [work for work in group if isinstance(work, Record)]
    while records or saves:
        present, records = _split_repeated(records)
        leased = find_leased(session, tally, present) if present else []
        emitted = [record.emitted for record, _ in leased if record.emitted]
        save_events(session, tally, saves + emitted)
        write_records(session, leased)
        saves = []
    for work in group:
        if isinstance(work, Change):
            work.result = work.function(session, tally)
    if tally.touched:
        pass_turns(session, tally.touched)
    tally.write(session)


def _split_repeated(records: list[Record]) -> tuple[list[Record], list[Record]]:
    """The first recording of each delivery, and the others, which must see what it changed."""
    firsts: dict[str, Record] = {}
    others = [record for record in records if firsts.setdefault(record.delivery, record) is not record]
    return (list(firsts.values()) if others else records), others
