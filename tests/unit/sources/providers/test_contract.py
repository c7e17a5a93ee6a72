"""Every sender's source keeps the contract that third parties' sources are tested with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from hookrt.plugin import Inbound
from hookrt.testing import SourceContract, inbound

ADDRESS = "https://hooks.example.com/in/sender"


class TestSender(SourceContract):
    @pytest.fixture(autouse=True)
    def _given(self, sender: Any) -> None:
        mine, other = sender.secrets
        self.sender = sender
        self.source = sender.plugin
        self.valid_settings = {"secret": mine}
        self.invalid_settings = ({"secret": mine, "tolerance": 5}, {"secret": mine, "max_body": "much"})
        self.other_secret = other
        self.body = sender.body
        self.signs_body = sender.signs_body
        self.tolerance = timedelta(minutes=5) if sender.timed else None

    def make_request(self, settings: Mapping[str, Any], body: bytes, sent: datetime) -> Inbound:
        signed = self.sender.sign(settings["secret"], body, int(sent.timestamp()))
        return inbound(body, {"content-type": "application/json", **signed}, url=ADDRESS)
