"""What senders are told of a request that is too old, or empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hookrt.plugin.inbound_body import read_json
from hookrt.plugin.refusal import Refused
from hookrt.plugin.verifying import check_age

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_the_bound_of_an_old_request_is_written_as_in_hooks_yaml() -> None:
    with pytest.raises(Refused, match="signed 600 s ago, more than 5m is allowed"):
        check_age(NOW - timedelta(minutes=10), NOW, timedelta(minutes=5))


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_is_called_empty(body: bytes) -> None:
    with pytest.raises(Refused, match="the body is empty, and should be JSON"):
        read_json(body)
