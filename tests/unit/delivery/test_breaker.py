"""The circuit breaker as a pure state machine: what opens it, who is the probe, what closes it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hookrt.delivery.breaker import JITTER, PROBE_S, Breaker, State
from hookrt.model.breaker_policy import BreakerPolicy

POLICY = BreakerPolicy(failures=3, ratio=0.5, attempts=6, window=timedelta(seconds=60), pause=timedelta(seconds=10))


def fail(breaker: Breaker, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        assert breaker.begin(now) is None
        breaker.failed(breaker.turn, now, 0.0)


def opened(policy: BreakerPolicy = POLICY) -> Breaker:
    breaker = Breaker(policy)
    fail(breaker, policy.failures)
    assert breaker.state is State.OPEN
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = Breaker(POLICY)
    fail(breaker, 2)
    assert (breaker.state, breaker.begin(0.0)) == (State.CLOSED, None)
    fail(breaker, 1)
    assert (breaker.state, breaker.begin(0.0)) == (State.OPEN, 10.0)


def test_a_success_ends_the_row() -> None:
    breaker = Breaker(BreakerPolicy(failures=3, attempts=1000))
    for _ in range(50):
        fail(breaker, 2)
        breaker.succeeded(breaker.turn, 0.0)
    assert breaker.state is State.CLOSED


def test_a_bad_share_of_the_attempts_in_a_window_opens_it() -> None:
    breaker = Breaker(POLICY)
    for _ in range(2):
        fail(breaker, 1)
        breaker.succeeded(breaker.turn, 1.0)
    fail(breaker, 1, 2.0)
    assert breaker.state is State.CLOSED, "five attempts are too few to judge a share by"
    fail(breaker, 1, 3.0)
    assert breaker.state is State.OPEN


def test_successes_before_the_first_failure_are_not_in_its_window() -> None:
    breaker = Breaker(POLICY)
    for _ in range(1000):
        assert breaker.calm
        breaker.succeeded(breaker.turn, 0.0)
    fail(breaker, 3)
    assert breaker.state is State.OPEN


def test_failures_that_are_rare_do_not_add_up() -> None:
    breaker = Breaker(POLICY)
    for minute in range(100):
        fail(breaker, 1, minute * 61.0)
        breaker.succeeded(breaker.turn, minute * 61.0)
    assert breaker.state is State.CLOSED
    breaker.succeeded(breaker.turn, 10_000.0)
    assert breaker.calm, "once the window is over, there is nothing to remember"


def test_half_open_lets_one_probe_through() -> None:
    breaker = opened()
    assert breaker.begin(9.9) == 10.0
    assert breaker.begin(10.0) is None
    assert breaker.state is State.HALF_OPEN
    assert breaker.begin(10.0) == 10.0 + PROBE_S


def test_a_successful_probe_closes_it() -> None:
    breaker = opened()
    assert breaker.begin(10.0) is None
    breaker.succeeded(breaker.turn, 11.0)
    assert (breaker.state, breaker.begin(11.0), breaker.calm) == (State.CLOSED, None, True)


def test_each_failed_probe_doubles_the_pause_up_to_the_longest() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(7):
        pauses.append(breaker.until - now)
        now = breaker.until
        assert breaker.begin(now) is None
        breaker.failed(breaker.turn, now, 0.0)
    assert pauses == [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]
    assert breaker.begin(breaker.until) is None
    breaker.succeeded(breaker.turn, breaker.until)
    fail(breaker, 3, breaker.until)
    assert breaker.state is State.OPEN
    assert breaker.wait_until(now) is not None


def test_after_it_was_closed_the_pause_is_short_again() -> None:
    breaker = opened()
    assert breaker.begin(10.0) is None
    breaker.failed(breaker.turn, 10.0, 0.0)
    assert breaker.begin(30.0) is None
    breaker.succeeded(breaker.turn, 30.0)
    fail(breaker, 3, 30.0)
    assert breaker.until == 40.0


def test_a_probe_that_tells_nothing_leaves_the_place_to_another_one() -> None:
    breaker = opened()
    assert breaker.begin(10.0) is None
    breaker.unclear(breaker.turn)
    assert breaker.state is State.HALF_OPEN
    assert breaker.begin(10.5) is None


def test_late_results_of_attempts_that_began_before_a_change_do_not_count() -> None:
    breaker = Breaker(POLICY)
    turn = breaker.turn
    fail(breaker, 3)
    breaker.succeeded(turn, 1.0)
    breaker.failed(turn, 1.0, 0.0)
    assert (breaker.state, breaker.until) == (State.OPEN, 10.0)
    assert breaker.begin(10.0) is None
    for late in (breaker.succeeded, lambda turn, now: breaker.failed(turn, now, 0.0)):
        late(turn, 10.0)
        assert breaker.state is State.HALF_OPEN
    breaker.unclear(turn)
    assert breaker.begin(10.0) is not None, "the probe is still under way"


def test_breakers_that_opened_together_do_not_probe_together() -> None:
    breaker = Breaker(POLICY)
    for _ in range(3):
        breaker.failed(breaker.turn, 0.0, 1.0)
    assert breaker.until == 10.0 * (1 + JITTER)


POLICIES = st.builds(
    BreakerPolicy,
    failures=st.integers(1, 8),
    ratio=st.floats(0.05, 1.0),
    attempts=st.integers(2, 12),
    window=st.floats(1, 100).map(lambda seconds: timedelta(seconds=seconds)),
    pause=st.floats(0.1, 20).map(lambda seconds: timedelta(seconds=seconds)),
    max_pause=st.floats(20, 300).map(lambda seconds: timedelta(seconds=seconds)),
)


class AnyCourse(RuleBasedStateMachine):
    """Attempts that begin, end well, badly or unclear, in any order, however long after."""

    @initialize(policy=POLICIES)
    def begin(self, policy: BreakerPolicy) -> None:
        self.breaker, self.policy, self.now = Breaker(policy), policy, 0.0
        self.under_way: list[int] = []
        self.failures = 0  # since the last change

    @rule(seconds=st.floats(0, 60))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def an_attempt_wants_to_begin(self) -> None:
        before, told = self.breaker.state, self.breaker.wait_until(self.now)
        closed = before is State.OPEN and self.now < self.breaker.until
        until = self.breaker.begin(self.now)
        assert until == told
        if until is None:
            assert not closed
            self.under_way.append(self.breaker.turn)
        else:
            assert before is not State.CLOSED
            assert until > self.now
        if before is not self.breaker.state:
            self.failures = 0

    @precondition(lambda self: self.under_way)
    @rule(number=st.integers(0, 50), chance=st.floats(0, 1), how=st.sampled_from(["good", "bad", "bad", "unclear"]))
    def an_attempt_ends(self, number: int, chance: float, how: str) -> None:
        breaker, before = self.breaker, (self.breaker.state, self.breaker.turn)
        turn = self.under_way.pop(number % len(self.under_way))
        self.failures += how == "bad" and turn == breaker.turn
        if how == "good":
            breaker.succeeded(turn, self.now)
        elif how == "bad":
            breaker.failed(turn, self.now, chance)
        else:
            breaker.unclear(turn)
        if turn != before[1]:
            assert (breaker.state, breaker.turn) == before, "late results change nothing"
        elif breaker.turn != turn:
            self._check_change(before[0])

    def _check_change(self, before: State) -> None:
        if self.breaker.state is State.OPEN:
            pause = self.breaker.until - self.now
            assert self.policy.pause.total_seconds() - 1e-6 <= pause
            assert pause <= self.policy.max_pause.total_seconds() * (1 + JITTER) + 1e-6
            if before is State.CLOSED:
                assert self.failures >= min(self.policy.failures, self.policy.ratio * self.policy.attempts)
        self.failures = 0

    @invariant()
    def one_probe_at_a_time(self) -> None:
        if self.breaker.state is State.HALF_OPEN:
            assert self.under_way.count(self.breaker.turn) <= 1

    @invariant()
    def what_need_not_be_told_is_no_secret(self) -> None:
        assert not self.breaker.calm or (self.breaker.state is State.CLOSED and self.breaker.row == 0)

    def teardown(self) -> None:
        """An endpoint that works again is found out, whatever happened."""
        if not hasattr(self, "breaker"):
            return
        for turn in self.under_way:
            self.breaker.unclear(turn)
        now = max(self.now, self.breaker.until)
        assert self.breaker.begin(now) is None
        self.breaker.succeeded(self.breaker.turn, now)
        assert (self.breaker.state, self.breaker.begin(now)) == (State.CLOSED, None)


TestAnyCourse = AnyCourse.TestCase
