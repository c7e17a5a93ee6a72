from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOOK = "hooks:\n  {}:\n    on: A\n    steps: [{{say: x}}]\n"


def test_a_directory_of_files_is_merged_in_the_order_of_their_names(bench: Any) -> None:
    Path("conf").mkdir()
    Path("conf/b.yaml").write_text("defaults: {timeout: 2s}\n" + HOOK.format("two"))
    Path("conf/a.yml").write_text("destinations: {crm: {url: https://a.example}}\n" + HOOK.format("one"))
    Path("conf/c.yaml").write_text("hooks: {three: {on: A, steps: [{post: {to: crm}}]}}\nsources: {t: {ticker: 5s}}\n")
    for ignored in ("conf/.hidden.yaml", "conf/notes.txt", "conf/hooks.yaml.bak"):
        Path(ignored).write_text("nonsense: 1\n")
    Path("conf/sub.yaml").mkdir()
    loaded = bench.load_path("conf")
    assert loaded.problems == ()
    assert [hook.name for hook in loaded.configuration.hooks] == ["one", "two", "three"]
    assert loaded.configuration.hooks[0].steps[0].timeout.total_seconds() == 2
    assert [str(file) for file in loaded.configuration.files] == ["conf/a.yml", "conf/b.yaml", "conf/c.yaml"]
    assert loaded.configuration.base_dir == Path("conf")


def test_one_name_in_two_files_is_an_error_that_names_both_places(bench: Any) -> None:
    Path("conf").mkdir()
    shared = "destinations: {crm: {url: https://a.example}}\nsources: {t: {ticker: 5s}}\nservice: {}\ndefaults: {}\n"
    Path("conf/a.yaml").write_text(shared + HOOK.format("one"))
    Path("conf/b.yaml").write_text("# b\n" + shared + HOOK.format("one"))
    told = [f"{one.place}: {one.message}" for one in bench.load_path("conf").problems]
    assert told == [
        "conf/b.yaml:2:16: the destination 'crm' is defined twice, the first time at conf/a.yaml:1:16",
        "conf/b.yaml:3:11: the source 't' is defined twice, the first time at conf/a.yaml:2:11",
        "conf/b.yaml:4:1: `service` stands in two files, the first time at conf/a.yaml:3:1",
        "conf/b.yaml:5:1: `defaults` stands in two files, the first time at conf/a.yaml:4:1",
        "conf/b.yaml:7:3: the hook 'one' is defined twice, the first time at conf/a.yaml:6:3",
    ]


def test_one_name_twice_in_a_file_is_an_error(bench: Any) -> None:
    [error] = bench.errors(HOOK.format("one") + "  one:\n    on: B\n    steps: [{say: y}]\n")
    assert error == "5:3 the key 'one' stands here twice, the first time in line 2"


def test_a_syntax_error_stops_its_own_file_only(bench: Any) -> None:
    Path("conf").mkdir()
    Path("conf/a.yaml").write_text("destinations:\n\tcrm: x\n")
    Path("conf/b.yaml").write_text("hooks: {one: {on: A, wen: x, from: clock, steps: [{post: {to: crm}}]}}\n")
    told = [f"{one.place}: {one.message}" for one in bench.load_path("conf").problems]
    assert told == ["conf/a.yaml:2:1: a tab cannot indent in YAML", "conf/b.yaml:1:22: hook 'one' has no key 'wen'"]


def test_problems_of_all_sections_are_reported_at_once_in_their_order(bench: Any) -> None:
    errors = bench.errors(
        "version: 2\ndefaults: {timeout: 1}\nsources: {a: {b: c}}\ndestinations: {a: {}}\n"
        "hooks: {a: {}}\nservice: {b: 1}\nnonsense: 1\n"
    )
    assert [error.partition(":")[0] for error in errors] == ["1", "2", "3", "4", "5", "5", "6", "7"]


def test_version_is_optional_and_1_when_given(bench: Any) -> None:
    for version in ("version: 1\n", 'version: "1"\n', ""):
        assert bench.hook(version + HOOK.format("one"))
    for version in ("2", "1.0", "[1]", "", "latest"):
        assert bench.errors(f"version: {version}\n" + HOOK.format("one"))[0].startswith("1:")


def test_places_name_the_file_as_the_user_typed_it(bench: Any, tmp_path: Path) -> None:
    Path("hooks.yaml").write_text("nonsense: 1\n")
    for typed in ("hooks.yaml", "./hooks.yaml", str(tmp_path / "hooks.yaml")):
        assert bench.load_path(typed).problems[0].place.file == str(Path(typed))


