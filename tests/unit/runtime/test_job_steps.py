"""How a job counts, keeps its rate, and is shown."""

from dataclasses import replace

import pytest

from hookrt.errors import UsageError
from hookrt.model.delivery import Status
from hookrt.model.ids import derived_id
from hookrt.model.job import MAX_ERRORS, Job, JobError, JobKind, JobStatus, Progress
from hookrt.runtime.jobs.plans import Plan
from hookrt.runtime.jobs.requests import (
    CancelDeliveries,
    ReplayDeliveries,
    ReplayEvents,
    decode_request,
    encode_request,
    kind_of,
)
from hookrt.runtime.jobs.runner import STEP, Pace
from hookrt.store.job_contract import EventWalk
from hookrt.testing import FakeClock


def test_a_step_adds_to_what_was_done_before():
    plan = Plan(after=7, cancel=["a", "b"], skipped=1, errors=[JobError("c", "gone")])
    assert plan.applied_to(Progress(3, 9, 10, 4, 1, 0)) == Progress(7, 9, 10, 6, 2, 1, (JobError("c", "gone"),))


def test_at_the_end_what_is_missing_from_the_total_was_skipped():
    done = Plan(after=9, ended=True, cancel=["a"]).applied_to(Progress(3, 9, 10, 4, 1, 1))
    assert (done.total, done.done, done.skipped, done.failed) == (10, 5, 4, 1)


def test_more_than_was_counted_raises_the_total():
    grown = Plan(after=9, ended=True, cancel=["a", "b"]).applied_to(Progress(3, 9, 1, 1))
    assert (grown.total, grown.done, grown.skipped) == (3, 3, 0)


def test_only_the_first_errors_are_kept_and_all_are_counted():
    errors = [JobError(str(n), "gone") for n in range(MAX_ERRORS + 5)]
    seen = Plan(after=1, errors=errors).applied_to(Progress())
    assert (seen.failed, len(seen.errors)) == (MAX_ERRORS + 5, MAX_ERRORS)


@pytest.mark.parametrize(
    "request_",
    [
        ReplayDeliveries((Status.DEAD, Status.CANCELLED), "h", "timeout", 1, 2, True, True, True, 2.5),
        CancelDeliveries((Status.WAITING,), "h", "busy", 1, 2, 0.5),
        ReplayEvents("h", "A.B", "http", 1, 2, True, True, 3.0),
    ],
)
def test_a_request_is_read_back_as_it_was_written(request_):
    job = Job("job_1", kind_of(request_), JobStatus.QUEUED, encode_request(request_), Progress(), 0, 0)
    assert decode_request(job, type(request_)) in (
        request_,
        replace(request_, **({"statuses": list(request_.statuses)} if hasattr(request_, "statuses") else {})),
    )


def test_a_request_of_another_version_is_refused_in_a_sentence():
    job = Job("job_1", JobKind.REPLAY_EVENTS, JobStatus.QUEUED, b'{"hok": "h"}', Progress(), 0, 0)
    with pytest.raises(UsageError, match="request of the job job_1 cannot be read"):
        decode_request(job, ReplayEvents)


def test_what_is_not_final_is_not_replayed_and_what_is_final_not_cancelled():
    with pytest.raises(UsageError, match="waiting cannot be replayed"):
        _ = ReplayDeliveries((Status.WAITING,)).walk
    with pytest.raises(UsageError, match="dead cannot be cancelled"):
        _ = CancelDeliveries((Status.DEAD,)).walk
    with pytest.raises(UsageError, match="no status"):
        _ = CancelDeliveries(()).walk


def test_events_with_a_delivery_match_only_with_again():
    assert ReplayEvents("h").walk == EventWalk(without_hook="h")
    assert ReplayEvents("h", again=True).walk == EventWalk()


def test_a_derived_id_is_the_same_for_the_same_parts_and_no_other():
    assert derived_id("dlv", "job_1", "dlv_1") == derived_id("dlv", "job_1", "dlv_1")
    assert len({derived_id("dlv", *parts) for parts in (("a", "bc"), ("ab", "c"), ("abc",), ("a", "b", "c"))}) == 4
    assert len(derived_id("dlv", "a")) == len("dlv_") + 26


@pytest.mark.parametrize(("rate", "step"), [(None, STEP), (10_000.0, STEP), (50.0, 12), (1.0, 1), (0.01, 1)])
def test_the_lower_the_rate_the_smaller_the_step(rate, step):
    assert Pace(rate, FakeClock()).step == step


def test_a_rate_is_kept_over_many_steps():
    clock = FakeClock()
    pace = Pace(50.0, clock)
    assert pace.pause(12) == pytest.approx(0.24)
    clock.advance(0.1)  # the next step begins early: it waits for both
    assert pace.pause(12) == pytest.approx(0.38)
    clock.advance(10)  # and late: what was missed is not made up for
    assert pace.pause(12) == pytest.approx(0.24)


def test_without_a_rate_or_without_work_nothing_is_waited_for():
    assert Pace(None, FakeClock()).pause(1000) == 0
    assert Pace(1.0, FakeClock()).pause(0) == 0
