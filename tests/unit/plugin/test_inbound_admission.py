"""What a source of webhooks must be like to be let in; every fault is named."""

from __future__ import annotations

from typing import Any

import pytest

from hookrt.plugin import Inbound, InboundSettings, InboundSource, OpenInboundSettings, Received, Settings, Source
from hookrt.plugin.admission import source_faults
from hookrt.sources.logto import Logto


class Sound(InboundSource[InboundSettings]):
    """Webhooks of nobody."""

    name = "sound"
    short = "secret"

    def receive(self, request: Inbound, settings: InboundSettings) -> Received:
        return Received("sound.heard")


class NoSecrets(OpenInboundSettings):
    """Of a source that may go without a secret."""


class Plain(Settings):
    """Not of a source of webhooks."""


def variant(**attributes: Any) -> type:
    return type("Variant", (Sound,), attributes)


def test_a_sound_source_has_no_faults() -> None:
    assert source_faults(Sound) == []
    assert source_faults(variant(settings=NoSecrets, short=None)) == []
    assert source_faults(Logto) == []


def test_it_needs_no_run_and_may_have_one() -> None:
    async def run(self: Any, source: Any) -> None: ...

    assert Sound.run is Source.run
    assert source_faults(variant(run=run)) == []
    assert source_faults(variant(run=lambda self, source: None)) == ["its `run` is no `async def`"]


async def receive_later(self: Any, request: Inbound, settings: InboundSettings) -> Received:
    return Received("sound.heard")


@pytest.mark.parametrize(
    ("attributes", "fault"),
    [
        ({"receive": InboundSource.receive}, "it has no `receive`"),
        ({"receive": receive_later}, "its `receive` must be a plain `def`, not async"),
        ({"settings": Plain, "short": None}, "its settings are no subclass of hookrt.plugin.InboundSettings"),
        ({"max_body": 0}, "its `max_body` is 0, which is no number of bytes"),
        ({"max_body": "1MiB"}, "its `max_body` is '1MiB', which is no number of bytes"),
        ({"methods": "POST"}, "its `methods` is no set of HTTP methods"),
        ({"methods": frozenset()}, "its `methods` is no set of HTTP methods"),
        ({"name": "No Name"}, "its name is 'No Name'"),
        ({"short": "nothing"}, "its `short` is 'nothing', which is none of its settings"),
    ],
)
def test_each_fault_is_named(attributes: dict[str, Any], fault: str) -> None:
    [found] = source_faults(variant(**attributes))
    assert found.startswith(fault)


def test_the_base_itself_is_no_source() -> None:
    assert source_faults(InboundSource) == ["InboundSource is no subclass of hookrt.plugin.Source"]
