"""The Retry-After header, as seconds or as an HTTP date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from hookrt.model.policy import MAX_DELAY


def parse_retry_after(value: str | None, date: str | None, now: datetime | None = None) -> timedelta | None:
    """How long the endpoint asks to wait, between nothing and MAX_DELAY; None where it says nothing readable.

    An HTTP date is measured against the response's own `Date`, so that the two clocks need not agree; without a
    `Date` against `now`, and without either it gives None.
    """
    if value is None:
        return None
    text = value.strip()
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return min(timedelta(seconds=min(float(text), MAX_DELAY.total_seconds())), MAX_DELAY)
    until, since = _parse_date(text), _parse_date(date) or now
    if until is None or since is None:
        return None
    return min(max(until - since, timedelta(0)), MAX_DELAY)


def _parse_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):  # the header is the endpoint's, and may be anything
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
