"""Settings whose text stands in a file of its own, beside hooks.yaml."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hookrt.config.text_files import MAX_TEXT
from hookrt.model.hook import Place, Step, WrittenLine

SHAPE = "def run(event, ctx):\n    return event['data']\n"


@pytest.fixture
def snippets(bench: Any, tmp_path: Path) -> Path:
    """The folder `snippets` beside hooks.yaml, with one in it."""
    folder = tmp_path / "hooks" / "snippets"
    folder.mkdir(parents=True)
    os.chdir(folder.parent)  # the bench changes back
    (folder / "shape.py").write_text(SHAPE)
    return folder


def code_of(step: Step) -> str:
    return str(step.settings.render(None).code)  # type: ignore[arg-type]


def test_the_text_of_a_file_stands_for_the_setting(bench: Any, snippets: Path) -> None:
    step = bench.step("- snippet: {file: snippets/shape.py, memory: 1MiB}")
    assert code_of(step) == SHAPE
    assert step.settings.render(None).memory == 2**20


def test_a_path_is_relative_to_the_folder_of_the_configuration(
    bench: Any, snippets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.yaml").write_text("hooks: {a: {on: A, steps: [{snippet: {file: snippets/shape.py}}]}}\n")
    monkeypatch.chdir(snippets.parent.parent)
    for path in ("hooks", "hooks/a.yaml"):
        loaded = bench.load_path(path)
        assert loaded.configuration is not None
        assert code_of(loaded.configuration.hooks[0].steps[0]) == SHAPE


def test_the_text_of_a_file_has_no_expressions_and_keeps_its_type(bench: Any, snippets: Path) -> None:
    for text in ("x = '${{ event.id }} $${{'\n", "1.10", "null", "true", ""):
        (snippets / "shape.py").write_text(text)
        assert code_of(bench.step("- snippet: {file: snippets/shape.py}")) == text


def test_line_ends_and_a_byte_order_mark_are_those_of_any_editor(bench: Any, snippets: Path) -> None:
    (snippets / "shape.py").write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\rz = 3\n")
    assert code_of(bench.step("- snippet: {file: snippets/shape.py}")) == "x = 1\ny = 2\nz = 3\n"


@pytest.mark.parametrize(
    ("settings", "place", "message"),
    [
        ("{file: /etc/hostname}", "6:25", "`file`: the path must not be absolute"),
        ("{file: ~/shape.py}", "6:25", "`file`: the path must not be absolute"),
        ("{file: ../hooks/snippets/shape.py}", "6:25", "`file`: the path must not have `..` in it"),
        ("{file: snippets/../snippets/shape.py}", "6:25", "`file`: the path must not have `..` in it"),
        ('{file: "a\\0b"}', "6:25", "is no path of a file"),
        ('{file: " "}', "6:25", "is no path of a file"),
        ("{file: snippets}", "6:25", "'snippets' is no regular file"),
        ("{file: snippets/pipe}", "6:25", "'snippets/pipe' is no regular file"),
        ("{file: }", "6:25", "`file` has no value"),
        ("{file: [a]}", "6:25", "`file` must be the path of a file, this is a list"),
        ("{file: {a: b}}", "6:25", "`file` must be the path of a file, this is a mapping"),
        ("{file: snippets/shap.py}", "6:25", "there is no file 'snippets/shap.py' | did you mean 'snippets/shape.py'?"),
        ("{file: snipets/shape.py}", "6:25", "there is no file 'snipets/shape.py' | did you mean 'snippets'?"),
        ("{file: snippets/shape.py/x}", "6:25", "there is no file 'snippets/shape.py/x'"),
        ("{file: 'a ${{ event.id }}'}", "6:28", "`file` takes no `${{ }}` | write the path out"),
        (
            "{code: x, file: snippets/shape.py}",
            "6:28",
            "`snippet` takes exactly one of `code` and `file` | keep `code`",
        ),
        (
            "{file: snippets/shape.py, code: x}",
            "6:44",
            "`snippet` takes exactly one of `code` and `file` | keep `file`",
        ),
        ("{memory: 1MiB}", "6:9", "`snippet` needs `code` or `file`"),
        ("{code: x, fil: y}", "6:28", "has no setting 'fil' | did you mean 'file'?"),
    ],
)
def test_a_file_that_cannot_be_taken_is_an_error_at_the_value(
    bench: Any, snippets: Path, settings: str, place: str, message: str
) -> None:
    os.mkfifo(snippets / "pipe")
    [error] = bench.step_errors(f"- snippet: {settings}")
    assert error.startswith(f"{place} ")
    assert message in error


def test_other_problems_of_the_step_are_reported_beside_that_of_the_file(bench: Any, snippets: Path) -> None:
    told = bench.step_errors("- snippet: {file: nope.py, memory: lots, mem: 1}\n  timeout: 5")
    assert len(told) == 4


@contextmanager
def somebody(folder: Path) -> Iterator[None]:
    """Not root, who may read everything; the folder can be entered all the same."""
    if os.geteuid() != 0:
        yield
        return
    closed = {one: one.stat().st_mode for one in (folder, *folder.parents) if not one.stat().st_mode & 0o001}
    for one, mode in closed.items():
        one.chmod(mode | 0o011)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for one, mode in closed.items():
            one.chmod(mode)


def test_a_file_that_nobody_may_read_says_so(bench: Any, snippets: Path) -> None:
    (snippets / "shape.py").chmod(0)
    (snippets.parent / "hooks.yaml").touch()
    (snippets.parent / "hooks.yaml").chmod(0o666)
    with somebody(snippets):
        [error] = bench.step_errors("- snippet: {file: snippets/shape.py}")
    assert "'snippets/shape.py' cannot be read: Permission denied" in error


def test_a_link_may_lead_to_a_file_inside_and_not_out(bench: Any, snippets: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.py").write_text("x = 1\n")
    (snippets / "link.py").symlink_to("shape.py")
    (snippets / "round.py").symlink_to("round.py")
    (snippets / "file.py").symlink_to("../../outside/secret.py")
    (snippets / "folder").symlink_to(tmp_path / "outside")
    (snippets / "absent.py").symlink_to(tmp_path / "outside" / "nope.py")
    assert code_of(bench.step("- snippet: {file: snippets/link.py}")) == SHAPE
    for out in ("file.py", "folder/secret.py", "absent.py"):
        [error] = bench.step_errors(f"- snippet: {{file: snippets/{out}}}")
        assert f"'snippets/{out}' is a symbolic link out of the folder" in error
    [error] = bench.step_errors("- snippet: {file: snippets/round.py}")
    assert "cannot be read" in error


def test_the_folder_itself_may_be_reached_by_a_link(
    bench: Any, snippets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("hooks.yaml").write_text(bench.with_step("- snippet: {file: snippets/shape.py}"))
    (tmp_path / "link").symlink_to("hooks")
    monkeypatch.chdir(tmp_path)
    assert bench.load_path("link/hooks.yaml").problems == ()


def test_a_text_has_at_most_64_kib(bench: Any, snippets: Path) -> None:
    (snippets / "shape.py").write_text("#" * MAX_TEXT)
    assert len(code_of(bench.step("- snippet: {file: snippets/shape.py}"))) == MAX_TEXT
    (snippets / "shape.py").write_text("#" * MAX_TEXT + "\n")
    [error] = bench.step_errors("- snippet: {file: snippets/shape.py}")
    assert error == "6:25 `file`: 'snippets/shape.py' has more than 64 KiB"


def test_what_is_not_utf_8_is_an_error_in_the_file_itself(bench: Any, snippets: Path) -> None:
    (snippets / "shape.py").write_bytes("x = 1\r\né = ".encode() + b"\xff\n")
    [problem] = bench.load(bench.with_step("- snippet: {file: snippets/shape.py}")).problems
    assert problem.place == Place("snippets/shape.py", 2, 5)
    assert problem.message == "byte 0xff is not UTF-8"


def test_an_error_of_the_text_stands_at_its_place_in_the_file_and_names_the_hook(bench: Any, snippets: Path) -> None:
    (snippets / "shape.py").write_text("\n\nif x:\n\t\tx = = 1\n")
    [problem] = bench.load(bench.with_step("- snippet: {file: snippets/shape.py}")).problems
    assert problem.place == Place("snippets/shape.py", 4, 7)
    assert problem.line_text == "\t\tx = = 1"
    assert problem.message == "it does not compile: invalid syntax (in the hook 'one', hooks.yaml:6:9)"


def test_a_line_of_a_text_is_found_in_the_file_that_it_stands_in(bench: Any, snippets: Path) -> None:
    step = bench.step("- snippet: {file: snippets/shape.py}")
    assert step.written["code"](2) == WrittenLine(Place("snippets/shape.py", 2, 5), "    return event['data']")
    step = bench.step("- snippet: |\n    def run(event, ctx):\n\n        return event['data']")
    assert step.written["code"](3) == WrittenLine(Place("hooks.yaml", 9, 15), "              return event['data']")
    step = bench.step('- snippet: "def run(event, ctx):\\n  return 1"')
    assert step.written["code"](2).place.line == 6


def test_a_changed_text_changes_the_fingerprint_of_the_hooks_that_name_it_and_no_other(
    bench: Any, snippets: Path
) -> None:
    text = bench.with_step("- snippet: {file: snippets/shape.py}") + "  two: {on: A, steps: [say: x]}\n"

    def prints() -> dict[str, str]:
        found = bench.configuration(text)
        assert {hook.name: hook.definition for hook in found.hooks} == {
            name: one.hex() for name, one in found.fingerprints.items()
        }
        return dict(found.fingerprints)

    before = prints()
    assert prints() == before
    (snippets / "shape.py").write_text(SHAPE + "# more\n")
    after = prints()
    assert after["one"] != before["one"]
    assert after["two"] == before["two"]


def test_a_text_that_mentions_steps_may_read_all_of_them(bench: Any, snippets: Path) -> None:
    (snippets / "shape.py").write_text("def run(event, ctx): return ctx.steps\n")
    first, _ = bench.hook(bench.with_step("- snippet: {file: snippets/shape.py}")).steps
    assert first.keeps_output


def test_a_load_tells_how_every_file_looked_that_it_tried(bench: Any, snippets: Path) -> None:
    step = "- snippet: {file: snippets/shape.py}\n- snippet: {file: snippets/nope.py}\n- snippet: {file: ../x.py}"
    loaded = bench.load(bench.with_step(step))
    assert loaded.configuration is None
    assert sorted((seen[0], seen[4]) for seen in loaded.seen) == [
        ("snippets/nope.py", 0),
        ("snippets/shape.py", len(SHAPE)),
    ]
