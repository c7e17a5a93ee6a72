"""What a runtime carries at the moment, as the metrics show it."""

from __future__ import annotations

from hookrt.observability.metrics import Load
from hookrt.runtime import Runtime


def load_of(runtime: Runtime) -> Load:
    """The load of a runtime, also of one that does not run."""
    open_deliveries = {status.value: count for status, count in runtime.counts.items() if not status.final}
    in_flight = {lane: under_way for lane, (_, under_way) in runtime.lanes.items()}
    disabled = runtime.control.hooks.disabled if runtime.ready else ()
    reports = runtime.action_reports
    facts = {name: report.facts for name, report in reports.items()}
    warnings = {name: len(report.warnings) for name, report in reports.items()}
    away = [name for name, account in runtime.inbound.accounts().items() if account.away]
    return Load(open_deliveries, in_flight, runtime.breakers, disabled, facts, warnings, away)
