"""What commands say of attempts, durations and held deliveries cannot be misread."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from hookrt.cli.commands.hooks import _what_of_held
from hookrt.cli.lazy_group import COMMANDS
from hookrt.cli.main import build
from hookrt.cli.tail import _outcome
from hookrt.cli.wording import brief_duration


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        ("retry", "waiting", "failed, will be retried"),
        ("retry", "dead", "failed"),
        ("retry", "cancelled", "failed"),
        ("reject", "dead", "failed for good"),
        ("done", "succeeded", "done"),
    ],
)
def test_an_attempt_is_called_a_retry_only_where_one_follows(outcome: str, status: str, said: str) -> None:
    assert _outcome({"outcome": outcome, "status": status}) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [("1s200ms", "1.2s"), ("1m1s50ms", "1m1.05s"), ("250ms", "250ms"), ("1m5ms", "1m5ms"), ("1h30m", "1h30m")],
)
def test_a_duration_reads_with_a_fraction_of_its_seconds(text: str, said: str) -> None:
    assert brief_duration(text) == said


def test_enabling_says_how_many_were_held() -> None:
    assert _what_of_held(0, discard=False) == "; nothing was held"
    assert _what_of_held(1, discard=False) == "; 1 delivery that was held is delivered"
    assert _what_of_held(3, discard=True) == "; 3 deliveries that were held are cancelled"


def _helped(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """The help as a terminal of eighty columns shows it."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), pytest.raises(SystemExit):
        build()([*arguments, "--help"], prog_name="hookrt")
    return re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue())


def test_an_output_that_annotates_nothing_is_refused_with_where_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build()(["deliveries", "list", "-o", "github"], prog_name="hookrt")
    assert ended.value.code == 2
    assert "take text or json" in " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_help_shows_no_type_of_a_switch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "<bool>" not in _helped(monkeypatch, *name.split())


def test_the_help_breaks_no_alternative_inside_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    for command, words in (
        (("deliveries", "replay"), ("waiting", "succeeded", "dead", "cancelled")),
        (("deliveries", "list"), ("held", "cancelled")),
        (("run",), ("debug", "warning", "error")),
    ):
        shown = _helped(monkeypatch, *command)
        for word in words:
            assert re.search(rf"\b{word}\b", shown), (command, word)
        assert "<bool>" not in shown


def test_only_what_can_be_annotated_offers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "github" in _helped(monkeypatch, "check")
    assert "github" not in _helped(monkeypatch, "deliveries", "list")
