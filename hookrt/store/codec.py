"""How the parts of a record that have no column of their own are written: as JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from hookrt.errors import StoreError
from hookrt.model.attempt import Exchange
from hookrt.model.delivery import StepResult
from hookrt.model.event import AttributeValue
from hookrt.model.job import Progress

_encode = msgspec.json.Encoder().encode
_decode_results = msgspec.json.Decoder(dict[str, StepResult]).decode_lines
_decode_attributes = msgspec.json.Decoder(dict[str, AttributeValue]).decode
_decode_logs = msgspec.json.Decoder(tuple[str, ...]).decode
_decode_exchange = msgspec.json.Decoder(Exchange).decode
_decode_progress = msgspec.json.Decoder(Progress).decode


def encode_results(results: Mapping[str, StepResult]) -> str:
    """One line that can be appended to those before it; nothing for no results."""
    return _encode_text(results) + "\n" if results else ""


def decode_results(text: str) -> Mapping[str, StepResult]:
    """All results of the lines together; of one step, the last."""
    if not text:
        return {}
    lines: Iterable[dict[str, StepResult]] = _decode_results(text)
    return {step: result for line in lines for step, result in line.items()}


def encode_attributes(attributes: Mapping[str, AttributeValue]) -> str:
    """A JSON object; nothing for no attributes."""
    return _encode_text(attributes) if attributes else ""


def decode_attributes(text: str) -> dict[str, AttributeValue]:
    """The attributes as they were."""
    return _decode_attributes(text) if text else {}


def encode_logs(logs: Sequence[str]) -> str:
    """A JSON list; nothing for no lines."""
    return _encode_text(logs) if logs else ""


def decode_logs(text: str) -> tuple[str, ...]:
    """The lines as they were."""
    return _decode_logs(text) if text else ()


def encode_exchange(exchange: Exchange | None) -> str:
    """A JSON object; nothing for no exchange."""
    return _encode_text(exchange) if exchange is not None else ""


def decode_exchange(text: str) -> Exchange | None:
    """The exchange as it was."""
    return _decode_exchange(text) if text else None


def encode_progress(progress: Progress) -> bytes:
    """A JSON object."""
    return _encode(progress)


def decode_progress(text: bytes) -> Progress:
    """The progress as it was."""
    return _decode_progress(text)


def _encode_text(value: Any) -> str:
    try:
        return _encode(value).decode()
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise StoreError(f"this cannot be stored, since it is not JSON: {error}") from None
