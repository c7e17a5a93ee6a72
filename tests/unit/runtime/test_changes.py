"""What two configurations have in common, and what not."""

from __future__ import annotations

from datetime import UTC, datetime

from hookrt.config.service import Limits, ServiceSettings
from hookrt.model.hook import Place
from hookrt.model.problem import Problem
from hookrt.runtime.changes import NO_CHANGES, Changes, compare, differing_settings
from hookrt.runtime.reload_report import MAX_TOLD, ReloadReport


def test_names_are_added_removed_or_changed() -> None:
    found = compare({"a": 1, "b": 2, "c": 3}, {"d": 4, "c": 3, "b": 0})
    assert found == Changes(added=("d",), removed=("a",), changed=("b",))
    assert compare({"a": 1}, {"a": 1}) == NO_CHANGES
    assert not NO_CHANGES
    assert found


def test_settings_that_differ_are_named_by_their_keys() -> None:
    old = ServiceSettings()
    new = ServiceSettings(port=1, limits=Limits(pending=7), actions={"python": Limits(pending=2), "x": Limits()})
    old.actions.update({"python": Limits()})
    assert differing_settings(old, new, "service") == (
        "service.port",
        "service.limits.pending",
        "service.actions.x",
        "service.actions.python.pending",
    )
    assert differing_settings(new, new, "service") == ()


def test_the_event_of_a_report_stays_small() -> None:
    problem = Problem(Place("hooks.yaml", 3, 4), "wrong", "key: my-secret", "write it right")
    names = tuple(f"hook-{number}" for number in range(MAX_TOLD * 3))
    now = datetime.now(UTC)
    rejected = ReloadReport(now, accepted=False, problems=(problem,) * (MAX_TOLD * 2))
    assert rejected.event_type == "hookrt.config.rejected"
    told = rejected.as_data()
    assert (told["problem_count"], len(told["problems"])) == (MAX_TOLD * 2, MAX_TOLD)
    assert "my-secret" not in str(told)
    accepted = ReloadReport(now, accepted=True, hooks=Changes(added=names, changed=names))
    assert accepted.event_type == "hookrt.config.reloaded"
    told = accepted.as_data()["hooks"]
    assert (told["count"], len(told["added"])) == (MAX_TOLD * 6, MAX_TOLD)
