"""A hook whose step is a function of the program: its other keys, read by the very rules of `hooks.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookrt.config.code_values import node_of
from hookrt.config.context import LoadContext
from hookrt.config.deciding import read_deciding
from hookrt.config.fields import Fields
from hookrt.config.keyed import read_keyed
from hookrt.config.nodes import MapNode
from hookrt.config.policies import Policy, read_policy
from hookrt.config.problem_log import ProblemLog
from hookrt.config.secret_check import SecretCheck
from hookrt.config.source_text import Span
from hookrt.config.text_files import TextFiles
from hookrt.errors import UsageError
from hookrt.model.decision import Choice
from hookrt.model.hook import Keyed
from hookrt.model.policy import DEFAULT_EXPIRES
from hookrt.plugin.registry import Registry
from hookrt.secrets.lookup import SecretLookup
from hookrt.secrets.masking import Masker


@dataclass(frozen=True, slots=True)
class CodeHook:
    """What the keys said; where they said nothing, the `policy` has None. `on_error` is there for `mode: decide`."""

    policy: Policy = field(default_factory=Policy)
    keyed: Keyed | None = None
    on_error: Choice | None = None


def read_code_hook(name: str, given: Mapping[str, Any], registry: Registry) -> CodeHook:
    """The keys `timeout`, `retry`, `expires`, `order`, `dedupe`, `debounce`, `throttle`, `mode` and `on_error`.

    Raises UsageError with all problems at once.
    """
    if not given:
        return CodeHook()
    log, what = ProblemLog(), f"hook {name!r}"
    node = node_of(given, what, log)
    fields = Fields(node if isinstance(node, MapNode) else MapNode(Span.whole(what)), what, log)
    on_error, policy = read_deciding(fields), read_policy(fields)
    secrets = SecretCheck(SecretLookup((), Masker()), log, missing_is_error=True)
    context = LoadContext(log, registry, secrets, TextFiles(Path(), log))
    keyed = read_keyed(fields, policy.expires or DEFAULT_EXPIRES, context)
    if log.has_errors:
        problems = (f"{one.message} ({one.hint})" if one.hint else one.message for one in log.sorted())
        raise UsageError(f"{what}: {'; '.join(problems)}")
    return CodeHook(policy, keyed, on_error)
