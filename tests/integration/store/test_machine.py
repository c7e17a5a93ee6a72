"""Whatever is done in whatever order, the SQLite store and the memory store end up the same."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hookrt.clock import from_us
from hookrt.errors import NotFound
from hookrt.model.attempt import Attempt
from hookrt.model.delivery import Status, StepResult, StepStatus
from hookrt.model.event import Event
from hookrt.store.contract import Claim, DeliveryQuery, EventQuery, Lease, NewDelivery, NewEvent, Recording
from hookrt.store.job_contract import Stretch
from hookrt.store.keys import Burst, Keys, Window
from hookrt.store.memory.store import MemoryStore
from hookrt.store.retention_contract import Ages
from hookrt.store.sqlite.store import SqliteStore

NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
HOOKS = st.sampled_from(["h1", "h2"])
LANES = st.sampled_from(["l1", "l2", "l3"])
OWNERS = st.sampled_from(["me", "you"])
STATUSES = st.sampled_from([one for one in Status if one not in {Status.PENDING, Status.HELD}])
SECONDS = st.integers(-5, 20)
LEASE_S = 10
KEYS = st.builds(
    Keys,
    order=st.sampled_from([None, "k", "k", "j"]),
    skip=st.booleans(),
    dedupe=st.sampled_from([None, None, None, Window("k", 8_000_000)]),
    throttle=st.sampled_from([None, None, None, Window("k", 5_000_000)]),
    debounce=st.sampled_from([None, None, Burst("k", 3_000_000), Burst("k", 3_000_000, 4_000_000)]),
)
DONE = StepResult(StepStatus.SUCCEEDED, {"n": 1})


class SetClock:
    def __init__(self) -> None:
        self.us = 10**15

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)


class BothStores(RuleBasedStateMachine):
    """Does the same to both, and compares what they answer and what they hold."""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.stores = [SqliteStore(Path(self.folder.name) / "x.db", self.clock), MemoryStore(self.clock)]
        self.tokens = 0
        self.made = 0
        for store in self.stores:
            self.runner.run(store.open())

    def teardown(self) -> None:
        for store in self.stores:
            self.runner.run(store.close())
        self.runner.close()
        self.folder.cleanup()

    def both(self, call):
        """What the call answers, the same from both."""
        first, second = (self.runner.run(call(store)) for store in self.stores)
        assert first == second
        return first

    def at(self, seconds: int) -> int:
        return self.clock.us + seconds * 1_000_000

    def delivery(self, hook: str, lane: str, kind: str, due: int) -> NewDelivery:
        self.made += 1
        self.tokens += 1
        lease = Lease("me", self.tokens, self.at(LEASE_S)) if kind == "leased" else None
        return NewDelivery(f"d{self.made}", hook, lane, self.at(due), self.at(100), lease=lease, held=kind == "held")

    def event(self, name: str, digest: bytes, *deliveries: NewDelivery) -> NewEvent:
        event = Event(name, f"T.{name}", "http", from_us(0), content=name.encode() * 20, binary=True)
        return NewEvent(event, digest, self.clock.us, deliveries)

    def lists(self):
        return self.runner.run(self.stores[1].deliveries(DeliveryQuery(limit=1000))).items

    @rule(
        name=NAMES, digest=st.sampled_from([b"x", b"x", b"y"]), hook=HOOKS, lane=LANES, due=SECONDS,
        kinds=st.lists(st.sampled_from(["pending", "leased", "held"]), max_size=3),
    )  # fmt: skip
    def save(self, name, digest, hook, lane, due, kinds) -> None:
        new = self.event(name, digest, *(self.delivery(hook, lane, kind, due) for kind in kinds))
        self.both(lambda store: store.save(new))

    @rule(
        names=st.lists(st.sampled_from("fghijklmno"), max_size=4), hook=HOOKS, lane=LANES, keys=KEYS, held=st.booleans()
    )
    def save_keyed(self, names, hook, lane, keys, held) -> None:
        kind = "held" if held else "leased"
        batch = [self.event(name, b"x", replace(self.delivery(hook, lane, kind, 0), keys=keys)) for name in names]
        first, second = (self.runner.run(store.save_all(batch)) for store in self.stores)
        assert list(first) == list(second)

    @rule(names=st.lists(NAMES, max_size=4), digest=st.sampled_from([b"x", b"x", b"y"]), hook=HOOKS, lane=LANES)
    def save_all(self, names, digest, hook, lane) -> None:
        batch = [self.event(name, digest, self.delivery(hook, lane, "pending", 0)) for name in names]
        first, second = (self.runner.run(store.save_all(batch)) for store in self.stores)
        assert list(first) == list(second)

    @rule(
        owner=OWNERS, limit=st.integers(1, 5), free=st.dictionaries(LANES, st.integers(0, 3)),
        elsewhere=st.integers(0, 3),
        bytes_=st.sampled_from([1, 40, 10**6]),
    )  # fmt: skip
    def claim(self, owner, limit, free, elsewhere, bytes_) -> None:
        claim = Claim(owner, self.tokens + 1, LEASE_S * 1_000_000, free, elsewhere, limit, bytes_)
        self.tokens += limit
        first, second = (self.runner.run(store.claim_due(claim)) for store in self.stores)
        assert list(first) == list(second)

    @rule(
        data=st.data(),
        status=STATUSES,
        lane=LANES,
        due=SECONDS,
        stale=st.booleans(),
        results=st.booleans(),
        emits=NAMES,
    )
    def record(self, data, status, lane, due, stale, results, emits) -> None:
        if not (every := self.lists()):
            return
        one = data.draw(st.sampled_from(every))
        self.tokens += 1
        recording = Recording(
            one.id, one.lease_token + stale, status, lane, self.at(due), self.clock.us,
            Attempt(one.attempts + 1, "s", 0, 1, "done" if status is Status.SUCCEEDED else "retry"),
            attempts=one.attempts + 1, step_attempts=one.attempts % 2, reason=status.value,
            new_results={"one": DONE} if results else {},
            lease=Lease("me", one.lease_token + stale, self.at(LEASE_S)) if status is Status.RUNNING else None,
            emitted=[self.event(emits, b"x", self.delivery("h1", lane, "pending", 0))] if results else (),
        )  # fmt: skip
        self.both(lambda store: store.record(recording))
        first, second = (self.runner.run(store.attempts(one.id)) for store in self.stores)
        assert list(first) == list(second)

    @rule(seconds=st.integers(1, 15))
    def wait(self, seconds) -> None:
        self.clock.us = self.at(seconds)

    @rule(owner=OWNERS, seconds=st.integers(1, 30))
    def renew(self, owner, seconds) -> None:
        self.both(lambda store: store.renew(owner, self.at(seconds)))

    @rule(owner=OWNERS)
    def release(self, owner) -> None:
        self.both(lambda store: store.release(owner))

    @rule()
    def lead(self) -> None:
        self.both(lambda store: store.lead())

    @rule(known=st.lists(HOOKS, max_size=2), reason=st.sampled_from(["removed", "gone"]))
    def hold(self, known, reason) -> None:
        self.both(lambda store: store.hold_orphans({"file": known}, reason))

    @rule(hook=HOOKS, lane=LANES)
    def release_held(self, hook, lane) -> None:
        self.both(lambda store: store.release_held(hook, "file", lane))

    @rule(seconds=SECONDS, reason=st.sampled_from(["removed", "gone"]))
    def cancel_held(self, seconds, reason) -> None:
        self.both(lambda store: store.cancel_held(self.at(seconds), reason))

    @rule(hook=HOOKS, lanes=st.permutations(["l1", "l2", "l4"]))
    def relane(self, hook, lanes) -> None:
        self.both(lambda store: store.relane(hook, "file", {"one": lanes[0], "two": lanes[1]}))

    @rule(data=st.data(), cancel=st.booleans())
    def touch(self, data, cancel) -> None:
        name = data.draw(st.sampled_from([*(one.id for one in self.lists()), "unknown"]))
        self.both(lambda store: store.cancel(name, "by-hand") if cancel else store.retry_now(name))

    @rule(name=NAMES, hook=HOOKS, lane=LANES)
    def add(self, name, hook, lane) -> None:
        new = replace(self.delivery(hook, lane, "pending", 0), replay_of="d1")

        async def try_it(store):
            try:
                return await store.add_delivery("http", name, new)
            except NotFound as error:
                return str(error)

        self.both(try_it)

    @rule(seconds=st.integers(0, 12), payload_s=st.none() | st.integers(0, 5))
    def retain(self, seconds, payload_s) -> None:
        age_us, payload_us = seconds * 1_000_000, None if payload_s is None else payload_s * 1_000_000
        ages = Ages(age_us // 2, age_us, age_us, 2 * age_us, age_us, payload_us)
        aged = self.both(lambda store: store.retention.look(Stretch(0, 2**62, 1000)))
        positions = [one.position for one in aged]
        self.both(lambda store: store.retention.drop_payloads(positions, ages, self.clock.us))
        self.both(lambda store: store.retention.remove(positions, ages, self.clock.us))
        self.both(lambda store: store.retention.figures())
        self.both(lambda store: store.jobs.positions())

    @invariant()
    def they_hold_the_same(self) -> None:
        page = self.both(lambda store: store.deliveries(DeliveryQuery(limit=1000)))
        self.both(lambda store: store.events(EventQuery(limit=1000)))
        counts = self.both(lambda store: store.counts())
        for status in Status:
            assert counts[status] == sum(one.status is status for one in page.items)
        self.both(lambda store: store.next_due_us(self.clock.us))
        for one in page.items:
            if one.order_key is not None:
                self.both(lambda store, name=one.id: store.ahead_of(name))
        running = [(one.hook, one.order_key) for one in page.items if one.order_key and one.status is Status.RUNNING]
        assert len(running) == len(set(running))
        for hook in ("h1", "h2"):
            self.both(lambda store, hook=hook: store.hook_stats(hook, 0))


BothStores.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestBothStoresAgree = BothStores.TestCase
