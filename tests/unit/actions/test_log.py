"""The action `log`."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
import pytest

from hookrt.actions.log import Log, escape_control, hookrt_actions
from hookrt.model.outcome import Outcome, OutcomeKind
from hookrt.testing import RecordedLog, call_for


def run(settings: dict[str, Any]) -> tuple[Outcome, list[tuple[str, str, dict[str, Any]]]]:
    log = RecordedLog()
    outcome = asyncio.run(Log().run(call_for(Log, settings, log=log)))
    assert outcome.kind is OutcomeKind.DONE
    assert outcome.output is None
    return outcome, log.lines


def test_the_action_is_found_as_log_and_a_bare_text_is_its_message() -> None:
    assert [action.name for action in hookrt_actions()] == ["log"]
    assert Log.short == "message"


def test_a_message_goes_to_the_service_log_and_into_the_attempt() -> None:
    outcome, lines = run({"message": "hello"})
    assert lines == [("info", "hello", {})]
    assert outcome.logs == (), "what is logged is in the attempt already"


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_the_level_is_kept(level: str) -> None:
    _, lines = run({"message": "x", "level": level, "fields": {"user": "u1", "n": 2, "all": {"a": [1]}}})
    assert lines == [(level, "x", {"user": "u1", "n": 2, "all": '{"a":[1]}'})]


def test_an_unknown_level_or_key_is_a_problem_of_the_settings() -> None:
    for settings in ({"message": "x", "level": "loud"}, {"message": "x", "colour": "red"}, {}):
        with pytest.raises(pydantic.ValidationError):
            call_for(Log, settings)


@pytest.mark.parametrize(("message", "shown"), [({"a": 1}, '{"a":1}'), (None, "null"), (3, "3"), ([True], "[true]")])
def test_what_is_no_text_is_written_as_json(message: Any, shown: str) -> None:
    assert run({"message": message})[1][0][1] == shown


def test_control_characters_are_escaped_everywhere() -> None:
    _, lines = run({"message": "a\n\x1b[2Jb", "fields": {"k\n": "v\r\u2028"}})
    assert lines == [("info", "a\\n\\x1b[2Jb", {"k\\n": "v\\r\\u2028"})]


def test_a_field_cannot_take_the_place_of_what_the_log_itself_writes() -> None:
    _, lines = run({"message": "x", "fields": {"event": "forged", "level": "debug", "_record": 1}})
    assert lines == [("info", "x", {"event_": "forged", "level_": "debug", "_record_": 1})]


def test_a_long_message_is_cut() -> None:
    _, [(_, text, _)] = run({"message": "x" * 100_000})
    assert len(text) < 20_000
    assert text.endswith("(100000 characters)")


def test_escaping_leaves_ordinary_text_alone() -> None:
    assert escape_control("Grüße, 世界 🎉 \\n") == "Grüße, 世界 🎉 \\n"
    assert escape_control("\x00\x7f\x9f\u202e\u2066\ud800") == "\\x00\\x7f\\x9f\\u202e\\u2066\\ud800"
