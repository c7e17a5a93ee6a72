"""What a load takes and what it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hookrt.config.stamp import Stamp
from hookrt.model.hook import Destination, Hook
from hookrt.model.hook_test import HookTest
from hookrt.model.problem import Problem, Severity
from hookrt.plugin.protocols import Secrets
from hookrt.plugin.registry import Registry
from hookrt.secrets.lookup import SecretLookup
from hookrt.secrets.masking import Masker

if TYPE_CHECKING:  # what it takes to read them is imported when there is something to read
    from hookrt.config.service import ServiceSettings
    from hookrt.config.sources import SourceEntry


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What a load needs beside the files.

    `env` is the environment: settings, secrets and `env.NAME` are read from it. `secrets` answers every
    `secrets.NAME`; without one it is made from `service.secrets`, the plugins' providers and, asked last,
    `last_resort`. `missing_secrets` says whether a secret that nobody provides is a warning or an error. `service`
    are settings that win over the file and the variables: flags, or an embedder's words.
    """

    registry: Registry
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: SecretLookup | None = None
    missing_secrets: Literal["warn", "error"] = "warn"
    service: Mapping[str, Any] = field(default_factory=dict, repr=False)
    last_resort: Sequence[Secrets] = ()
    masker: Masker | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration without errors.

    `destinations` are by name or origin. `missing_secrets` are the names of secrets that nobody provides: what needs
    them (a destination, a source, a token) is left out here, so a service must not start with any. `secrets` answers
    the rest at run time, and its `masker` knows every value that it gave. `fingerprints` are of the hooks, by name:
    equal ones for hooks that are written alike, wherever they stand. `empty` says that no file has a `hooks:` section
    with anything in it, be it `{}`. `lacking_sources` are the names of sources that are left out for their secrets.
    `tests` are the hooks' examples, in order.
    """

    hooks: tuple[Hook, ...]
    destinations: Mapping[str, Destination]
    sources: tuple[SourceEntry, ...]
    service: ServiceSettings
    base_dir: Path
    files: tuple[Path, ...]
    secrets: SecretLookup
    warnings: tuple[Problem, ...] = ()
    missing_secrets: frozenset[str] = frozenset()
    fingerprints: Mapping[str, bytes] = field(default_factory=dict)
    empty: bool = False
    lacking_sources: tuple[str, ...] = ()
    tests: tuple[HookTest, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load gives: the configuration, None when there is any error, and all problems, warnings too.

    `seen` is how the text files that settings name (snippets, say) looked just before they were read.
    """

    configuration: Configuration | None
    problems: tuple[Problem, ...] = ()
    seen: frozenset[Stamp] = frozenset()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the configuration unusable."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)
