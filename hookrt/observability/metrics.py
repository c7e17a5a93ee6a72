"""Metrics for Prometheus, in a registry of their own.

Labels come from the configuration, or are cut to a fixed number of values, so that no sender of events can fill the
memory with series.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hookrt.model.decision import Decision
from hookrt.model.delivery import Status
from hookrt.plugin.observer import AttemptRecorded, Observer

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

BREAKER_STATES = {"closed": 0, "half-open": 1, "open": 2}
"""The values of the gauge that shows a breaker."""

OTHER = "other"
"""The label value of everything beyond the bounds."""

MAX_SOURCES = 200
"""Sources that are told apart; senders choose them freely."""

MAX_REASONS = 100
"""Reasons that are told apart; plugins choose them freely."""

MAX_SERIES = 50_000
"""Label sets of one metric; more than the hooks of any configuration need."""

_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@+-]{0,99}")
_REASON = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to do at this moment: deliveries by open status, attempts under way by lane; and the states of
    the breakers by lane, and the names of the hooks that are disabled. What actions say of themselves: their facts by
    name, and how many warnings each has. The names of the sources that say that nothing comes in.
    """

    deliveries: Mapping[str, int] = field(default_factory=dict)
    in_flight: Mapping[str, int] = field(default_factory=dict)
    breakers: Mapping[str, str] = field(default_factory=dict)
    disabled: Iterable[str] = ()
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    warnings: Mapping[str, int] = field(default_factory=dict)
    away: Iterable[str] = ()


class Words:
    """Label values of one label: those of the pattern, the first `limit` of them, and `other` for all else."""

    def __init__(self, pattern: re.Pattern[str], limit: int) -> None:
        self._pattern = pattern
        self._limit = limit
        self._known: set[str] = set()

    def word(self, text: str) -> str:
        """The label value for a text."""
        if text in self._known:
            return text
        if len(self._known) >= self._limit or not self._pattern.fullmatch(text):
            return OTHER
        self._known.add(text)
        return text


