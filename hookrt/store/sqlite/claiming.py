"""Claiming: what is due is chosen and read on a reading connection, and leased in a group commit.

So a claim costs the writer one statement, and a look through thousands of lanes holds up nobody. What changed between
the two is left out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from hookrt.model.delivery import Status
from hookrt.store.contract import Claim, Claimed
from hookrt.store.sqlite.connection import Row, Session
from hookrt.store.sqlite.rows import DELIVERY_WIDTH, read_delivery, read_event
from hookrt.store.sqlite.tally import Tally

_LANES = 256
"""How many lanes are looked up at once."""

_RUNNING = Status.RUNNING.value

_Due = tuple[int, int]  # due_us, seq


class Choice:
    """What may be leased, oldest first in each lane, and the lane where the next claim goes on.

    `claimed` are the deliveries as they will be once leased, `before` what they were: seq, origin, hook, status,
    token, lane and due time.
    """

    __slots__ = ("before", "claimed", "next_lane")

    def __init__(self) -> None:
        self.claimed: list[Claimed] = []
        self.before: list[Row] = []
        self.next_lane = ""


def choose(session: Session, claim: Claim, now_us: int, first_lane: str) -> Choice:
    """Find what is due, from one lane on and around, so that with a short limit every lane has its turn."""
    expired: defaultdict[str, list[_Due]] = defaultdict(list)
    for lane, due_us, seq in session.all("expired_leases", (now_us, claim.owner)):
        expired[lane].append((due_us, seq))
    chosen: list[int] = []
    choice = Choice()
    choice.next_lane = first_lane
    for lane in _lanes_from(session, first_lane, sorted(expired)):
        room = min(claim.free.get(lane, claim.free_elsewhere), claim.limit - len(chosen))
        if room > 0:
            due = expired.get(lane, []) + session.all("due_in_lane", (lane, now_us, room))
            chosen += [seq for _, seq in sorted(due)[:room]]
        if len(chosen) >= claim.limit:
            choice.next_lane = lane + "\0"
            break
    if chosen:
        _read_chosen(session, claim, now_us, chosen, choice)
    if choice.claimed and len(choice.claimed) < len(chosen):  # the bytes were enough
        choice.next_lane = choice.claimed[-1].delivery.lane + "\0"
    return choice


def lease(session: Session, tally: Tally, claim: Claim, choice: Choice, now_us: int) -> list[Claimed]:
    """Lease what is still as it was when it was chosen."""
    until_us = now_us + claim.lease_us
    values: list[Any] = []
    for token, (seq, _, _, *present) in enumerate(choice.before, claim.first_token):
        values += (seq, *present, now_us, claim.owner, token, until_us)
    changed = session.run_rows("lease_deliveries", values)
    leased = _leased_ones(session, claim, choice, changed)
    for n in leased:
        _, origin, hook, status, *_ = choice.before[n]
        tally.move(origin, hook, status, _RUNNING)
    return choice.claimed if len(leased) == len(choice.claimed) else [choice.claimed[n] for n in leased]


def _leased_ones(session: Session, claim: Claim, choice: Choice, changed: int) -> Sequence[int]:
    """Which of the candidates were leased; they are looked up only when some were not."""
    if changed == len(choice.before):
        return range(changed)
    wanted: list[int] = []
    for n, (seq, *_) in enumerate(choice.before):
        wanted += (n, seq, claim.first_token + n)
    return sorted(row[0] for row in session.all_rows("find_newly_leased", wanted))


def _lanes_from(session: Session, first: str, others: Sequence[str]) -> Iterator[str]:
    """Every lane with open deliveries and these others once, from the first on and then from the start."""
    for start, end in ((first, None), ("", first)):
        pending = [lane for lane in others if lane >= start and (end is None or lane < end)]
        for lane in _open_lanes(session, start):
            if end is not None and lane >= end:
                break
            while pending and pending[0] < lane:
                yield pending.pop(0)
            if pending and pending[0] == lane:
                pending.pop(0)
            yield lane
        yield from pending


def _open_lanes(session: Session, start: str) -> Iterator[str]:
    while True:
        lanes = [row[0] for row in session.all("next_lanes", (start, _LANES))]
        yield from lanes
        if len(lanes) < _LANES:
            return
        start = lanes[-1] + "\0"


def _read_chosen(session: Session, claim: Claim, now_us: int, seqs: Sequence[int], choice: Choice) -> None:
    """Read the chosen ones, as they are and as they will be; the places in a row are those of `queries.sql`."""
    size, token = 0, claim.first_token
    for row in session.each("deliveries_by_seq", (json.dumps(seqs),)):
        event = read_event(row[DELIVERY_WIDTH:])
        size += len(event.content)
        if choice.claimed and size > claim.byte_limit:
            break
        leased = (*row[:3], _RUNNING, *row[4:13], now_us, *row[14:17], token, *row[18:DELIVERY_WIDTH])
        choice.before.append((row[DELIVERY_WIDTH - 3], row[7], row[1], row[3], row[17], row[2], row[5]))
        choice.claimed.append(Claimed(read_delivery(leased), event))
        token += 1
