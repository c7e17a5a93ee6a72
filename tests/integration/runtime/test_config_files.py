"""What a look at the files of a configuration sees, and what not."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from hookrt.config.load import Configuration, LoadOptions, load_or_raise
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.runtime.changes import NO_CHANGES, compare
from hookrt.runtime.config_files import ConfigFiles


def files(path: Path, env_file: Path | None = None) -> ConfigFiles:
    return ConfigFiles(path, Registry(), {}, env_file)


EMPTY = "hooks: {}\n"


def test_a_look_sees_a_file_written_renamed_over_and_gone(tmp_path: Path) -> None:
    file, other = tmp_path / "hooks.yaml", tmp_path / "other"
    file.write_text(EMPTY)
    seen = [files(file).look()]
    file.write_text(EMPTY + "# a comment\n")
    seen.append(files(file).look())
    other.write_text(EMPTY + "# a comment\n")
    other.rename(file)
    seen.append(files(file).look())
    file.chmod(0o600)
    seen.append(files(file).look())
    file.unlink()
    seen.append(files(file).look())
    assert len(set(seen)) == 5
    assert files(file).look() == seen[-1]


def test_a_look_sees_a_symbolic_link_on_the_way_that_leads_elsewhere(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "hooks.yaml").write_text(EMPTY)
    os.link(tmp_path / "one" / "hooks.yaml", tmp_path / "two" / "hooks.yaml")  # the same file by another way
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "hooks.yaml").symlink_to("..data/hooks.yaml")
    before = files(tmp_path / "hooks.yaml").look()
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(tmp_path / "..data")
    assert files(tmp_path / "hooks.yaml").look() != before


def test_a_look_at_a_directory_sees_its_yaml_files_come_and_go_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(EMPTY)
    one = files(tmp_path).look()
    for name in (".a.yaml.swp", "notes.txt", ".hidden.yaml", "a.yaml~"):
        (tmp_path / name).write_text("x")
    assert files(tmp_path).look() == one
    (tmp_path / "b.yml").write_text("x")
    two = files(tmp_path).look()
    assert two != one
    (tmp_path / "b.yml").unlink()
    assert files(tmp_path).look() == one


@pytest.mark.parametrize("named", ["env", "secrets/KEY"])
def test_a_look_sees_the_env_file_and_the_directory_of_secrets(tmp_path: Path, named: str) -> None:
    (tmp_path / "hooks.yaml").write_text(EMPTY + "service: {secrets: {directory: secrets}}\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "env").write_text("A=1\n")
    found = files(tmp_path / "hooks.yaml", tmp_path / "env")
    assert found.read().env == {"A": "1"}
    assert found.look() == found.seen
    (tmp_path / named).write_text("A=other\n")
    assert found.look() != found.seen


def test_a_look_sees_the_text_files_that_settings_name_also_those_that_are_not_there_yet(tmp_path: Path) -> None:
    snippet = tmp_path / "shape.py"
    (tmp_path / "hooks.yaml").write_text("hooks: {a: {on: A, steps: [{python: {file: shape.py}}]}}\n")
    found = ConfigFiles(tmp_path / "hooks.yaml", load_plugins(), {})
    for text in ("result = 1\n", "result = \n", "result = 2\n"):
        before = found.read()
        assert found.look() == found.seen
        snippet.write_text(text)
        assert found.look() != found.seen
        assert found.read().loaded != before.loaded
    assert found.read().loaded.configuration is not None
    (tmp_path / "hooks.yaml").write_text(EMPTY)
    found.read()
    snippet.write_text("")
    assert found.look() == found.seen  # nothing names it any more


def read(folder: Path, text: str) -> Configuration:
    (folder / "hooks.yaml").write_text(text)
    return load_or_raise(folder / "hooks.yaml", LoadOptions(load_plugins()))


HOOKS = """
hooks:
  a: {on: A, steps: [{log: "${{ event.type }}"}]}
  b: {on: B, when: event.type == 'B', steps: [{log: hello}]}
"""


def test_a_hook_that_only_stands_elsewhere_is_the_same(tmp_path: Path) -> None:
    one = read(tmp_path, HOOKS)
    moved = """
# a comment
hooks:
  b:
    on: B
    when: event.type == 'B'   # another
    steps:
    - log: hello
  a: {on: A, steps: [{log: "${{ event.type }}"}]}
"""
    assert compare(one.fingerprints, read(tmp_path, moved).fingerprints) == NO_CHANGES


def test_a_hook_that_is_written_otherwise_is_changed_and_so_is_one_with_other_defaults(tmp_path: Path) -> None:
    one = read(tmp_path, HOOKS)
    assert compare(one.fingerprints, read(tmp_path, HOOKS.replace("hello", "bye")).fingerprints).changed == ("b",)
    other = read(tmp_path, HOOKS + "defaults: {timeout: 3s}\n")
    assert compare(one.fingerprints, other.fingerprints).changed == ("a", "b")


def test_hooks_that_nobody_uses_any_more_are_freed_without_the_garbage_collector(tmp_path: Path) -> None:
    hook = "{on: A, when: event.data.n > 1, steps: [{webhook: {url: 'https://x.example.com/${{ event.id }}'}}]}"
    (tmp_path / "hooks.yaml").write_text(f"hooks: {{a: {hook}}}\n")
    found = ConfigFiles(tmp_path / "hooks.yaml", load_plugins(), {})
    found.read()  # what is made once is there now
    gc.collect()
    gc.disable()
    try:
        reading = found.read()
        assert reading.loaded.configuration is not None
        del reading
        assert gc.collect() == 0
    finally:
        gc.enable()