class _Series:
    """The children of one metric, kept by their labels, since looking them up there costs more than counting."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], Any] = {}

    def child(self, *labels: str) -> Any:
        found = self._children.get(labels)
        if found is None:
            if len(self._children) >= MAX_SERIES:
                labels = (OTHER,) * len(labels)
            found = self._children[labels] = self._metric.labels(*labels)
        return found


class Metrics(Observer):
    """Counts what happens. `load` is asked at each scrape; while it is None, or raises, its gauges are left out.

    Needs `prometheus-client`, which comes with `hookrt[serve]`. Its methods may be called from any thread.
    """

    def __init__(self, load: Callable[[], Load] | None = None) -> None:
        from prometheus_client import CollectorRegistry  # noqa: PLC0415 - not always there

        self.registry = CollectorRegistry()
        self.load = load
        self._sources = Words(_SOURCE, MAX_SOURCES)
        self._reasons = Words(_REASON, MAX_REASONS)
        self._store_bytes = _StoreGauges()
        self._count_events()
        self._count_deliveries()
        self._count_lanes()
        self._count_decisions()
        self._count_process()
        self.registry.register(self._store_bytes)
        self.registry.register(_LoadGauges(self))

    def _count_events(self) -> None:
        self._events = self._series("hookrt_events", "Events accepted.", "source")
        self._duplicates = self._counter("hookrt_duplicates", "Events that had been accepted before.")
        text = "What came in for sources, by what became of it: accepted, duplicate, or the reason of a refusal."
        self._inbound = self._series("hookrt_inbound", text, "source", "outcome")
        text = "Conditions that could not be evaluated."
        self._condition_errors = self._series("hookrt_condition_errors", text, "hook")
        text = "Deliveries cancelled by dedupe, debounce or throttle."
        self._dropped = self._series("hookrt_dropped", text, "hook", "reason")
        text = "Events without a key for a rule, which so did not apply."
        self._missing_keys = self._series("hookrt_missing_keys", text, "hook", "rule")

    def _count_deliveries(self) -> None:
        from prometheus_client import Histogram  # noqa: PLC0415 - see __init__

        self._attempts = self._series("hookrt_attempts", "Attempts.", "hook", "outcome", "reason")
        name, text = "hookrt_attempt_seconds", "Duration of attempts."
        self._seconds = _Series(Histogram(name, text, ("action",), buckets=_SECONDS, registry=self.registry))
        self._deliveries = self._series("hookrt_deliveries", "Deliveries that ended.", "hook", "status")
        text = "Hooks disabled or enabled while running."
        self._switched = self._series("hookrt_hook_switches", text, "hook", "state", "reason")
        text = "Jobs that ended: replays and cancellations of many."
        self._jobs = self._counter("hookrt_jobs", text, "kind", "status")

    def _count_lanes(self) -> None:
        self._breakers = self._series("hookrt_breaker_changes", "Changes of breakers.", "lane", "state")
        self._rests = self._series("hookrt_lane_rests", "Rests that endpoints asked for (429, 503).", "lane")
        text = "Attempts that did not start, and are not spent."
        self._refusals = self._series("hookrt_lane_refusals", text, "lane", "reason")

    def _count_decisions(self) -> None:
        from prometheus_client import Histogram  # noqa: PLC0415 - see __init__

        self._decisions = self._counter("hookrt_decisions", "Decisions.", "decision")
        text = "What hooks said in decisions, and why their on_error had to answer."
        self._answers = self._series("hookrt_decision_answers", text, "hook", "decision", "by", "cause")
        name, text = "hookrt_decision_seconds", "Duration of decisions."
        self._decision_seconds = Histogram(name, text, buckets=_SECONDS, registry=self.registry)

    def _count_process(self) -> None:
        from prometheus_client import Gauge  # noqa: PLC0415 - see __init__

        text = "Readings of the configuration while running."
        self._reloads = self._counter("hookrt_config_reloads", text, "result")
        for result in ("accepted", "rejected"):
            self._reloads.labels(result)
        name, text = "hookrt_config_last_accepted_timestamp_seconds", "When the configuration in use was read."
        self._config_time = Gauge(name, text, registry=self.registry)
        self._config_time.set_to_current_time()
        self._removed = self._series("hookrt_rows_removed", "Rows of the store that retention removed.", "table")
        self._payloads = self._counter("hookrt_payloads_dropped", "Events whose payload retention dropped.")
        text = "Exceptions out of plugins, and plugins not loaded."
        self._plugin_errors = self._counter("hookrt_plugin_errors", text)
        text = "Times that a plugin held up the event loop."
        self._blocks = self._series("hookrt_loop_blocks", text, "kind", "plugin")
        name, text = "hookrt_loop_blocked_seconds", "Seconds for which plugins held up the event loop."
        self._blocked_s = self._series(name, text, "kind", "plugin")
        text = "Tasks that attempts left behind."
        self._leaks = self._series("hookrt_leaked_tasks", text, "action")

    def _series(self, name: str, text: str, *labels: str) -> _Series:
        return _Series(self._counter(name, text, *labels))

    def _counter(self, name: str, text: str, *labels: str) -> Any:
        from prometheus_client import Counter  # noqa: PLC0415 - see __init__

        return Counter(name, text, labels, registry=self.registry)

    def event_accepted(self, source: str, *, duplicate: bool = False) -> None:
        """An event has been stored, or was stored before."""
        if duplicate:
            self._duplicates.inc()
        else:
            self._events.child(self._sources.word(source)).inc()

    def request_received(self, source: str, outcome: str) -> None:
        """A request came in for this source."""
        self._inbound.child(self._sources.word(source), self._reasons.word(outcome)).inc()
        if outcome == "failed":
            self._plugin_errors.inc()

    def attempt_recorded(self, recorded: AttemptRecorded) -> None:
        """An attempt has been committed to the store."""
        attempt = recorded.attempt
        reason = self._reasons.word(attempt.reason) if attempt.reason else ""
        self._attempts.child(recorded.hook, attempt.outcome, reason).inc()
        self._seconds.child(recorded.action).observe(attempt.duration_us / 1_000_000)
        if reason == "exception":
            self._plugin_errors.inc()

    def delivery_ended(self, hook: str, status: Status) -> None:
        """A delivery is final."""
        self._deliveries.child(hook, status.value).inc()

    def decision_made(self, decision: Decision, seconds: float) -> None:
        """A decision was answered."""
        self._decisions.labels(decision.decision).inc()
        self._decision_seconds.observe(seconds)
        for said in decision.hooks:
            cause = self._reasons.word(said.cause) if said.cause else ""
            self._answers.child(said.hook, said.decision, said.by, cause).inc()

    def hook_disabled(self, hook: str, reason: str) -> None:
        """A hook was disabled."""
        self._switched.child(hook, "disabled", reason).inc()

    def hook_enabled(self, hook: str, reason: str) -> None:
        """A hook was enabled again."""
        self._switched.child(hook, "enabled", reason).inc()

    def delivery_dropped(self, hook: str, reason: str) -> None:
        """A delivery was cancelled by a rule of its hook."""
        self._dropped.child(hook, reason).inc()

    def key_missing(self, hook: str, rule: str) -> None:
        """An event had no key for a rule."""
        self._missing_keys.child(hook, rule).inc()

    def breaker_changed(self, lane: str | None, state: str) -> None:
        """The breaker of a lane is in another state."""
        self._breakers.child(OTHER if lane is None else lane, state).inc()

    def lane_rested(self, lane: str | None) -> None:
        """A rest of a lane began."""
        self._rests.child(OTHER if lane is None else lane).inc()

    def start_refused(self, lane: str | None, reason: str) -> None:
        """An attempt did not start."""
        self._refusals.child(OTHER if lane is None else lane, reason).inc()

    def condition_failed(self, hook: str) -> None:
        """A `when` could not be evaluated."""
        self._condition_errors.child(hook).inc()

    def job_ended(self, kind: str, status: str) -> None:
        """A job is final."""
        self._jobs.labels(kind, status).inc()

    def rows_removed(self, table: str, rows: int) -> None:
        """Retention has removed rows."""
        self._removed.child(table).inc(rows)

    def payloads_dropped(self, events: int) -> None:
        """Retention has emptied events."""
        self._payloads.inc(events)

    def store_measured(self, size: int, free: int) -> None:
        """The store's size is known."""
        self._store_bytes.known = (size, free)

    def configuration_read(self, *, accepted: bool) -> None:
        """The configuration was read again."""
        self._reloads.labels("accepted" if accepted else "rejected").inc()
        if accepted:
            self._config_time.set_to_current_time()

    def loop_blocked(self, kind: str, name: str, seconds: float) -> None:
        """A plugin has held up the event loop."""
        self._blocks.child(kind, name).inc()
        self._blocked_s.child(kind, name).inc(seconds)

    def task_leaked(self, action: str, hook: str) -> None:
        """An attempt has left a task behind."""
        self._leaks.child(action).inc()

    def plugin_failed(self, times: int = 1) -> None:
        """A plugin did not load, or raised outside an attempt."""
        self._plugin_errors.inc(times)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The body of `/metrics` and its content type, in the format that the `Accept` header asks for."""
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - see __init__

        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


class _StoreGauges:
    """The size of the store, once it is known."""

    def __init__(self) -> None:
        self.known: tuple[int, int] | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The size as it was measured last."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see Metrics

        if self.known is not None:
            size, free = self.known
            yield GaugeMetricFamily("hookrt_store_bytes", "Bytes that the store takes.", value=size)
            text = "Bytes of them that are free to be used again."
            yield GaugeMetricFamily("hookrt_store_free_bytes", text, value=free)


class _LoadGauges:
    """Asks for the load when the metrics are read."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time, so that registering does not ask for the load."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The gauges of this moment."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see Metrics

        ask = self._metrics.load
        if ask is None:
            return
        try:
            load = ask()
        except Exception:  # the engine is starting or stopping; counters are still worth reading
            return
        deliveries = GaugeMetricFamily("hookrt_open_deliveries", "Deliveries that are not final.", labels=("status",))
        for status, count in load.deliveries.items():
            deliveries.add_metric((str(status),), count)
        yield deliveries
        lanes = GaugeMetricFamily("hookrt_lane_in_flight", "Attempts under way.", labels=("lane",))
        for lane, count in list(load.in_flight.items())[:MAX_SERIES]:
            lanes.add_metric((lane,), count)
        yield lanes
        breakers = GaugeMetricFamily("hookrt_breaker_state", "0 closed, 1 half-open, 2 open.", labels=("lane",))
        for lane, state in list(load.breakers.items())[:MAX_SERIES]:
            breakers.add_metric((lane,), BREAKER_STATES[state])
        yield breakers
        disabled = GaugeMetricFamily("hookrt_hook_disabled", "1 for each hook that is disabled.", labels=("hook",))
        for hook in list(load.disabled)[:MAX_SERIES]:
            disabled.add_metric((hook,), 1)
        yield disabled
        yield _of_sources(load)
        yield from _of_actions(load)


def _of_sources(load: Load) -> Metric:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see Metrics

    text = "1 for each source from which nothing comes now."
    away = GaugeMetricFamily("hookrt_source_away", text, labels=("source",))
    for source in list(load.away)[:MAX_SOURCES]:
        away.add_metric((source,), 1)
    return away


def _of_actions(load: Load) -> Iterable[Metric]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see Metrics

    labels = ("action", "fact", "value")
    info = GaugeMetricFamily("hookrt_action_info", "1 for each fact that an action reports of itself.", labels=labels)
    for action, facts in load.facts.items():
        for name, value in facts.items():
            info.add_metric((action, name, value), 1)
    yield info
    text = "What an action reports as not as it should be; 0 is well."
    warnings = GaugeMetricFamily("hookrt_action_warnings", text, labels=("action",))
    for action, count in load.warnings.items():
        warnings.add_metric((action,), count)
    yield warnings
