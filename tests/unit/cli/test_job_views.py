"""How jobs, dry runs and times on the command line read."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
import typer

from hookrt.cli.commands.deliveries import _names_one
from hookrt.cli.job_view import counts_of, show_end, show_events_preview, show_job, show_jobs
from hookrt.cli.moments import read_moment, read_time
from hookrt.cli.render import Screen

JOB: dict[str, Any] = {
    "id": "job_1",
    "kind": "deliveries.replay",
    "status": "running",
    "total": 20,
    "done": 12,
    "skipped": 0,
    "failed": 0,
    "errors": [],
    "request": {"hook": "send", "status": ["dead"], "rate": "50/s"},
    "created": "2026-01-31T12:00:00Z",
    "updated": "2026-01-31T12:00:01Z",
}


def shown(show: Any, *arguments: Any) -> str:
    stream = io.StringIO()
    show(Screen(stream), *arguments)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "12 of 20 replayed"),
        ({"skipped": 7, "failed": 1}, "12 of 20 replayed, 7 skipped, 1 failed"),
        ({"kind": "deliveries.cancel"}, "12 of 20 cancelled"),
        ({"kind": "events.replay"}, "12 deliveries made from 20 events"),
        (
            {"kind": "events.replay", "skipped": 7, "failed": 1},
            "12 deliveries made from 20 events, 7 passed over, 1 failed",
        ),
    ],
)
def test_a_job_is_counted_in_words(changes, text):
    assert counts_of({**JOB, **changes}) == text


def test_a_job_shows_what_was_asked_for():
    text = shown(show_job, JOB)
    assert "rate      50/s" in text
    assert 'status    ["dead"]' in text
    assert "job_1" in shown(show_jobs, [JOB])


def test_errors_are_told_with_how_many_more_there_are_and_no_control_characters():
    errors = [{"of": "dlv_1", "message": "no\x1b hook"}, {"of": None, "message": "gone"}]
    text = shown(show_end, {**JOB, "status": "failed", "failed": 5, "errors": errors})
    assert "dlv_1: no\\x1b hook" in text
    assert "… and 3 more" in text


def test_a_dry_run_says_what_was_not_looked_at():
    preview = {
        "total": 30,
        "delivered": 5,
        "looked_at": 20,
        "fires": 3,
        "reasons": {"condition": 17},
        "items": [
            {
                "event": {"id": "e1", "type": "A.B", "received": "2026-01-31T12:00:00Z"},
                "steps": [
                    {"step": "a", "action": "log", "request": None, "settings": {"message": "x"}, "note": None},
                    {
                        "step": "b",
                        "action": "webhook",
                        "request": None,
                        "settings": None,
                        "note": "its `when` is false",
                    },
                ],
            }
        ],
    }
    text = shown(show_events_preview, preview, "send")
    assert "send would get 3 new deliveries from 30 events; nothing was done" in text
    assert "… and 2 more" in text
    assert "5 events have a delivery for it already (--again" in text
    assert "17 would not: its condition is false" in text
    assert "5 more were not looked at" in text
    assert '{"message": "x"}' in text
    assert "its `when` is false" in text


def test_a_time_is_so_long_ago_or_in_the_zone_of_this_machine():
    assert read_moment(None, "--since") is None
    assert read_moment("24h", "--since") == "24h"
    local = datetime(2026, 1, 31, 12).astimezone()
    assert datetime.fromisoformat(str(read_moment("2026-01-31T12:00", "--since"))) == local
    ago = datetime.fromisoformat(str(read_time("1h", "--since")))
    assert abs(datetime.now().astimezone() - ago - timedelta(hours=1)) < timedelta(minutes=1)
    for read in (read_moment, read_time):
        with pytest.raises(typer.BadParameter, match="like 24h"):
            read("yesterday", "--since")


def test_one_delivery_or_a_filter_never_both_and_never_neither():
    none = dict.fromkeys(("hook", "status", "reason", "since", "until", "rate"))
    assert _names_one("dlv_1", none) is True
    assert _names_one(None, {**none, "hook": "send"}) is False
    with pytest.raises(typer.BadParameter, match="--rate is for many"):
        _names_one("dlv_1", {**none, "rate": "5/s"})
    with pytest.raises(typer.BadParameter, match="say which"):
        _names_one(None, {**none, "rate": "5/s"})
