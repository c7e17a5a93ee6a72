"""The hook: which events, under which condition, which steps, under which policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from hookrt.model.access import Access
from hookrt.model.breaker_policy import DEFAULT_BREAKER, BreakerPolicy
from hookrt.model.decision import Choice
from hookrt.model.delivery import StepResult
from hookrt.model.event import Event
from hookrt.model.policy import DEFAULT_EXPIRES, DEFAULT_TIMEOUT, NO_RETRY, RetryPolicy


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may see. A condition of a hook sees no `steps`; only settings see `secrets`, and only a
    source's expressions see `request`: its `body`, `headers` and `query`.
    """

    event: Event
    hook: str
    env: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, StepResult] = field(default_factory=dict)
    secrets: Callable[[str], str] | None = None
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The value of one part of a condition: what `explain` shows when a hook does not fire."""

    expression: str
    value: str
    problem: str | None = None


class Condition(Protocol):
    """A compiled `when`."""

    @property
    def text(self) -> str:
        """The expression as written."""
        ...

    def holds(self, scope: Scope) -> bool:
        """Whether it is true; raises ExpressionError when it cannot be evaluated, which means false."""
        ...

    def explain(self, scope: Scope) -> list[Finding]:
        """The parts that made it false, or unanswerable, each with its value."""
        ...


class Key(Protocol):
    """A compiled `by`."""

    @property
    def text(self) -> str:
        """The expression as written."""
        ...

    def of(self, scope: Scope) -> str:
        """The key of this event; raises ExpressionError when it has none."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """Deliveries of one key run one at a time, in the order of commit; with `skip`, others pass one that waits for a
    retry.
    """

    by: Key
    skip: bool = False


@dataclass(frozen=True, slots=True)
class Dedupe:
    """Of one key only the first within this time is delivered."""

    by: Key
    within: timedelta


@dataclass(frozen=True, slots=True)
class Debounce:
    """Of one key only the last is delivered, this long after it, or `max` after the first of the burst."""

    by: Key
    wait: timedelta
    max: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Throttle:
    """Of one key at most one in this time is delivered."""

    by: Key
    every: timedelta


@dataclass(frozen=True, slots=True)
class Keyed:
    """What a hook makes of events of the same key, which each rule has of its own."""

    order: Order | None = None
    dedupe: Dedupe | None = None
    debounce: Debounce | None = None
    throttle: Throttle | None = None

    def rules(self) -> list[tuple[str, Key]]:
        """The names of the rules that there are, each with its key."""
        rules = (
            ("order", self.order),
            ("dedupe", self.dedupe),
            ("debounce", self.debounce),
            ("throttle", self.throttle),
        )
        return [(name, rule.by) for name, rule in rules if rule is not None]


class StepSettings(Protocol):
    """A step's settings, fixed or with expressions in them."""

    def render(self, scope: Scope) -> Any:
        """The validated settings model for this event; raises ExpressionError naming the YAML line."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the configuration; line and column count from 1.

    Both are 0 for all of something that has no lines: a variable, a flag.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line of somebody's text in its file; `text` is None where it is not to be shown."""

    place: Place
    text: str | None = None


FindLine = Callable[[int], WrittenLine]
"""Finds a line (from 1) of a text setting in the file that it stands in."""


@dataclass(frozen=True, slots=True)
class Step:
    """The place of an action in a hook.

    `action` is the registered name. `lane` is known when the file is read: a destination's name, a literal origin,
    or the hook. `keeps_output` says that a later step mentions the output, so that it is worth storing. `rendered` are
    the settings, by their first key, that hold an expression. `shown` are those, as written, that its action counts
    to the policy of a step. `written` finds the lines of its static texts (code, say).
    """

    id: str
    action: str
    settings: StepSettings
    lane: str
    when: Condition | None = None
    timeout: timedelta = DEFAULT_TIMEOUT
    retry: RetryPolicy = NO_RETRY
    continue_on_error: bool = False
    keeps_output: bool = False
    place: Place | None = None
    trusted_origins: tuple[str, ...] = ()
    rendered: frozenset[str] = frozenset()
    shown: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, FindLine] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hook:
    """A named rule. `origin` names its provider: `file`, `code` or `store`.

    `patterns` are event types or patterns. `source` is the only source whose events count, None for any. `definition`
    is a digest of it as it is written, where it is. `keyed` is None for most: each event is delivered by itself.
    `on_error` is there exactly for a hook of `mode: decide`, which no event fires: what it says when it cannot answer.
    """

    name: str
    patterns: tuple[str, ...]
    steps: tuple[Step, ...]
    source: str | None = None
    when: Condition | None = None
    enabled: bool = True
    description: str = ""
    expires: timedelta = DEFAULT_EXPIRES
    origin: str = "file"
    place: Place | None = None
    definition: str = ""
    keyed: Keyed | None = None
    on_error: Choice | None = None

    @property
    def decides(self) -> bool:
        """Whether it is asked for decisions, and fires for nothing."""
        return self.on_error is not None

    def step_after(self, results: Mapping[str, StepResult]) -> Step | None:
        """The first step, in present order, that has no result; None when all have one."""
        for step in self.steps:
            if step.id not in results:
                return step
        return None


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret that signs what goes to an endpoint, until a time where a rotation overlaps. Never printed."""

    value: str = field(repr=False)
    until: datetime | None = None


class RequestSigner(Protocol):
    """What signs requests by one scheme, with the secrets that are valid at the time."""

    @property
    def secrets(self) -> tuple[SigningSecret, ...]:
        """The secrets, which are never to be shown."""
        ...

    @property
    def header_names(self) -> frozenset[str]:
        """The headers that it makes, in lower case: nobody sets them by hand."""
        ...

    def sign(self, message_id: str, started: datetime, body: bytes) -> Mapping[str, str]:
        """The headers for one attempt, names in lower case; none when no secret is valid any more."""
        ...


BodyFormat = Literal["standard", "cloudevents", "cloudevents-binary", "raw", "logto"]
"""How an event is written into a request: its body, and the headers that belong to it."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where steps send: a named entry, or an origin as the key. Owns limits and credentials of its lane.

    `concurrency` is the most requests under way at once, `rate` the most per second; None is the service's default
    and no limit. `breaker` says when it is left alone because it fails; None for never. `signing_secrets` sign by the
    Standard Webhooks, `signing` by any scheme; `format` is how events are written for it, None for the action's own.
    With `authorized` the header `authorization` is its own, and not to be set by hand. `access` goes with each request
    (`call.http.send(..., access=...)`), None where headers do.
    """

    name: str
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    signing_secrets: tuple[SigningSecret, ...] = field(default=(), repr=False)
    concurrency: int | None = None
    rate: float | None = None
    place: Place | None = None
    breaker: BreakerPolicy | None = DEFAULT_BREAKER
    signing: tuple[RequestSigner, ...] = field(default=(), repr=False)
    format: BodyFormat | None = None
    authorized: bool = False
    access: Access | None = None
