"""The reference of the metrics, made from the metrics themselves."""

from __future__ import annotations

from collections.abc import Iterator

from hookrt.observability.metrics import Load, Metrics

_EVERYTHING = Load(
    deliveries={"pending": 0},
    in_flight={"lane": 0},
    breakers={"lane": "closed"},
    disabled=["hook"],
    facts={"action": {"fact": "value"}},
    warnings={"action": 0},
    away=["source"],
)
_OF_THE_LIBRARY = ("le", "quantile")


def metrics_page() -> Iterator[str]:
    """Each metric with its labels and what it means."""
    metrics = Metrics(lambda: _EVERYTHING)
    metrics.store_measured(0, 0)
    labels = {name: tuple(one._labelnames) for one, name in _declared(metrics)}
    yield "# Metrics"
    yield ""
    yield "At `/metrics`, in the format of Prometheus. [In production](../../production.md#what-to-watch)"
    yield "says what to watch."
    yield "Label values that others choose freely are counted as `other` above a fixed number."
    yield ""
    yield "| metric | kind | labels | meaning |"
    yield "|---|---|---|---|"
    for family in sorted(metrics.registry.collect(), key=lambda one: one.name):
        sampled = {label for one in family.samples for label in one.labels if label not in _OF_THE_LIBRARY}
        named = labels.get(family.name) or tuple(sorted(sampled))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield f"| `{name}` | {family.type} | {', '.join(f'`{one}`' for one in named)} | {family.documentation} |"


def _declared(metrics: Metrics) -> Iterator[tuple[object, str]]:
    """The metrics whose labels are declared, which shows in no sample before there is one."""
    for collector in metrics.registry._collector_to_names:
        if hasattr(collector, "_labelnames"):
            yield collector, collector._name
