"""How things of the API look as plain text."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from hookrt.cli.delivery_view import show_cut_off, show_deliveries, show_delivery
from hookrt.cli.event_view import show_event, show_events, show_explanations
from hookrt.cli.problem_view import annotate_problems, count_problems, show_problems
from hookrt.cli.render import Screen
from hookrt.cli.request_view import body_lines
from hookrt.cli.wording import counted, local_time, milliseconds, value_text
from hookrt.model.hook import Place
from hookrt.model.problem import Problem, Severity


def _shown(show: Any, *arguments: Any, **named: Any) -> str:
    stream = io.StringIO()
    show(Screen(stream), *arguments, **named)
    return stream.getvalue()


DELIVERY: dict[str, Any] = {
    "id": "dlv_1",
    "event": "evt_1",
    "event_type": "PostRegister",
    "event_source": "http",
    "hook": "welcome",
    "status": "waiting",
    "reason": "status",
    "steps": [
        {"id": "contact", "status": "succeeded", "output": {"email": "a\x1b@x"}, "error": None},
        {"id": "webhook", "status": "pending", "output": None, "error": None},
    ],
    "attempt_count": 2,
    "failed_steps": 0,
    "lane": "crm",
    "created": "2026-01-31T12:00:00Z",
    "due": "2026-01-31T12:00:05Z",
    "expires": "2026-02-07T12:00:00Z",
    "updated": None,
    "order_key": None,
    "replay_of": None,
    "attempts": [
        {
            "number": 1,
            "step": "contact",
            "started": "2026-01-31T12:00:00Z",
            "duration_ms": 12.34,
            "outcome": "done",
            "reason": None,
            "message": None,
            "logs": ["a contact"],
            "request": None,
            "response": None,
        },
        {
            "number": 2,
            "step": "webhook",
            "started": "2026-01-31T12:00:01Z",
            "duration_ms": 3100,
            "outcome": "retry",
            "reason": "status",
            "message": "the endpoint answered 500",
            "logs": [],
            "request": {"method": "POST", "url": "http://x/contacts", "headers": {"a": "b"}, "body": "{}"},
            "response": {"status": 500, "headers": {"server": "evil\x1b[2J"}, "body": "line1\nline2"},
        },
    ],
}


def test_a_delivery_shows_its_steps_and_attempts_with_reason_and_message() -> None:
    shown = _shown(show_delivery, DELIVERY)
    assert "welcome  dlv_1  waiting  status  next attempt at" in shown
    assert 'contact      succeeded  → {"email": "a\\u001b@x"}' in shown
    assert "  1. contact      done  12 ms" in shown
    assert "status: the endpoint answered 500" in shown
    assert "POST http://x/contacts → 500" in shown
    assert "line1" not in shown


def test_a_delivery_in_full_shows_headers_and_bodies_without_control_characters() -> None:
    shown = _shown(show_delivery, DELIVERY, full=True)
    assert "server: evil\\x1b[2J" in shown
    assert "line1\n" in shown
    assert "PostRegister from http" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("status", ["dead", "cancelled"])
def test_an_attempt_after_which_none_follows_is_not_called_a_retry(status: str) -> None:
    earlier, later = DELIVERY["attempts"][1], {**DELIVERY["attempts"][1], "number": 3}
    shown = _shown(show_delivery, {**DELIVERY, "status": status, "attempts": [earlier, later]})
    assert "  2. webhook      retry  3.1 s" in shown
    assert "  3. webhook      failed, no retry follows  3.1 s" in shown


def test_a_last_attempt_is_called_a_retry_while_another_one_is_to_come() -> None:
    assert "  2. webhook      retry  3.1 s" in _shown(show_delivery, DELIVERY)
    failed = [{**step, "status": "failed"} for step in DELIVERY["steps"]]
    shown = _shown(show_delivery, {**DELIVERY, "steps": failed})  # and the hook goes on with its next step
    assert "  2. webhook      failed, no retry follows  3.1 s" in shown


def test_an_open_breaker_of_the_lane_is_shown_in_full() -> None:
    assert "crm, its breaker is open" in _shown(show_delivery, {**DELIVERY, "breaker": "open"}, full=True)
    assert "its breaker" not in _shown(show_delivery, {**DELIVERY, "breaker": "closed"}, full=True)
    assert "its breaker" not in _shown(show_delivery, DELIVERY, full=True)


def test_many_log_lines_are_shown_in_full_only() -> None:
    lines = [f"line {number}" for number in range(50)]
    delivery = {**DELIVERY, "attempts": [{**DELIVERY["attempts"][0], "logs": lines}]}
    assert _shown(show_delivery, delivery, full=True).count("log line") == 50
    shown = _shown(show_delivery, delivery)
    assert shown.count("log line") == 10
    assert "… and 40 more lines: hookrt deliveries show dlv_1" in shown


def test_lists_are_aligned_tables() -> None:
    lines = _shown(show_deliveries, [DELIVERY, {**DELIVERY, "hook": "a"}]).splitlines()
    assert lines[0].split() == ["delivery", "status", "hook", "attempts", "created", "why", "event"]
    assert lines[1].index("evt_1") == lines[2].index("evt_1") == lines[0].index("event")


EVENT: dict[str, Any] = {
    "id": "evt_1",
    "type": "PostRegister",
    "source": "http",
    "subject": None,
    "time": "2026-01-31T12:00:00Z",
    "received": "2026-01-31T12:00:00Z",
    "data": {"name": "\u202eevil", "tags": ["x"] * 60},
    "data_base64": None,
    "data_omitted": False,
    "content_type": None,
    "attributes": {"region": "eu"},
    "cause": None,
}


def test_an_event_shows_all_its_data_and_a_list_a_part_of_it() -> None:
    assert _shown(show_event, EVENT).count('"x"') == 60
    row = _shown(show_events, [EVENT]).splitlines()[1]
    assert row.endswith("…")
    assert "\\u202e" in row


def test_explanations_show_why_not_with_the_values() -> None:
    explanations = [
        {"hook": "welcome", "fires": True, "reason": "fires", "detail": "", "findings": []},
        {"hook": "security", "fires": False, "reason": "type", "detail": "A does not match B", "findings": []},
        {
            "hook": "vip",
            "fires": False,
            "reason": "condition",
            "detail": 'event.data.plan == "pro" is false',
            "findings": [{"expression": "event.data.plan", "value": '"free"', "problem": None}],
        },
    ]
    assert _shown(show_explanations, explanations).splitlines() == [
        "✓ welcome   fires",
        "✗ security  A does not match B",
        '✗ vip       event.data.plan == "pro" is false',
        '            event.data.plan is "free"',
        "1 of 3 hooks fires",
    ]


def test_an_explanation_says_nothing_twice() -> None:
    condition = 'get(event, "data.email", "") != ""'
    findings = [
        {"expression": condition, "value": "false", "problem": None},
        {"expression": "event.data.email", "value": "missing", "problem": "event.data is null"},
    ]
    explanation = {"hook": "a", "fires": False, "reason": "condition", "detail": f"{condition} is false"}
    assert _shown(show_explanations, [{**explanation, "findings": findings}]).splitlines() == [
        f"✗ a  {condition} is false",
        "     event.data.email is missing  event.data is null",
        "0 of 1 hook fires",
    ]


def test_what_was_running_when_its_process_ended_is_told_apart() -> None:
    deliveries = [{"status": "running"}, {"status": "waiting"}]
    said = "1 delivery is shown as running, but no process delivers from this store now: it goes on when one does"
    assert _shown(show_cut_off, deliveries, idle=True) == f"{said} (`hookrt run`)\n"
    assert _shown(show_cut_off, deliveries * 2, idle=True).startswith("2 deliveries are shown as running")
    assert _shown(show_cut_off, deliveries, idle=False) == ""
    assert _shown(show_cut_off, deliveries[1:], idle=True) == ""


@pytest.mark.parametrize(
    ("firing", "others", "said"),
    [
        (0, 1, "0 of 1 hook fires"),
        (1, 0, "1 of 1 hook fires"),
        (0, 2, "0 of 2 hooks fire"),
        (1, 1, "1 of 2 hooks fires"),
        (2, 1, "2 of 3 hooks fire"),
    ],
)
def test_how_many_hooks_fire_is_said_in_good_grammar(firing: int, others: int, said: str) -> None:
    explanations = [{"hook": "a", "fires": True, "reason": "fires"}] * firing
    explanations += [{"hook": "b", "fires": False, "reason": "type"}] * others
    assert _shown(show_explanations, explanations).splitlines()[-1] == said


def test_problems_show_their_caret_below_the_right_column_also_behind_tabs() -> None:
    place = Place("hooks.yaml", 3, 3)
    lines = _shown(show_problems, [Problem(place, "bad", "\tx: y", "say z", width=2)]).splitlines()
    assert lines[0] == "hooks.yaml:3:3: error: bad"
    assert lines[1].index(": y") == lines[2].index("^^")
    assert lines[3].strip() == "hint: say z"


def test_problems_as_annotations_carry_their_place() -> None:
    problem = Problem(Place("a.yaml", 3, 5), "bad\nworse", None, "do x", Severity.WARNING)
    assert _shown(annotate_problems, [problem]) == "::warning file=a.yaml,line=3,col=5::bad%0Aworse%0Ahint: do x\n"


def test_an_annotation_of_a_variable_names_it_and_no_file() -> None:
    problem = Problem(Place("$HOOKRT_PORT", 0, 0), "bad")
    assert _shown(annotate_problems, [problem]) == "::error::$HOOKRT_PORT: bad\n"


def test_problems_are_counted_by_severity() -> None:
    place = Place("a.yaml", 1, 1)
    error, warning = Problem(place, "x"), Problem(place, "y", severity=Severity.WARNING)
    assert count_problems([error, error, warning]) == "2 errors, 1 warning"
    assert count_problems([warning]) == "1 warning"
    assert count_problems([]) == "no problems"


def test_a_long_body_is_laid_out_and_cut() -> None:
    lines = list(body_lines(json.dumps({"items": list(range(100))}).encode()))
    assert lines[0] == "{"
    assert lines[-1] == "… 64 more lines"
    assert list(body_lines(b"\xff\xfe")) == ["\\xff\\xfe"]


def test_small_words() -> None:
    assert counted(1, "delivery", "deliveries") == "1 delivery"
    assert counted(2, "delivery", "deliveries") == "2 deliveries"
    assert counted(0, "hook") == "0 hooks"
    assert [milliseconds(value) for value in (0.42, 12.3, 3150)] == ["0.4 ms", "12 ms", "3.1 s"]
    assert local_time(None) == "-"
    assert local_time("nonsense") == "nonsense"
    assert value_text({"a": "x" * 500}, 10) == '{"a": "xx…'
