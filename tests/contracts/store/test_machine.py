"""Every store against a simple model of its contract, through any sequence of calls that Hypothesis makes up."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from hookrt.model.delivery import Status
from hookrt.store.contract import DeliveryQuery, Recorded

SECOND = 1_000_000
LANES = ("crm", "mail")
OWNERS = ("one", "two")
OPEN = {Status.PENDING, Status.WAITING}


@dataclass
class Known:
    """A delivery as the model has it."""

    lane: str
    status: Status
    due_us: int
    owner: str | None = None
    token: int = 0
    until_us: int = 0
    step_attempts: int = 0
    attempts: list[int] = field(default_factory=list)


class StoreMachine(RuleBasedStateMachine):
    """Calls the store, does the same to the model, and compares. `place` is a new one for every run."""

    new_place: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.place = self.new_place()
        self.runner = asyncio.Runner()
        self.store = self.place.make()
        self.runner.run(self.store.open())
        assert self.runner.run(self.store.lead())
        self.events: dict[str, tuple[bytes, tuple[str, ...]]] = {}
        self.known: dict[str, Known] = {}
        self.numbers = count(1)

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()

    def call(self, work: Any) -> Any:
        return self.runner.run(work)

    def make(self, event: str, lanes: list[str], after_s: int, owner: str | None, digest: bytes) -> Any:
        made = []
        for lane in lanes:
            lease = self.place.lease(owner) if owner else None
            identity = f"d{next(self.numbers)}"
            made.append(self.place.delivery(identity, lane=lane, due_us=self.now + after_s * SECOND, lease=lease))
        return self.place.event(event, *made, digest=digest)

    def keep(self, new: Any) -> None:
        self.events[new.event.id] = (new.digest, tuple(one.id for one in new.deliveries))
        for one in new.deliveries:
            lease = one.lease
            self.known[one.id] = Known(one.lane, one.status, one.due_us)
            if lease:
                self.known[one.id].owner, self.known[one.id].token = lease.owner, lease.token
                self.known[one.id].until_us = lease.until_us

    @property
    def now(self) -> int:
        return int(self.place.clock.us)

    drafts = st.tuples(
        st.sampled_from(["e1", "e2", "e3", "e4", "e5", "e6"]),
        st.lists(st.sampled_from(LANES), max_size=3),
        st.integers(0, 20),
        st.sampled_from([None, *OWNERS]),
        st.sampled_from([b"same", b"same", b"other"]),
    )

    @rule(draft=drafts)
    def save(self, draft: Any) -> None:
        new = self.make(*draft)
        saved = self.call(self.store.save(new))
        self.judge(new, saved)
        if not saved.duplicate and not saved.conflict:
            self.keep(new)

    @rule(drafts=st.lists(drafts, min_size=1, max_size=3))
    def save_all(self, drafts: Any) -> None:
        batch = [self.make(*draft) for draft in drafts]
        before, seen = dict(self.events), {}
        for new in batch:
            seen.setdefault(new.event.id, before.get(new.event.id, (new.digest, ())))
        conflict = any(seen[new.event.id][0] != new.digest for new in batch)
        saved = self.call(self.store.save_all(batch))
        assert any(one.conflict for one in saved) is conflict
        for new, one in zip(batch, saved, strict=True):
            if not conflict:
                self.judge(new, one)
                if not one.duplicate:
                    self.keep(new)

    def judge(self, new: Any, saved: Any) -> None:
        first = self.events.get(new.event.id)
        assert saved.conflict is (first is not None and first[0] != new.digest)
        assert saved.duplicate is (first is not None and first[0] == new.digest)
        if not saved.conflict:
            assert tuple(saved.deliveries) == (first[1] if first else tuple(one.id for one in new.deliveries))

    @rule(owner=st.sampled_from(OWNERS), free=st.dictionaries(st.sampled_from(LANES), st.integers(0, 3)))
    def claim(self, owner: str, free: dict[str, int]) -> None:
        claim = self.place.claim(owner, room=2, free=free)
        claimed = self.call(self.store.claim_due(claim))
        taken = Counter(one.delivery.lane for one in claimed)
        for lane in LANES:
            due = sorted(one.due_us for one in self.known.values() if one.lane == lane and self.is_due(one, owner))
            assert taken[lane] == min(len(due), free.get(lane, 2))
            got = [one.delivery.due_us for one in claimed if one.delivery.lane == lane]
            assert got == due[: len(got)]
        tokens = [one.delivery.lease_token for one in claimed]
        assert len(set(tokens)) == len(tokens)
        for one in claimed:
            known = self.known[one.delivery.id]
            assert self.is_due(known, owner)
            known.status, known.owner, known.token = Status.RUNNING, owner, one.delivery.lease_token
            known.until_us = self.now + claim.lease_us

    def is_due(self, one: Known, owner: str) -> bool:
        expired = one.status is Status.RUNNING and one.owner != owner and one.until_us <= self.now
        return expired or (one.status in OPEN and one.due_us <= self.now)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), wrong=st.booleans(), status=st.sampled_from([*Status]), after_s=st.integers(0, 20))
    def record(self, data: Any, wrong: bool, status: Status, after_s: int) -> None:
        if status is Status.CANCELLED:
            return
        name = data.draw(st.sampled_from(sorted(self.known)))
        one = self.known[name]
        token = one.token + 1 if wrong or not one.token else one.token
        lease = self.place.lease(one.owner or "one") if status is Status.RUNNING else None
        if lease is not None:
            lease.token = token
        number = len(one.attempts) + 1
        recording = self.place.recording(
            name, token, status, lane=one.lane, due_us=self.now + after_s * SECOND, lease=lease,
            attempt=self.place.attempt(number), attempts=number, step_attempts=number % 3,
        )  # fmt: skip
        found = self.call(self.store.record(recording))
        held = one.status is Status.RUNNING and token == one.token
        assert found is (Recorded.DONE if held else Recorded.STALE)
        if held:
            one.status, one.due_us, one.step_attempts = status, recording.due_us, number % 3
            one.attempts.append(number)
            if lease is None:
                self.unlease(one)
            else:
                one.until_us = lease.until_us

    def unlease(self, one: Known) -> None:
        one.owner, one.token, one.until_us = None, 0, 0

    @rule(owner=st.sampled_from(OWNERS), seconds=st.integers(1, 60))
    def renew(self, owner: str, seconds: int) -> None:
        until_us = self.now + seconds * SECOND
        mine = [one for one in self.known.values() if one.owner == owner]
        assert self.call(self.store.renew(owner, until_us)) == len(mine)
        for one in mine:
            one.until_us = until_us

    @rule(owner=st.sampled_from(OWNERS))
    def release(self, owner: str) -> None:
        mine = [one for one in self.known.values() if one.owner == owner]
        assert self.call(self.store.release(owner)) == len(mine)
        self.free(mine)

    @rule()
    def lead_anew(self) -> None:
        """The process ends, and another one opens the store: all leases are void."""
        self.call(self.store.close())
        self.store = self.place.make()
        self.call(self.store.open())
        assert self.call(self.store.lead())
        self.free([one for one in self.known.values() if one.owner is not None])

    def free(self, leased: list[Known]) -> None:
        for one in leased:
            one.status = Status.WAITING if one.step_attempts else Status.PENDING
            one.due_us = min(one.due_us, self.now)
            self.unlease(one)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        one = self.known[name := data.draw(st.sampled_from(sorted(self.known)))]
        assert self.call(self.store.cancel(name, "by-hand")) is not one.status.final
        if not one.status.final:
            one.status = Status.CANCELLED
            self.unlease(one)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def retry_now(self, data: Any) -> None:
        one = self.known[name := data.draw(st.sampled_from(sorted(self.known)))]
        assert self.call(self.store.retry_now(name)) is (one.status is Status.WAITING)
        if one.status is Status.WAITING:
            one.due_us = min(one.due_us, self.now)

    @rule()
    def release_held(self) -> None:
        held = [one for one in self.known.values() if one.status is Status.HELD]
        assert self.call(self.store.release_held("welcome", "file", "crm")) == len(held)
        for one in held:
            one.status, one.lane, one.due_us = Status.PENDING, "crm", min(one.due_us, self.now)

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.place.clock.us += seconds * SECOND

    @invariant()
    def everything_is_as_the_model_has_it(self) -> None:
        page = self.call(self.store.deliveries(DeliveryQuery(limit=500)))
        found = {one.id: (one.status, one.lane, one.due_us, one.lease_token, one.step_attempts) for one in page.items}
        assert found == {
            name: (one.status, one.lane, one.due_us, one.token, one.step_attempts) for name, one in self.known.items()
        }
        times = [one.due_us for one in self.known.values() if one.status in OPEN]
        times += [one.until_us for one in self.known.values() if one.status is Status.RUNNING]
        expected = min((time for time in times if time > self.now), default=None)
        assert self.call(self.store.next_due_us(self.now)) == expected


def test_any_sequence_of_calls_leaves_what_the_contract_says(place: Any, tmp_path: Path) -> None:
    numbers = count(1)

    class Machine(StoreMachine):
        @staticmethod
        def new_place() -> Any:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            return type(place)(place.kind, folder)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
