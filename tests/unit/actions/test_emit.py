"""The action `emit`."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
import pytest

from hookrt.actions.emit import MAX_EVENTS, Emit, hookrt_actions
from hookrt.model.outcome import Emission, Outcome, OutcomeKind
from hookrt.testing import call_for, event

HAPPENED = event("Order.Created", {"n": 1})


def run(settings: dict[str, Any]) -> Outcome:
    return asyncio.run(Emit().run(call_for(Emit, settings, event=HAPPENED)))


def test_the_action_is_found_as_emit_and_a_bare_text_is_the_type() -> None:
    assert [action.name for action in hookrt_actions()] == ["emit"]
    assert Emit.short == "type"


def test_the_data_is_by_default_that_of_the_event() -> None:
    outcome = run({"type": "Order.Seen"})
    assert outcome == Outcome.done({"count": 1}, events=[Emission("Order.Seen", {"n": 1})])


def test_null_is_data_too() -> None:
    assert run({"type": "T", "data": None}).events == (Emission("T", None),)


def test_data_subject_and_id_are_carried() -> None:
    outcome = run({"type": "T", "data": [1], "subject": "s", "id": "i"})
    assert outcome.events == (Emission("T", [1], "s", "i"),)


def test_each_makes_one_event_for_each_element() -> None:
    outcome = run({"type": "T", "each": [1, {"a": 2}, None], "subject": "s"})
    assert outcome.output == {"count": 3}
    assert [emission.data for emission in outcome.events] == [1, {"a": 2}, None]
    assert {emission.subject for emission in outcome.events} == {"s"}


def test_each_with_data_repeats_the_data_and_numbers_the_ids() -> None:
    outcome = run({"type": "T", "each": [1, 2], "data": "same", "id": "i"})
    assert outcome.events == (Emission("T", "same", None, "i.1"), Emission("T", "same", None, "i.2"))


def test_an_empty_list_emits_nothing() -> None:
    assert run({"type": "T", "each": []}) == Outcome.done({"count": 0})


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "hookrt.Delivery.Dead"},
        {"type": "hookrt"},
        {"type": ""},
        {"type": "a b"},
        {"type": "A.*"},
        {"type": "A..B"},
        {"type": "x" * 256},
        {"type": "T\n"},
        {"type": "T", "subject": "a\x00b"},
        {"type": "T", "subject": ""},
        {"type": "T", "id": "a\rb"},
        {"type": "hookrt.x", "each": []},
    ],
)
def test_what_no_event_may_be_called_is_rejected(settings: dict[str, Any]) -> None:
    outcome = run(settings)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECT, "bad-event")
    assert outcome.events == ()
    assert outcome.message


def test_only_the_first_segment_hookrt_is_reserved() -> None:
    assert run({"type": "hookrtx.y"}).kind is OutcomeKind.DONE
    assert run({"type": "x.hookrt.y"}).kind is OutcomeKind.DONE


def test_the_number_of_events_is_bounded() -> None:
    assert run({"type": "T", "each": [0] * MAX_EVENTS}).output == {"count": MAX_EVENTS}
    assert run({"type": "T", "each": [0] * (MAX_EVENTS + 1)}).reason == "too-many"


def test_what_is_no_list_or_text_is_a_problem_of_the_settings() -> None:
    for settings in ({"type": "T", "each": {"a": 1}}, {"type": 1}, {"type": "T", "more": 1}, {}):
        with pytest.raises(pydantic.ValidationError):
            call_for(Emit, settings)
