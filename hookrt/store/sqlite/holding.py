"""Deliveries of hooks that are disabled become held in the transaction that adds them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hookrt.model.delivery import Status
from hookrt.model.hook_state import HOOK_DISABLED
from hookrt.store.sqlite.connection import Session
from hookrt.store.sqlite.keyed import touch_keys
from hookrt.store.sqlite.tally import Tally
from hookrt.store.sqlite.work import EventRows

_HELD = Status.HELD.value


def hold_disabled(
    session: Session, tally: Tally, after_seq: int, now_us: int, events: Iterable[EventRows] = ()
) -> None:
    """Hold what was added after a number for hooks that are disabled; the answers to its events say so."""
    found = session.all("new_of_disabled", (after_seq,))
    if not found:
        return
    for _, _, origin, hook, status in found:
        tally.move(origin, hook, status, _HELD)
    seqs = [row[0] for row in found]
    session.run("hold_new", (HOOK_DISABLED, json.dumps(seqs)))
    touch_keys(session, tally, seqs, now_us)
    held = {row[1] for row in found}
    for event in events:
        event.saved.held = tuple([identity for identity in event.saved.deliveries if identity in held])
