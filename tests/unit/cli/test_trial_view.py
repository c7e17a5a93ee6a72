"""How the test of a hook and the figures of a day look."""

from __future__ import annotations

import io
from typing import Any

import pytest

from hookrt.cli.hook_view import success_rate
from hookrt.cli.render import Screen
from hookrt.cli.trial_view import show_trial

STEPS = [
    {"id": "shape", "action": "python", "status": "failed", "error": "error: no name", "emitted": [], "attempt": None},
    {"id": "send", "action": "webhook", "status": "not-run", "error": None, "emitted": ["A.B"], "attempt": None},
]
TRIAL = {
    "hook": "welcome",
    "succeeded": False,
    "sample": "generic",
    "event": {"type": "Order.Paid"},
    "fires": True,
    "why_not": None,
    "steps": STEPS,
}


def view(**changed: Any) -> list[str]:
    stream = io.StringIO()
    show_trial(Screen(stream), {**TRIAL, **changed})
    return stream.getvalue().splitlines()


def test_each_step_is_told_with_what_kept_it() -> None:
    assert view() == [
        "welcome  test with Order.Paid (generic data)  failed",
        "  shape        failed  error: no name",
        "  send         not-run",
        "       would have emitted A.B",
        "a test: nothing of it is stored, counted or tried again",
    ]


def test_given_data_is_no_sample_and_a_hook_that_would_not_fire_says_why() -> None:
    lines = view(sample=None, fires=False, why_not="A does not match Order.Paid", succeeded=True)
    assert lines[0] == "welcome  test with Order.Paid  succeeded"
    assert "such an event would not fire it by itself: A does not match Order.Paid" in lines


@pytest.mark.parametrize(
    ("dead", "share", "text"),
    [(0, None, "-"), (0, 1.0, "100%"), (1, 1.0, "99.9%"), (1, 0.5, "50%"), (2, 0.3333, "33.3%")],
)
def test_a_rate_is_100_only_when_nothing_failed(dead: int, share: float | None, text: str) -> None:
    assert success_rate({"dead": dead, "success_rate": share}) == text
