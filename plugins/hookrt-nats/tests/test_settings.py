"""What settings the source `nats` takes."""

import pytest
from hookrt_nats import NatsSourceSettings
from pydantic import ValidationError

from hookrt.testing import read_settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://localhost"},
        {"url": "nats://u:hidden@"},
        {"stream": "A.B"},
        {"subject": "a..b"},
        {"subject": "a.>.b"},
        {"consumer": "a b"},
        {"batch": 0},
        {"ack_wait": "10ms"},
        {"dead_letter": "a.*"},
        {"url": "nats://u:hidden@localhost:70000"},
        {"url": "nats://u:hid/den@localhost"},
    ],
)
def test_bad_settings_are_refused_and_show_no_password(wrong):
    with pytest.raises(ValidationError) as caught:
        read_settings(NatsSourceSettings, {"url": "nats://localhost", "stream": "S", **wrong})
    assert "hidden" not in str(caught.value)
