from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hookrt.config.load import LoadOptions, load, load_or_raise
from hookrt.errors import ConfigError

STEP = '- say: "${{ secrets.API_KEY }}"'


def test_a_missing_secret_is_a_warning_in_check(bench: Any) -> None:
    text = bench.with_step(STEP)
    [warning] = bench.warnings(text)
    assert warning == "6:14 the secret API_KEY is not provided: set the variable HOOKRT_SECRET_API_KEY"
    assert bench.load(text).configuration.missing_secrets == {"API_KEY"}


def test_a_missing_secret_is_a_problem_where_it_is_asked_for(bench: Any) -> None:
    bench.missing_secrets = "error"
    [error] = bench.step_errors(STEP)
    assert "the secret API_KEY is not provided" in error


def test_a_missing_secret_is_reported_once(bench: Any) -> None:
    text = bench.with_step(f"{STEP}\n{STEP}")
    assert len(bench.warnings(text)) == 1


def test_a_missing_secret_gets_a_did_you_mean(bench: Any) -> None:
    bench.env["HOOKRT_SECRET_API_KEYS"] = "value"
    [warning] = bench.warnings(bench.with_step(STEP))
    assert warning.endswith("| did you mean secrets.API_KEYS?")


def test_a_secret_that_is_provided_is_no_problem_and_masked(bench: Any) -> None:
    bench.env["HOOKRT_SECRET_API_KEY"] = "the-api-key"
    configuration = bench.configuration(bench.with_step(STEP))
    assert bench.warnings(bench.with_step(STEP)) == []
    assert configuration.secrets.masker.mask("the-api-key") == "***"
    assert "the-api-key" not in repr(configuration)


def test_only_a_literal_name_can_be_asked_for(bench: Any) -> None:
    for expression in ("secrets[event.data.name]", "secrets", "size(secrets)"):
        [error] = bench.step_errors(f"- say: '${{{{ {expression} }}}}'")
        assert "secrets.NAME" in error


def test_the_prefix_of_secrets_is_settable_also_to_none(bench: Any) -> None:
    bench.env.update(APP_API_KEY="one", API_KEY="two")
    for prefix, value in (("APP_", "one"), ('""', "two")):
        text = f"service: {{secrets: {{prefix: {prefix}}}}}\n" + bench.with_step(STEP)
        assert bench.configuration(text).secrets.require("API_KEY") == value


def test_a_directory_of_secrets_is_seen_from_the_files_folder(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "API_KEY").write_text("from-a-file\n")
    text = "service: {secrets: {directory: keys}}\n" + bench.with_step(STEP)
    assert bench.configuration(text).secrets.require("API_KEY") == "from-a-file"
    assert bench.warnings(text) == []


def test_a_secret_file_that_cannot_be_used_says_why(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "API_KEY").write_bytes(b"\xff\xff")
    [warning] = bench.warnings("service: {secrets: {directory: .}}\n" + bench.with_step(STEP))
    assert "is not UTF-8 text" in warning


def test_the_last_resort_is_asked_last(bench: Any, tmp_path: Path) -> None:
    class Inventor:
        def get(self, name: str) -> str | None:
            return f"invented-{name}"

    bench.env["HOOKRT_SECRET_GIVEN"] = "given"
    Path("hooks.yaml").write_text(bench.with_step(STEP))
    options = LoadOptions(bench.registry, bench.env, missing_secrets="error", last_resort=[Inventor()])
    configuration = load(Path("hooks.yaml"), options).configuration
    assert configuration is not None
    assert configuration.secrets.require("API_KEY") == "invented-API_KEY"
    assert configuration.secrets.require("GIVEN") == "given"


def test_what_needs_a_missing_secret_is_left_out_of_the_configuration(bench: Any) -> None:
    configuration = bench.configuration(
        """
sources:
  box: {inbox: {secret: "${{ secrets.BOX }}"}}
  clock: {ticker: 5s}
destinations:
  crm: {url: https://a.example, signing_secret: "${{ secrets.CRM }}"}
  other: {url: https://b.example}
service:
  port: 80
  tokens: [{token: "${{ secrets.TOKEN }}", scopes: [admin]}]
hooks:
  one: {on: A, steps: [{post: {to: crm}}]}
"""
    )
    assert configuration.missing_secrets == {"BOX", "CRM", "TOKEN"}
    assert [source.name for source in configuration.sources] == ["clock"]
    assert list(configuration.destinations) == ["other"]
    assert configuration.service.tokens == ()
    assert configuration.service.port == 80


def test_the_value_of_a_secret_never_stands_in_a_problem(bench: Any) -> None:
    bench.env["HOOKRT_SECRET_SOON"] = "s3cret-value"
    loaded = bench.load('service: {drain: "${{ secrets.SOON }}"}\nsources: {t: {ticker: "${{ secrets.SOON }}"}}\n')
    assert len(loaded.errors) == 2
    assert all("'***' is no duration" in problem.message for problem in loaded.errors)


def test_load_or_raise_raises_all_errors(bench: Any) -> None:
    Path("hooks.yaml").write_text("a: 1\nb: 2\n")
    with pytest.raises(ConfigError) as caught:
        load_or_raise(Path("hooks.yaml"), LoadOptions(bench.registry))
    assert len(caught.value.problems) == 2
    Path("hooks.yaml").write_text(bench.with_step("- say: x"))
    assert load_or_raise(Path("hooks.yaml"), LoadOptions(bench.registry)).hooks
