"""Jobs in the metrics."""

from hookrt.delivery.telling import Telling
from hookrt.observability.metrics import Metrics
from hookrt.plugin.observer import Observer


class Lines:
    """A log that is not expected to be written to."""

    def error(self, event, **fields):
        raise AssertionError(event)

    debug = info = warning = error


def test_a_job_that_ended_is_counted_by_kind_and_status():
    metrics = Metrics()
    telling = Telling([Observer(), metrics], Lines())
    telling.job_ended("deliveries.replay", "done")
    telling.job_ended("deliveries.replay", "done")
    body, _ = metrics.render()
    assert b'hookrt_jobs_total{kind="deliveries.replay",status="done"} 2.0' in body
