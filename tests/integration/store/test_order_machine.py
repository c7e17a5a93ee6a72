"""RULES "Deliveries", `order`: whatever is done, never two of one key run at once, first attempts come in the order of
commit, and every delivery ends.
"""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hookrt.clock import from_us
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status
from hookrt.model.event import Event
from hookrt.store.contract import Claim, DeliveryQuery, NewDelivery, NewEvent, Recording
from hookrt.store.keys import Burst, Keys
from hookrt.store.memory.store import MemoryStore
from hookrt.store.sqlite.store import SqliteStore

ORDERS = {"wait-a": False, "wait-b": False, "skip-a": True, "skip-b": True}
NAMES = st.sampled_from(sorted(ORDERS))
LANES = st.sampled_from(["l1", "l2"])
OWNERS = st.sampled_from(["me", "you"])
SECOND = 1_000_000
LEASE_S = 10


class SetClock:
    def __init__(self) -> None:
        self.us = 10**15

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.us += round(seconds * SECOND)


class InOrder(RuleBasedStateMachine):
    """Saves, claims and ends deliveries of a few keys, as engines, people and crashes do."""

    memory = True

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.store = MemoryStore(self.clock) if self.memory else SqliteStore(Path(self.folder.name) / "x", self.clock)
        self.made = self.tokens = 0
        self.started: set[str] = set()
        self.tokens_of: dict[str, int] = {}
        self.runner.run(self.store.open())

    def teardown(self) -> None:
        try:
            self.everything_ends()
        finally:
            self.runner.run(self.store.close())
            self.runner.close()
            self.folder.cleanup()

    def run(self, call):
        return self.runner.run(call)

    def line(self, key: str | None = None):
        """The deliveries in the order of commit, of one order key or all."""
        items = self.run(self.store.deliveries(DeliveryQuery(limit=1000))).items
        return [one for one in reversed(items) if key is None or one.order_key == key]

    def some(self, data, *statuses: Status):
        found = [one for one in self.line() if one.status in statuses]
        return data.draw(st.sampled_from(found)) if found else None

    def new(self, key: str, lane: str, *, debounced: bool = False) -> NewDelivery:
        self.made += 1
        keys = Keys(order=key, skip=ORDERS[key], debounce=Burst("d", 3 * SECOND) if debounced else None)
        return NewDelivery(f"d{self.made}", "hook", lane, self.clock.us, self.clock.us + 10**12, keys=keys)

    @rule(keys=st.lists(NAMES, min_size=1, max_size=4), lane=LANES, at_once=st.booleans(), debounced=st.booleans())
    def save(self, keys, lane, at_once, debounced) -> None:
        """One event with several deliveries, a batch, or saves that share a commit."""
        made = [self.new(key, lane, debounced=debounced) for key in keys]
        events = [NewEvent(Event(f"e{one.id}", "A.B", "http", from_us(0)), b"x", self.clock.us, [one]) for one in made]

        async def together() -> None:
            await asyncio.gather(*(self.store.save(event) for event in events))

        self.run(together() if at_once else self.store.save_all(events))

    @rule(owner=OWNERS, limit=st.integers(1, 5), room=st.integers(1, 3))
    def claim(self, owner, limit, room) -> None:
        before = {one.id: one for one in self.line()}
        claim = Claim(owner, self.tokens + 1, LEASE_S * SECOND, {}, room, limit)
        self.tokens += limit
        for claimed in self.run(self.store.claim_due(claim)):
            one = claimed.delivery
            assert one.due_us <= self.clock.us
            self.check_turn(before, one)
            self.started.add(one.id)
            self.tokens_of[one.id] = one.lease_token

    def check_turn(self, before, one) -> None:
        """Nobody before it is under way or still to start; with `wait`, nobody before it is there at all."""
        if one.order_key is None:
            return
        for earlier in before.values():
            if earlier.order_key != one.order_key or earlier.id == one.id or earlier.status.final:
                continue
            assert earlier.status is not Status.RUNNING
            if int(earlier.id[1:]) < int(one.id[1:]) and one.id not in self.started:
                assert ORDERS[one.order_key], "somebody is before it"
                # it was passed while it waited, and may have been held and released since
                assert earlier.attempts > 0, "somebody before it has not started"

    @rule(
        data=st.data(), status=st.sampled_from([Status.SUCCEEDED, Status.DEAD, Status.WAITING, Status.WAITING,
        Status.PENDING, Status.HELD]), seconds=st.integers(1, 20), attempted=st.booleans(),
    )  # fmt: skip
    def record(self, data, status, seconds, attempted) -> None:
        one = self.some(data, Status.RUNNING)
        if one is None:
            return
        attempts = one.attempts + attempted
        attempt = Attempt(attempts, "s", 0, 1, "retry") if attempted else None
        due_us = self.clock.us + seconds * SECOND if status is Status.WAITING else self.clock.us
        self.run(
            self.store.record(
                Recording(one.id, self.tokens_of[one.id], status, one.lane, due_us, self.clock.us, attempt, attempts)
            )
        )

    @rule(data=st.data(), cancel=st.booleans())
    def touch(self, data, cancel) -> None:
        one = self.some(data, Status.PENDING, Status.WAITING, Status.RUNNING, Status.HELD)
        if one is not None:
            self.run(self.store.cancel(one.id, "by hand") if cancel else self.store.retry_now(one.id))

    @rule(owner=OWNERS)
    def stop(self, owner) -> None:
        self.run(self.store.release(owner))

    @rule(hold=st.booleans())
    def hook_goes_or_comes(self, hold) -> None:
        if hold:
            self.run(self.store.hold_orphans({"file": []}, "gone"))
        else:
            self.run(self.store.release_held("hook", "file", "l1"))

    @rule(seconds=st.integers(1, 15))
    def wait(self, seconds) -> None:
        self.clock.us += seconds * SECOND

    @rule(data=st.data())
    def replay(self, data) -> None:
        one = self.some(data, Status.DEAD, Status.CANCELLED)
        if one is not None and one.order_key is not None:
            self.run(self.store.add_delivery("http", one.event_id, self.new(one.order_key, "l1")))

    @invariant()
    def never_two_of_one_key_at_once(self) -> None:
        for key in ORDERS:
            assert sum(one.status is Status.RUNNING for one in self.line(key)) <= 1

    @invariant()
    def whoever_is_ahead_is_unfinished_and_of_the_same_key(self) -> None:
        every = {one.id: one for one in self.line()}
        for one in every.values():
            ahead = self.run(self.store.ahead_of(one.id))
            if ahead is not None:
                assert not every[ahead].status.final
                assert every[ahead].order_key == one.order_key

    def everything_ends(self) -> None:
        """When nothing fails any more, everything is delivered."""
        self.run(self.store.release_held("hook", "file", "l1"))
        for owner in ("me", "you"):
            self.run(self.store.release(owner))
        for _ in range(len(self.line()) * 2 + 5):
            self.clock.us += 30 * SECOND
            self.claim("me", 50, 50)
            for one in self.line():
                if one.status is Status.RUNNING:
                    token = self.tokens_of[one.id]
                    end = Recording(one.id, token, Status.SUCCEEDED, one.lane, self.clock.us, self.clock.us)
                    self.run(self.store.record(end))
        assert [one.id for one in self.line() if not one.status.final] == []


class InOrderOnFile(InOrder):
    memory = False


FAST = settings(max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
InOrder.TestCase.settings = FAST
InOrderOnFile.TestCase.settings = settings(FAST, max_examples=15)
TestOrderInMemory = InOrder.TestCase
TestOrderOnFile = InOrderOnFile.TestCase
