"""How the API shows what a hook makes of events of one key."""

from __future__ import annotations

from hookrt.model.hook import Keyed
from hookrt.plugin.settings import format_duration

Rules = dict[str, dict[str, str]]


def show_keyed(keyed: Keyed | None) -> Rules:
    """The rules that there are by their names, each as it is written in hooks.yaml."""
    if keyed is None:
        return {}
    shown: Rules = {name: {"by": key.text.strip()} for name, key in keyed.rules()}
    if keyed.order is not None:
        shown["order"]["blocked"] = "skip" if keyed.order.skip else "wait"
    if keyed.dedupe is not None:
        shown["dedupe"]["within"] = format_duration(keyed.dedupe.within)
    if keyed.debounce is not None:
        shown["debounce"]["wait"] = format_duration(keyed.debounce.wait)
        if keyed.debounce.max is not None:
            shown["debounce"]["max"] = format_duration(keyed.debounce.max)
    if keyed.throttle is not None:
        shown["throttle"]["every"] = format_duration(keyed.throttle.every)
    return shown
