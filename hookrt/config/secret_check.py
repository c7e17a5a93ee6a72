"""Whether the secrets that the configuration mentions are provided."""

from __future__ import annotations

from dataclasses import dataclass, field

from hookrt.config.problem_log import ProblemLog
from hookrt.config.source_text import Span
from hookrt.config.suggest import closest
from hookrt.errors import SecretMissing
from hookrt.secrets.lookup import SecretLookup


@dataclass(slots=True)
class SecretCheck:
    """Looks up each secret that is mentioned and reports a missing one once, at its first mention.

    With `missing_is_error` that is an error, otherwise a warning. `missing` are the names.
    """

    lookup: SecretLookup
    log: ProblemLog
    missing_is_error: bool
    missing: set[str] = field(default_factory=set)

    def check(self, name: str, at: Span) -> bool:
        """Whether the secret is provided."""
        if name in self.missing:
            return False
        try:
            self.lookup.require(name)
        except SecretMissing as error:
            self.missing.add(name)
            close = closest(name, self.lookup.names())
            report = self.log.error if self.missing_is_error else self.log.warn
            report(at, str(error), f"did you mean secrets.{close}?" if close else None)
            return False
        return True
