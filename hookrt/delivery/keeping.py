"""An outcome made fit to be kept: well formed, masked, bounded, and free of what no store could write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from hookrt.delivery.attempt_log import AttemptLog, bounded_lines
from hookrt.errors import EventError
from hookrt.model.json_depth import check_depth
from hookrt.model.outcome import Emission, Outcome, OutcomeKind

MAX_OUTPUT = 256 * 1024
"""Bytes of JSON that a step's output may have when a later step mentions it."""

MAX_OUTPUT_DEPTH = 128
"""Deepest nesting of such an output: that of an event, with as much around it. Whoever reads it recurses."""

MAX_MESSAGE = 2_000
"""Characters of an outcome's message that are kept."""

MAX_REASON = 100
"""Characters of an outcome's reason that are kept; it is meant to be one word."""

_MAX_MASKED = 64 * 1024
"""Characters of a text that are looked through for secrets; the rest is cut off before."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Mask = Callable[[str], str]


def fault_of(returned: Any) -> str | None:
    """What is wrong with what an action returned, None for a well-formed Outcome."""
    if not isinstance(returned, Outcome):
        return "returned no Outcome"
    outcome: Any = returned  # whose fields may hold anything
    if not isinstance(outcome.kind, OutcomeKind):
        return "returned an Outcome whose kind is no OutcomeKind"
    if not _is_text(outcome.reason) or not _is_text(outcome.message):
        return "returned an Outcome whose reason or message is no text"
    if outcome.retry_after is not None and not isinstance(outcome.retry_after, timedelta):
        return "returned an Outcome whose retry_after is no timedelta"
    if outcome.slow_down is not None and not isinstance(outcome.slow_down, timedelta):
        return "returned an Outcome whose slow_down is no timedelta"
    if not _is_text(outcome.disable):
        return "returned an Outcome whose disable is no text"
    if outcome.logs and not all(isinstance(line, str) for line in outcome.logs):
        return "returned an Outcome whose logs are no texts"
    if outcome.events and not all(_is_emission(one) for one in outcome.events):
        return "emits something that is no Emission of texts"
    return None


def keep_outcome(outcome: Outcome, mask: Mask, *, keeps_output: bool) -> Outcome:
    """The outcome with texts that may be stored, and its output as a store gives it back.

    An output that is no JSON of a bearable size makes it a reject; it is looked at only when it will be stored.
    """
    if outcome.reason is not None or outcome.message is not None or outcome.disable is not None:
        outcome = replace(
            outcome,
            reason=_fit(outcome.reason, mask, MAX_REASON),
            message=_fit(outcome.message, mask, MAX_MESSAGE),
            disable=_fit(outcome.disable, mask, MAX_MESSAGE),
        )
    if not keeps_output or outcome.kind is not OutcomeKind.DONE or outcome.output is None:
        return outcome
    try:
        text = _encode(outcome.output)
        check_depth(text, MAX_OUTPUT_DEPTH)
    except (TypeError, ValueError, RecursionError, OverflowError, EventError) as error:
        return Outcome.reject("bad-output", f"the output is no JSON: {error}", logs=outcome.logs)
    if len(text) > MAX_OUTPUT:
        return Outcome.reject(
            "bad-output", f"the output has {len(text)} bytes, more than {MAX_OUTPUT}", logs=outcome.logs
        )
    return replace(outcome, output=_decode(text))


def keep_logs(outcome: Outcome, log: AttemptLog, mask: Mask) -> tuple[str, ...]:
    """The lines of an attempt as they are recorded; masked before they are cut, so that no part of a secret stays."""
    if not (log.lines or outcome.logs):
        return ()
    return bounded_lines([*log.lines, *outcome.logs], log.dropped, lambda line: keep_text(line, mask))


def keep_text(text: str, mask: Mask) -> str:
    """A text masked, and with `?` for each half of a character, which no store could write."""
    masked = mask(text[:_MAX_MASKED])
    return masked if masked.isascii() else masked.encode("utf-8", "replace").decode()


def own_copy(value: Any) -> Any:
    """A JSON value that its holder may change."""
    return _decode(_encode(value)) if isinstance(value, (dict, list)) else value


def _fit(text: str | None, mask: Mask, most: int) -> str | None:
    if text is None:
        return None
    kept = keep_text(text, mask)
    return kept if len(kept) <= most else kept[:most] + "…"


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_emission(value: Any) -> bool:
    if not isinstance(value, Emission):
        return False
    emission: Any = value
    return isinstance(emission.type, str) and _is_text(emission.subject) and _is_text(emission.id)
