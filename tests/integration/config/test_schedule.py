"""Schedules in hooks.yaml: what is wrong is told where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from hookrt.config.load import Loaded, LoadOptions, load
from hookrt.plugin.manager import load_plugins


def read(settings: str, folder: Path, on: str = "Nightly.Report") -> Loaded:
    path = folder / "hooks.yaml"
    path.write_text(f"""
sources:
  nightly:
    schedule:
      type: Nightly.Report
      {settings}
hooks:
  report:
    on: {on}
    from: nightly
    steps: [{{log: x}}]
""")
    return load(path, LoadOptions(registry=load_plugins(), env={}))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("cron: 0 25 * * *", "6:13 `cron`: bad hour in the cron expression"),
        ("cron: 0 3 * *", "6:13 `cron`: a cron expression has five fields"),
        ("cron: 5", "6:13 "),
        ("every: 90", "6:14 `every`: 90 is no duration"),
        ("every: 500ms", "6:14 `every`: a schedule ticks once in a second at most"),
        (
            "timezone: Europe/Berln",
            "6:17 `timezone`: there is no time zone 'Europe/Berln', did you mean Europe/Berlin?",
        ),
        ("misfire: al", "6:16 "),
        ("data: {scheduled: 1}", "6:13 `data`: `scheduled` is what the schedule itself tells"),
        ("crom: 0 3 * * *", "6:7 `schedule` has no setting 'crom'"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(tmp_path: Path, settings: str, said: str) -> None:
    problems = read(settings, tmp_path).problems
    told = [f"{problem.place.line}:{problem.place.column} {problem.message}" for problem in problems]
    assert any(one.startswith(said) for one in told), told


def test_a_schedule_has_one_of_cron_and_every(tmp_path: Path) -> None:
    [both] = read("cron: 0 3 * * *\n      every: 1h", tmp_path).problems
    assert (both.place.line, both.place.column, both.message.split(": ")[1]) == (7, 14, "there is `cron` already")
    [none] = read("subject: x", tmp_path).problems
    assert (none.place.line, none.message) == (4, "`schedule`: say when, by `cron` or by `every`")


def test_the_type_is_known_to_hooks(tmp_path: Path) -> None:
    [problem] = read("every: 1h", tmp_path, on="Nightly.Raport").problems
    assert "Nightly.Report" in f"{problem.message} {problem.hint}"


def test_types_that_no_event_can_have_are_refused(tmp_path: Path) -> None:
    for settings in ('subject: "a\\u0007b"', "cron: '@daily'\n      subject: ''"):
        assert "'subject'" in read(settings, tmp_path).problems[0].message
    path = tmp_path / "hooks.yaml"
    for type_ in ("hookrt.tick", "a b", "x.*"):
        path.write_text(f"sources: {{n: {{schedule: {{every: 1h, type: '{type_}'}}}}}}\nhooks: {{}}\n")
        problem = load(path, LoadOptions(registry=load_plugins(), env={})).errors[0]
        assert (problem.place.line, problem.place.column) == (1, 43), problem
