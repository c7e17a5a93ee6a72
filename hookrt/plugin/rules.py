"""Which installed plugins may be loaded: `service.plugins`, by the name of a distribution or of a plugin in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

OWN_DISTRIBUTION = "hookrt"
"""The distribution of the built-in actions and sources, which are plugins like any other."""


@dataclass(frozen=True, slots=True)
class PluginRule:
    """A name that somebody wrote into `allow` or `deny`, and where: `hooks.yaml:3:14`."""

    name: str
    where: str

    def names(self, distribution: str, entry_point: str) -> bool:
        """Whether it means this plugin: `hookrt-sms`, `sms`, or `hookrt-sms:sms` for one of several."""
        written, _, one = self.name.partition(":")
        if one:
            return normalized(written) == distribution and one == entry_point
        return written == entry_point or normalized(written) == distribution


@dataclass(frozen=True, slots=True)
class PluginRules:
    """`deny` wins over `allow`. With an `allow` only what it names is loaded, and hookrt's own; None: all are."""

    allow: Sequence[PluginRule] | None = None
    deny: Sequence[PluginRule] = ()
    allow_at: str = ""

    def why_denied(self, distribution: str, entry_point: str) -> str | None:
        """Which line keeps this plugin from being loaded, as the end of a sentence; None when it may be."""
        for rule in self.deny:
            if rule.names(distribution, entry_point):
                return f"denied by `service.plugins.deny` at {rule.where}"
        if self.allow is None or distribution == OWN_DISTRIBUTION:
            return None
        if any(rule.names(distribution, entry_point) for rule in self.allow):
            return None
        return f"not among `service.plugins.allow` at {self.allow_at}"


def normalized(distribution: str) -> str:
    """The name of a distribution as indexes compare it: `Hookrt_SMS` is `hookrt-sms`."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
