"""The log of an embedded runtime: the program's own logging, untouched."""

import io
import logging
import pickle

import pytest
import structlog

from hookrt.observability.line import LogLine
from hookrt.observability.log import configure_logging, get_log
from hookrt.observability.service_format import ServiceFormatter, render_console, render_json
from hookrt.secrets.masking import Masker


@pytest.fixture
def masker():
    made = Masker()
    made.add("s3cret value")
    return made


def record_of(event, fields):
    return logging.LogRecord("hookrt.delivery", logging.INFO, __file__, 1, LogLine(event, fields), (), None)


def test_the_embedded_log_goes_to_the_programs_own_logging(caplog):
    with caplog.at_level(logging.DEBUG, logger="hookrt"):
        get_log("delivery", hook="welcome").info("attempt failed", reason="status", after=5)
        get_log("hookrt").warning("stopped")
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("hookrt.delivery", "INFO", "attempt failed hook=welcome reason=status after=5"),
        ("hookrt", "WARNING", "stopped"),
    ]


def test_an_embedded_runtime_never_configures_logging_or_structlog():
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("hookrt").handlers[:], structlog.is_configured())
    get_log("anything").info("x")
    assert before == (
        list(root.handlers),
        root.level,
        logging.getLogger("hookrt").handlers[:],
        structlog.is_configured(),
    )


def test_the_programs_own_structlog_does_not_change_hookrts_lines(caplog):
    structlog.configure(processors=[lambda *_: "changed"])
    try:
        with caplog.at_level(logging.INFO, logger="hookrt"):
            get_log("x").info("kept", n=1)
    finally:
        structlog.reset_defaults()
    assert [record.getMessage() for record in caplog.records] == ["kept n=1"]


def test_a_line_below_the_level_is_not_even_built(caplog):
    class Watched:
        def __str__(self):
            raise AssertionError("built")

    with caplog.at_level(logging.WARNING, logger="hookrt"):
        get_log("x").info("quiet", value=Watched())
    assert caplog.records == []


def test_a_bound_log_carries_its_fields(caplog):
    with caplog.at_level(logging.INFO, logger="hookrt"):
        get_log("x").bind(delivery="d1").info("done")
    assert caplog.records[0].getMessage() == "done delivery=d1"


def test_an_embedded_log_with_a_mask_hides_secrets_in_event_fields_and_errors(caplog, masker):
    with caplog.at_level(logging.INFO, logger="hookrt"):
        log = get_log("x", masker.mask)
        try:
            raise ValueError("wrong: s3cret value")
        except ValueError:
            log.exception("failed with s3cret value", token="s3cret value", nested={"a": ["s3cret value"]}, n=1)
    (record,) = caplog.records
    assert record.exc_info is None
    assert "s3cret" not in record.getMessage()
    assert "failed with *** token=*** " in record.getMessage()
    assert "ValueError: wrong: ***" in record.getMessage()


def test_a_record_can_be_sent_to_another_process():
    line = pickle.loads(pickle.dumps(LogLine("x", {"n": 1})))
    assert str(line) == "x n=1"


@pytest.mark.parametrize("render", [render_json, lambda: render_console(False), lambda: render_console(True)])
@pytest.mark.parametrize(
    "fields",
    [
        {"token": "s3cret value"},
        {"nested": [{"deep": "s3cret value"}]},
        {"s3cret value": 1},
        {"url": "https://x/?t=s3cret+value"},
    ],
)
def test_every_rendered_line_is_masked(masker, render, fields):
    formatter = ServiceFormatter(render(), masker.mask, stacks=True)
    line = formatter.format(record_of("failed: s3cret value", fields))
    assert "s3cret" not in line
    assert "***" in line


@pytest.mark.parametrize("colours", [True, False])
def test_a_short_secret_is_masked_beside_colours_too(colours):
    masker = Masker()
    masker.add("ab")
    line = ServiceFormatter(render_console(colours), masker.mask, stacks=False).format(record_of("x", {"pin": "ab"}))
    assert "***" in line


@pytest.mark.parametrize("render", [render_json, lambda: render_console(False)])
@pytest.mark.parametrize("evil", ["\x1b[2J", "a\nforged line", "\x00", "\x85", "\u202e", "\udc80", "\x7f"])
def test_control_characters_are_escaped(render, evil):
    formatter = ServiceFormatter(render(), str, stacks=False)
    line = formatter.format(record_of(f"event {evil}", {"field": evil, f"key{evil}": 1, "nested": [evil]}))
    assert evil not in line
    line.encode()


@pytest.mark.parametrize("render", [render_json, lambda: render_console(True)])
@pytest.mark.parametrize("key", ["timestamp", "level", "logger", "exception", "stack", "exc_info", "frames"])
def test_a_field_does_not_take_the_place_of_what_hookrt_writes(render, key):
    line = ServiceFormatter(render(), str, stacks=False).format(record_of("happened", {key: "forged\nline"}))
    assert f"{key}_" in line
    assert "hookrt.delivery" in line
    assert "\n" not in line


def test_a_field_that_cannot_be_rendered_does_not_cost_the_line():
    circle = {}
    circle["self"] = circle
    for render in (render_json(), render_console(False)):
        line = ServiceFormatter(render, str, stacks=False).format(
            record_of("happened", {"circle": circle, "odd": {(1,): 2}})
        )
        assert "happened" in line


def test_an_unknown_level_is_refused_before_anything_changes():
    with pytest.raises(ValueError, match="'loud' is no log level: use one of debug, info, warning, error"):
        configure_logging("json", "loud", stream=io.StringIO())
