"""Tests of hooks that people ask for: an event is made up, and the hook runs for it there and then."""

from __future__ import annotations

from dataclasses import dataclass

from hookrt.clock import from_us
from hookrt.delivery.ports import Ports
from hookrt.delivery.trial import Trial, TrialResult
from hookrt.errors import EventError, NotFound
from hookrt.matching.router import HookExplanation, Router
from hookrt.model.event import Event, check_event, encode_data
from hookrt.model.hook import Hook
from hookrt.runtime.samples import Sample, Samples

TEST_ATTRIBUTE = "hookrttest"
"""The attribute of an event that was made up for a test."""

TEST_SOURCE = "test"
"""The source of such an event, where the hook does not wait for one of its own."""


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """What to test with: an event's type, and its data as JSON text.

    Without a type it is the hook's first literal one, else the first known one that it listens to; without data it is
    that type's sample.
    """

    type: str | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class HookTrial:
    """A test that is over. `sample` is the sample that it was made with, `explanation` whether such an event would
    fire the hook by itself, its being disabled at run time apart.
    """

    result: TrialResult
    sample: Sample | None
    explanation: HookExplanation


class HookTrials:
    """Tests hooks, as `hookrt.delivery.trial` says; `samples` are what they can be tested with."""

    def __init__(self, ports: Ports, samples: Samples) -> None:
        self._ports = ports
        self._trial = Trial(ports)
        self.samples = samples

    async def run(self, name: str, order: TrialOrder) -> HookTrial:
        """Test a hook, also one that is disabled or would not want the event; nothing of it is recorded.

        Raises NotFound for an unknown hook, EventError for an event that cannot be.
        """
        hook = self._ports.router.get(name)
        if hook is None:
            raise NotFound(f"no hook is named {name!r}")
        type = order.type or self._type_for(hook)
        sample = None if order.content is not None else self.samples.find_or_generic(type)
        event = self._event(hook, type, order, sample)
        check_event(event)
        result = await self._trial.run(event, hook)
        return HookTrial(result, sample, Router([hook]).explain(event, self._ports.env)[0])

    def _type_for(self, hook: Hook) -> str:
        found = self.samples.first_type(hook.patterns)
        if found is None:
            patterns = ", ".join(hook.patterns)
            raise EventError(
                f"the hook {hook.name!r} listens to {patterns}, of which there is no sample: say with which type"
            )
        return found

    def _event(self, hook: Hook, type: str, order: TrialOrder, sample: Sample | None) -> Event:
        content = order.content if sample is None else encode_data(sample.data)
        assert content is not None
        return Event(
            id=self._ports.ids.new("test"),
            type=type,
            source=hook.source or TEST_SOURCE,
            time=from_us(self._ports.clock.now_us()),
            subject=None if sample is None else sample.subject,
            content=content,
            attributes={TEST_ATTRIBUTE: True},
        )
