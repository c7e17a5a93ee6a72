from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


def test_a_source_has_what_was_written(bench: Any) -> None:
    bench.env["HOOKRT_SECRET_BOX"] = "box-secret"
    text = 'sources:\n  clock: {ticker: {every: 5s, type: A.B}}\n  box: {inbox: {secret: "${{ secrets.BOX }}"}}\n'
    clock, box = bench.configuration(text).sources
    assert (clock.name, clock.plugin.name, clock.settings.every) == ("clock", "ticker", timedelta(seconds=5))
    assert (clock.types, box.types) == (("A.B",), None)
    assert box.settings.secret == "box-secret"
    assert "box-secret" not in repr(box)
    assert str(box.place) == "hooks.yaml:3:3"


def test_a_bare_text_means_the_short_setting_of_a_source(bench: Any) -> None:
    [source] = bench.configuration("sources:\n  clock: {ticker: 5s}\n").sources
    assert source.settings.every == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clock: {tiker: 5s}", "2:11 there is no source plugin 'tiker' | did you mean 'ticker'?"),
        ("box: {sms: {}}", "2:9 there is no source plugin 'sms' | the plugin hookrt-sms 1.2 failed to load"),
        ("clock: {ticker: 5s, inbox: {}}", "2:23 a source has one plugin"),
        ("clock: {}", "2:3 source 'clock' needs a plugin with its settings | it can be inbox, ticker"),
        ("clock: 5s", "2:10 source 'clock' must be a mapping"),
        ("clock: {ticker: 5}", "2:19 `every`: 5 is no duration"),
        ("clock: {ticker: {evry: 5s, every: 5s}}", "2:20 `ticker` has no setting 'evry' | did you mean 'every'?"),
        ("clock: {inbox: text}", "2:18 `inbox` takes a mapping of settings"),
        ("Clock: {ticker: 5s}", "2:3 'Clock' is no name for a source"),
        ("http: {ticker: 5s}", "2:3 a source cannot be called 'http'"),
        ("app: {ticker: 5s}", "2:3 a source cannot be called 'app'"),
    ],
)
def test_a_bad_source_is_an_error_at_its_place(bench: Any, text: str, message: str) -> None:
    [error] = bench.errors(f"sources:\n  {text}\n")
    assert error.startswith(message)


@pytest.mark.parametrize("raised", [LookupError("lost"), SystemExit("lost")])
def test_a_source_plugin_that_fails_is_named(bench: Any, raised: BaseException) -> None:
    class Wild(bench.registry.sources["ticker"]):  # type: ignore[misc]
        name = "wild"

        def types(self, settings: Any) -> Any:
            raise raised

    bench.registry.sources["wild"] = Wild
    [error] = bench.errors("sources:\n  clock: {wild: {every: 5s}}\n")
    assert error.startswith(
        f"2:11 the source plugin `wild` failed with {type(raised).__name__}: lost (test_sources.py:"
    )
