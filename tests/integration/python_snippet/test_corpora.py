"""Both corpora through real workers: what must work does, and what must not has an acceptable outcome.

Then the layers one by one: which of them hold when the language policy is off.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hookrt.actions.python_snippet.spawn import BOOT
from sandbox_corpus.items import Item, read_items
from sandbox_corpus.judge import Verdict, judge_all
from sandbox_corpus.workers import LAYERS, write_raw_boot

CORPORA = Path(__file__).parents[2] / "corpora"

ALWAYS_BREACH = {
    "rb-list-root",
    "rb-write-file",
    "rb-chmod",
    "rb-system",
    "rb-fork",
    "rb-socket-tcp",
    "rb-socket-unix",
    "rb-signal-parent",
}
"""What a bypass reaches on any Linux, also without privileges, when nothing else stands in its way."""


def load(name: str, raw: bool = False) -> list[Item]:
    found = read_items((CORPORA / name).read_text(encoding="utf-8"), name)
    return [item for item in found if item.raw is raw]


def judge(items: list[Item], boot: Path = BOOT, *, fresh: bool = False) -> Verdict:
    return asyncio.run(judge_all(items, boot, fresh=fresh))


def test_realistic_snippets_give_what_ordinary_python_gives() -> None:
    items = load("benign.yaml")
    wrong = judge(items).unexpected
    assert len({each.item.id for each in wrong}) <= len(items) * 0.05, wrong


@pytest.mark.slow
def test_every_escape_has_an_acceptable_outcome() -> None:
    assert judge(load("escapes.yaml")).unexpected == []


def test_what_the_fuzzers_found_stays_mended() -> None:
    assert judge(load("found.yaml")).unexpected == []


@pytest.mark.slow
def test_the_walls_hold_without_the_language_policy(tmp_path: Path) -> None:
    verdict = judge(load("escapes.yaml", raw=True), write_raw_boot(tmp_path))
    if verdict.isolation == "degraded":
        pytest.skip("this system has no filter of system calls")
    assert verdict.unexpected == []


@pytest.mark.slow
def test_the_walls_hold_without_the_language_policy_in_a_process_for_each_run(tmp_path: Path) -> None:
    verdict = judge(load("escapes.yaml", raw=True), write_raw_boot(tmp_path), fresh=True)
    if verdict.isolation == "degraded":
        pytest.skip("this system has no filter of system calls")
    assert verdict.unexpected == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["escapes.yaml", "benign.yaml"])
def test_every_item_comes_out_the_same_in_a_process_for_each_run(name: str) -> None:
    assert judge(load(name), fresh=True).unexpected == []


@pytest.mark.slow
def test_the_filter_and_the_limits_hold_alone(tmp_path: Path) -> None:
    verdict = judge(load("escapes.yaml", raw=True), write_raw_boot(tmp_path, ["rlimits", "seccomp"]))
    if verdict.isolation == "degraded":
        pytest.skip("this system has no filter of system calls")
    assert verdict.isolation == "core"
    assert verdict.unexpected == []


@pytest.mark.slow
def test_without_walls_the_same_items_breach(tmp_path: Path) -> None:
    """The control: it shows that the tests above have teeth."""
    verdict = judge(load("escapes.yaml", raw=True), write_raw_boot(tmp_path, []))
    assert verdict.isolation == "degraded"
    assert verdict.breaches >= ALWAYS_BREACH


NEEDED = {"landlock": {"landlock"}, "namespaces": {"namespaces", "empty-root"}}
REACHES_FILES = {"rb-list-root", "rb-write-file", "rb-socket-tcp"}


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["landlock", "namespaces"])
def test_files_and_network_are_out_of_reach_behind_one_wall_alone(
    tmp_path: Path, layer: str, standing_walls: Any
) -> None:
    items = [item for item in load("escapes.yaml", raw=True) if item.id in REACHES_FILES]
    without = ["user", "capabilities", "rlimits"]
    assert judge(items, write_raw_boot(tmp_path, without)).breaches == REACHES_FILES
    if not NEEDED[layer] <= standing_walls():
        pytest.skip(f"this system has no {layer}")
    assert judge(items, write_raw_boot(tmp_path, [*without, layer])).breaches == set()


@pytest.mark.slow
def test_all_other_walls_without_the_filter_are_not_enough(tmp_path: Path) -> None:
    verdict = judge(load("escapes.yaml", raw=True), write_raw_boot(tmp_path, [*LAYERS[:-1]]))
    assert verdict.isolation == "degraded"
    assert "rb-socket-unix" in verdict.breaches
