"""Claiming in memory: the same choice as any store makes, over sorted lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hookrt.model.delivery import Status
from hookrt.store.contract import Claim, Claimed, Lease
from hookrt.store.memory.memory import Memory
from hookrt.store.memory.rows import DeliveryRow


def claim_due(memory: Memory, claim: Claim, now_us: int, first_lane: str) -> tuple[list[Claimed], str]:
    """Lease what is due, and say with which lane the next claim should begin."""
    chosen, next_lane = _choose(memory, claim, now_us, first_lane)
    fitting = _fit(chosen, claim.byte_limit)
    if len(fitting) < len(chosen):
        next_lane = fitting[-1].delivery.lane + "\0"
    claimed = []
    for token, row in enumerate(fitting, claim.first_token):
        lease = Lease(claim.owner, token, now_us + claim.lease_us)
        memory.change(row, lease, status=Status.RUNNING, updated_us=now_us)
        claimed.append(Claimed(row.delivery, row.event.event))
    return claimed, next_lane


def _choose(memory: Memory, claim: Claim, now_us: int, first_lane: str) -> tuple[list[DeliveryRow], str]:
    expired: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for seq in memory.schedule.expired(now_us):
        row = memory.in_order[seq]
        if row.owner != claim.owner:
            expired[row.delivery.lane].append((row.delivery.due_us, seq))
    lanes = sorted(memory.schedule.lanes().keys() | expired.keys())
    lanes.sort(key=lambda lane: lane < first_lane)
    chosen: list[DeliveryRow] = []
    for lane in lanes:
        room = min(claim.free.get(lane, claim.free_elsewhere), claim.limit - len(chosen))
        due = sorted(expired[lane] + memory.schedule.due(lane, now_us, room)) if room > 0 else []
        chosen += [memory.in_order[seq] for _, seq in due[: max(room, 0)]]
        if len(chosen) >= claim.limit:
            return chosen, lane + "\0"
    return chosen, first_lane


def _fit(chosen: Sequence[DeliveryRow], byte_limit: int) -> Sequence[DeliveryRow]:
    size = 0
    for count, row in enumerate(chosen):
        size += len(row.event.event.content)
        if count and size > byte_limit:
            return chosen[:count]
    return chosen
