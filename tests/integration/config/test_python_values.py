"""`Runtime.from_dict`: what a hooks.yaml would hold, as Python values, by the same rules and with the same problems."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hookrt import Runtime
from hookrt.errors import ConfigError, UsageError


def test_everything_that_a_file_can_hold_can_be_given() -> None:
    runtime = Runtime.from_dict(
        {
            "service": {
                "drain": timedelta(seconds=2),
                "limits": {"concurrency": 3},
                "egress": {"allow": ["10.0.0.0/8"]},
            },
            "sources": {"nightly": {"schedule": {"cron": "0 3 * * *", "type": "Nightly.Report"}}},
            "destinations": {"crm": {"url": "https://crm.example.com", "rate": "100/s"}},
            "hooks": {"trace": {"on": "Order.**", "steps": [{"log": "order ${{ event.data.order }}"}]}},
        },
        store="memory:",
    )
    found = runtime.configuration
    assert found is not None
    assert (found.service.drain, found.service.limits.concurrency) == (timedelta(seconds=2), 3)
    assert ([one.name for one in found.sources], list(found.destinations)) == (["nightly"], ["crm"])

    async def work() -> None:
        async with runtime:
            [delivery] = await (await runtime.emit("Order.Paid", {"order": 1})).wait(timeout=20)
            assert delivery.status == "succeeded"

    asyncio.run(work())


def test_all_problems_are_reported_at_once_as_in_a_file() -> None:
    settings = {"service": {"drian": "8s"}, "hooks": {"a": {"on": "A.B", "steps": [{"lgo": "x"}]}}}
    with pytest.raises(ConfigError) as raised:
        Runtime.from_dict(settings)
    assert "settings:3:3: error: `service` has no setting 'drian'" in str(raised.value)
    assert "there is no action 'lgo'" in str(raised.value)
    assert "did you mean 'log'?" in str(raised.value)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"8s", float("nan")])
def test_a_value_that_no_file_can_hold_is_refused_in_a_sentence(value: Any) -> None:
    with pytest.raises(UsageError, match="settings: "):
        Runtime.from_dict({"service": {"drain": value}})


def test_a_plugin_that_the_settings_deny_is_not_loaded() -> None:
    settings = {"service": {"plugins": {"deny": ["python"]}}}
    [denied] = [one for one in Runtime.from_dict(settings, store="memory:").registry.plugins if one.denied]
    assert (denied.entry_point, denied.denied) == ("python", "denied by `service.plugins.deny` at settings:5:5")


def test_relative_paths_are_those_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runtime = Runtime.from_dict({})
    assert runtime.store.url == f"sqlite:///{tmp_path}/.hookrt/hookrt.db"
