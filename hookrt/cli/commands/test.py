"""`hookrt test`: the examples that hooks carry, run offline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from hookrt.cli.demo.stage import InventedSecrets
from hookrt.cli.event_loop import run_in_loop
from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.junit import junit_text
from hookrt.cli.options import ConfigArgument, OutputOption
from hookrt.cli.problem_view import annotate_problems
from hookrt.cli.project import find_path
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.report_view import report_as_json, show_report
from hookrt.config.env_file import read_env_file
from hookrt.config.load import Configuration, LoadOptions, load
from hookrt.errors import ConfigError, HookrtError
from hookrt.plugin.manager import load_plugins
from hookrt.plugin.registry import Registry
from hookrt.proving.bench import run_tests
from hookrt.proving.results import Report

app = typer.Typer(add_completion=False)


@app.command("test")
def run_hook_tests(
    path: ConfigArgument = None,
    *,
    name: Annotated[
        str | None, typer.Option("-k", metavar="NAME", help="Only tests with this in `HOOK: NAME`, in any case.")
    ] = None,
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", metavar="FILE", help="Variables and secrets that hooks.yaml is read with."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a report in JUnit's XML, too.")
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Run the tests that hooks carry, offline.

    They stand below `tests:` of a hook. Nothing is sent: requests are
    rendered and signed, and answered as the test says, by 200 where it
    says nothing. Snippets really run, in their sandbox. Time passes by
    itself. The environment is not looked at; secrets are made up. Ends
    with 1 when a test fails.

    Examples:
      hookrt test
      hookrt test -k welcome
      hookrt test deploy/hooks --junit report.xml
    """
    chosen, registry = find_path(path), load_plugins()
    configuration = _load(chosen, registry, read_env_file(env_file) if env_file else {})
    tests = [test for test in configuration.tests if _is_meant(name, f"{test.hook}: {test.name}")]
    if name is not None and not tests:
        raise HookrtError(f"of {len(configuration.tests)} tests in {chosen} none has {name!r} in its name")
    tested = {test.hook for test in configuration.tests}
    untested = [] if name is not None else [hook.name for hook in configuration.hooks if hook.name not in tested]
    report = Report(run_in_loop(run_tests(configuration, registry, tests)), untested)
    if junit is not None:
        junit.write_text(junit_text(report), encoding="utf-8")
    _show(report, output)
    if report.failed:
        raise typer.Exit(EXIT_PROBLEMS)


def _load(path: Path, registry: Registry, env: Mapping[str, str]) -> Configuration:
    """The hooks as they are everywhere: what this machine has of variables and secrets does not count."""
    registry.secret_providers.clear()
    nowhere = {"secrets": {"directory": os.devnull}}  # where no file of a secret is
    loaded = load(path, LoadOptions(registry=registry, env=env, service=nowhere, last_resort=[InventedSecrets()]))
    if loaded.configuration is None:
        raise ConfigError(loaded.problems)
    return loaded.configuration


def _is_meant(wanted: str | None, name: str) -> bool:
    return wanted is None or wanted.lower() in name.lower()


def _show(report: Report, output: Format) -> None:
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(report_as_json(report)))
        return
    if output is Format.GITHUB:
        annotate_problems(screen, [one.problem for result in report.results for one in result.mismatches])
    show_report(screen, report, detailed=output is Format.TEXT)
