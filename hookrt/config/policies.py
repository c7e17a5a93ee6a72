"""How long, how often: `timeout`, `retry`, `expires` of a step, a hook and `defaults`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from hookrt.config.fields import Fields, read_duration
from hookrt.config.nodes import ListNode, MapNode, Node, TextNode, describe
from hookrt.config.problem_log import ProblemLog
from hookrt.config.settings_tree import plain_tree
from hookrt.config.suggest import closest, did_you_mean, shorten
from hookrt.config.validation import Target, validate
from hookrt.model.policy import LOGTO, MAX_DELAY, NO_RETRY, STANDARD, RetryPolicy, exponential, fixed, listed
from hookrt.plugin.settings import MAX_DURATION, Duration, Settings, format_duration

MAX_ATTEMPTS = 100
"""Most attempts that a retry policy can ask for."""

POLICY_KEYS = ("timeout", "retry", "max_retry_after")
"""The policy keys of a step."""

HOOK_POLICY_KEYS = (*POLICY_KEYS, "expires")
"""The policy keys of a hook and of `defaults`."""


def _check_delay(delay: timedelta) -> timedelta:
    if delay > MAX_DELAY:
        raise ValueError(_too_long(delay))
    return delay


def _too_long(delay: timedelta) -> str:
    return f"a wait between attempts is 24h at most, this is {format_duration(delay)}"


Delay = Annotated[Duration, AfterValidator(_check_delay)]
"""A wait between two attempts, one day at most."""


class ExponentialRetry(Settings):
    """Waits that grow: `initial`, then `factor` times as long each, up to `max`, for `attempts` attempts in all."""

    initial: Delay = Field(default=timedelta(seconds=10), description="The first wait")
    factor: float = Field(
        default=2.0, ge=1, le=100, description="How many times longer each wait is than the one before"
    )
    max: Delay = Field(default=timedelta(hours=6), description="The longest wait, one day at most")
    attempts: int = Field(default=8, ge=1, le=MAX_ATTEMPTS, description="Attempts in all, the first included")
    jitter: float = Field(default=0.2, ge=0, le=1, description="The share by which each wait varies at random")

    def policy(self) -> RetryPolicy:
        """The waits."""
        return exponential(self.initial, self.factor, self.max, self.attempts, self.jitter)


class FixedRetry(Settings):
    """The same wait each time: `every`, for `attempts` attempts in all."""

    every: Delay = Field(description="The wait, one day at most")
    attempts: int = Field(ge=1, le=MAX_ATTEMPTS, description="Attempts in all, the first included")
    jitter: float = Field(default=0.2, ge=0, le=1, description="The share by which each wait varies at random")

    def policy(self) -> RetryPolicy:
        """The waits."""
        return fixed(self.every, self.attempts, self.jitter)


SHAPES: dict[str, type[ExponentialRetry | FixedRetry]] = {"exponential": ExponentialRetry, "fixed": FixedRetry}
"""The retry policies that take settings."""

NAMED = {"standard": STANDARD, "none": NO_RETRY, "exponential": exponential(), "logto": LOGTO}
"""The retry policies that are a word."""

_HOW = "write standard, none, logto, a list [5s, 1m], {exponential: {...}} or {fixed: {every: 1m, attempts: 5}}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What one level (step, hook, `defaults`) says of time and retries; None where it says nothing."""

    timeout: timedelta | None = None
    retry: RetryPolicy | None = None
    expires: timedelta | None = None
    max_retry_after: timedelta | None = None

    def over(self, other: Policy) -> Policy:
        """This one's words, and the other's where this one says nothing."""
        return Policy(
            self.timeout if self.timeout is not None else other.timeout,
            self.retry if self.retry is not None else other.retry,
            self.expires if self.expires is not None else other.expires,
            self.max_retry_after if self.max_retry_after is not None else other.max_retry_after,
        )

    def retry_over(self, own: RetryPolicy) -> RetryPolicy:
        """The retry policy of a step whose action has this one of its own; a policy's own ceiling is not raised."""
        chosen = self.retry if self.retry is not None else own
        if self.max_retry_after is None:
            return chosen
        return replace(chosen, max_retry_after=min(self.max_retry_after, chosen.max_retry_after))


def read_policy(fields: Fields) -> Policy:
    """The policy keys of a mapping."""
    retry = fields.get("retry")
    return Policy(
        timeout=fields.positive_duration("timeout", MAX_DELAY),
        retry=None if retry is None else read_retry(retry, fields.log),
        expires=fields.positive_duration("expires", MAX_DURATION),
        max_retry_after=_read_ceiling(fields),
    )


def _read_ceiling(fields: Fields) -> timedelta | None:
    """How long an endpoint may ask to wait, at most; `0s` is a ceiling too, and means that it is not listened to."""
    node = fields.get("max_retry_after")
    ceiling = None if node is None else read_duration(node, "`max_retry_after`", fields.log)
    if node is not None and ceiling is not None and ceiling > MAX_DELAY:
        fields.log.error(node, f"`max_retry_after` is {format_duration(MAX_DELAY)} at most")
        return None
    return ceiling


def read_retry(node: Node, log: ProblemLog) -> RetryPolicy | None:
    """A retry policy in one of its forms; None, and it is reported, when it is none of them."""
    if isinstance(node, TextNode):
        if node.text not in NAMED:
            close = closest(node.text, NAMED)
            log.error(node, f"{shorten(node.text)} is no retry policy", f"did you mean {close!r}?" if close else _HOW)
        return NAMED.get(node.text)
    if isinstance(node, ListNode):
        return _read_delays(node, log)
    if isinstance(node, MapNode):
        return _read_shape(node, log)
    return None


def _read_delays(node: ListNode, log: ProblemLog) -> RetryPolicy | None:
    if len(node.items) >= MAX_ATTEMPTS:
        log.error(node, f"a retry policy has at most {MAX_ATTEMPTS} attempts")
        return None
    delays = [read_duration(item, "a wait", log) for item in node.items]
    known = tuple(delay for delay in delays if delay is not None)
    for item, delay in zip(node.items, delays, strict=True):
        if delay is not None and delay > MAX_DELAY:
            log.error(item, _too_long(delay))
    return listed(known) if len(known) == len(delays) else None


def _read_shape(node: MapNode, log: ProblemLog) -> RetryPolicy | None:
    if len(node.entries) != 1:
        log.error(node, f"`retry` as a mapping has one key, this has {len(node.entries)}", _HOW)
        return None
    [(name, entry)] = node.entries.items()
    shape = SHAPES.get(name)
    if shape is None:
        log.error(entry.key, f"{shorten(name)} is no retry policy", did_you_mean(name, SHAPES))
        return None
    if not isinstance(entry.value, MapNode):
        log.error(entry.value, f"`{name}` takes a mapping of settings, this is {describe(entry.value)}", _HOW)
        return None
    tree = plain_tree(entry.value, log)
    made = validate(shape, tree, Target(f"`{name}`", entry.key.span), log).model
    return made.policy() if made is not None else None