def test_a_missing_unreadable_or_empty_place_is_a_problem_not_a_traceback(bench: Any) -> None:
    assert bench.load_path("absent.yaml").problems[0].message == "there is no such file"
    Path("empty").mkdir()
    assert "has no *.yaml file" in bench.load_path("empty").problems[0].message
    assert bench.load_path("absent.yaml/x").configuration is None
    assert bench.load_path("a\0b").configuration is None
    assert bench.load_path("x" * 5000).configuration is None
    os.symlink("loop.yaml", "loop.yaml")
    assert bench.load_path("loop.yaml").configuration is None


def test_a_file_without_hooks_gets_a_warning(bench: Any) -> None:
    for text in ("", "# nothing yet\n", "hooks:\n", "hooks: {}\n"):
        [warning] = bench.warnings(text)
        assert "there are no hooks here" in warning


@pytest.mark.parametrize("key", ["hoks", "Hooks", "rules"])
def test_a_misspelt_hooks_gets_its_did_you_mean_and_nothing_else(bench: Any, key: str) -> None:
    [problem] = bench.load(f"{key}: {{one: {{on: A, steps: [{{say: x}}]}}}}\n").problems
    assert (problem.message, problem.hint) == (f"the file has no key {key!r}", "did you mean 'hooks'?")


def test_another_unknown_key_does_not_hide_that_there_are_no_hooks(bench: Any) -> None:
    messages = [problem.message for problem in bench.load("destinatons: {}\n").problems]
    assert len(messages) == 2
    assert "there are no hooks here" in messages[0] + messages[1]


def test_an_empty_section_is_no_problem(bench: Any) -> None:
    assert bench.hook("defaults:\nsources:\ndestinations:\nservice:\n" + HOOK.format("one"))


def test_a_section_that_is_no_mapping_is_an_error(bench: Any) -> None:
    assert bench.errors("hooks: [a]\n")[0].startswith("1:8 `hooks` must be a mapping of keys to values")
    assert bench.errors("- hooks\n")[0].startswith("1:1 the file must be a mapping")
    [error] = bench.errors("hooks:\n  one:\n    on:A\n")
    assert error.endswith("| a space is missing behind the colon")


def test_an_alias_gives_its_value_wherever_it_stands(bench: Any) -> None:
    text = "hooks:\n  one:\n    on: A\n    retry: &waits [5s]\n    steps:\n      - say: x\n        retry: *waits\n"
    assert bench.hook(text).steps[0].retry.delays[0].total_seconds() == 5


def test_a_problem_behind_an_alias_is_told_once(bench: Any) -> None:
    text = "hooks:\n  one:\n    on: A\n    retry: &waits [5]\n    steps:\n      - say: x\n        retry: *waits\n"
    assert len(bench.errors(text)) == 1


def test_reading_ends_when_there_are_more_problems_than_anybody_reads(bench: Any) -> None:
    hooks = "".join(f"  hook{n}: {{on: A, steps: [{{sya: x}}]}}\n" for n in range(600))
    loaded = bench.load("hooks:\n" + hooks)
    assert loaded.configuration is None
    assert len(loaded.problems) == 501
    assert "there are more problems than these 500" in loaded.problems[-1].message


WORDS = """
    hooks one on from when steps say post snippet text url to id retry timeout enabled sources destinations service
    defaults A.B ** * 5s [ ] { } , : - | > " ' # !x &a *a ${{ }} ${{ event.data.x }} ${{ steps.a.output }} secrets.K
    true null 1.10 5 crm https://a.example exponential fixed every attempts def x = ( ticker limits port tokens
"""
BITS = st.sampled_from([*WORDS.split(), ": ", "- ", "\n", "\n  ", "\n    ", "\n      ", "\n        ", " #", "\t"])
SKELETON = "hooks:\n  one:\n    on: A\n    steps:\n      - "


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["", SKELETON, "destinations:\n  crm: ", "service:\n  "]), st.lists(BITS, max_size=25))
def test_no_text_makes_a_load_raise(bench: Any, start: str, bits: list[str]) -> None:
    loaded = bench.load(start + " ".join(bits))
    assert (loaded.configuration is None) == bool(loaded.errors)
    for problem in loaded.problems:
        assert str(problem).startswith(("hooks.yaml:", "$", "service"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80))
def test_no_settings_make_a_load_raise(bench: Any, text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    for step in (
        f"- say: {quoted}",
        f"- snippet: {quoted}",
        f"- say: x\n  when: {quoted}",
        f"- post: {{to: {quoted}}}",
    ):
        Path("hooks.yaml").write_bytes(bench.with_step(step).encode("utf-8", "surrogatepass"))
        loaded = bench.load_path("hooks.yaml")
        assert (loaded.configuration is None) == bool(loaded.errors)
