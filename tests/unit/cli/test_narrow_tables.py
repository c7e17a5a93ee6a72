"""Lists on a terminal of eighty columns: ids whole, counts whole, and what is left out is named."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.cli.columns import Column, Fit, lay_out
from hookrt.cli.delivery_view import show_deliveries
from hookrt.cli.event_view import show_events
from hookrt.cli.hook_view import show_hooks
from hookrt.cli.job_view import show_jobs
from hookrt.cli.render import Screen

Draw = Callable[..., list[str]]
ID = "01m84hn6e4zxv7abz8jw57q3rt"


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Show something on a terminal of so many columns; its lines without colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    def lines(show: Any, items: Any, columns: int = 80) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        stream = io.StringIO()
        show(Screen(stream), items)
        return re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()).splitlines()

    return lines


def a_job(status: str) -> dict[str, Any]:
    counts = {"done": 33, "skipped": 46, "failed": 0, "total": 79}
    return {"id": f"job_{ID}", "kind": "deliveries.replay", "status": status, **counts, "created": "2026-01-31T12:00Z"}


def a_delivery(status: str, hook: str = "welcome") -> dict[str, Any]:
    rest = {"attempt_count": 10, "created": "2026-01-31T12:00:00Z", "reason": "by-hand"}
    return {"id": f"dlv_{ID}", "status": status, "hook": hook, "event": f"evt_{ID}", **rest}


def a_hook(name: str) -> dict[str, Any]:
    stats = {"succeeded": 123456, "dead": 33, "success_rate": 0.9997, "pending": 7, "held": 0}
    return {"name": name, "on": ["User.Created", "User.Deleted"], "steps": [], "enabled": True, "stats": stats}


@pytest.mark.parametrize("status", ["running", "cancelled"])
def test_a_list_of_jobs_shows_ids_and_counts_whole(draw: Draw, status: str) -> None:
    heading, _, row, note = draw(show_jobs, [a_job(status)])
    assert row.split()[:4] == [f"job_{ID}", "deliveries.replay", status, "33"]
    assert heading.split()[:4] == ["job", "kind", "status", "done"]
    assert "total" in heading
    assert "79" in row
    assert re.fullmatch(r"… \d more columns \(.*created\) with -o json or a wider terminal", note)
    assert max(map(len, (heading, row))) <= 80


def test_a_list_of_deliveries_shows_ids_and_statuses_whole_and_names_what_is_left_out(draw: Draw) -> None:
    heading, _, row, note = draw(show_deliveries, [a_delivery("cancelled")])
    assert row.split()[:3] == [f"dlv_{ID}", "cancelled", "welcome"]
    assert "event" not in heading
    assert "event" in note
    assert len(row) <= 80
    wide = draw(show_deliveries, [a_delivery("cancelled")], 200)
    assert f"evt_{ID}" in wide[-1]


def test_a_list_of_hooks_with_a_long_name_keeps_its_counts_and_the_whole_name(draw: Draw) -> None:
    name = "the-hook-that-tells-the-billing-department-of-every-order-that-was-paid-by-invoice-0123456789"
    heading, _, *rows, note = draw(show_hooks, [a_hook(name), a_hook("b")])
    assert heading.split()[-4:] == ["succeeded", "dead", "rate", "pending"]
    assert rows[0].split()[-4:] == ["123456", "33", "99.9%", "7"]
    width = heading.index("on") - 2
    assert "".join(row[:width].strip() for row in rows).startswith(name)
    assert "24 hours" in note


def test_a_list_of_events_cuts_data_visibly_or_names_it(draw: Draw) -> None:
    event = {"id": f"evt_{ID}", "type": "PostRegister", "source": "http", "data": {"text": "x" * 60}}
    *_, row = draw(show_events, [event | {"received": None}])
    assert row.startswith(f"evt_{ID}  PostRegister  http")
    assert row.endswith("…")
    assert len(row) <= 80
    lines = draw(show_events, [event | {"received": "2026-01-31T12:00:00Z"}], 60)
    assert lines[2].startswith(f"evt_{ID}")
    assert "data" in lines[-1]
    assert "with -o json or a wider terminal" in lines[-1]


def test_a_terminal_too_narrow_for_what_must_show_cuts_nothing_of_it(draw: Draw) -> None:
    row = draw(show_jobs, [a_job("cancelled")], 40)[2]
    assert row.split() == [f"job_{ID}", "deliveries.replay", "cancelled", "33", "79"]


_COLUMNS = st.lists(
    st.tuples(
        st.builds(Column, st.text(min_size=1, max_size=8), st.sampled_from(Fit), st.integers(1, 20), st.integers(0, 3)),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=7,
)


@given(_COLUMNS, st.integers(20, 200))
def test_a_table_is_as_narrow_as_the_terminal_unless_nothing_more_may_go(made: Any, room: int) -> None:
    columns = [column for column, _ in made]
    widest = [max(len(column.name), wide) for column, wide in made]
    layout = lay_out(columns, widest, room)
    assert {number for number, column in enumerate(columns) if not column.rank} <= set(layout.shown)
    for number, width in zip(layout.shown, layout.widths, strict=True):
        assert width <= widest[number]
        assert columns[number].fit is not Fit.WHOLE or width == widest[number]
    if layout.width > room:
        assert not any(columns[number].rank for number in layout.shown)
