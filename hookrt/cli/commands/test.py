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
from hookrt.cli.installed import load_installed
from hookrt.cli.junit import junit_text
from hookrt.cli.options import ConfigArgument, OutputOption
from hookrt.cli.problem_view import annotate_problems
from hookrt.cli.project import find_path
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.report_view import report_as_json, show_report
from hookrt.cli.wording import counted
from hookrt.config.env_file import read_env_file
from hookrt.config.load import Configuration, LoadOptions, load
from hookrt.config.suggest import closest
from hookrt.errors import ConfigError, HookrtError
from hookrt.model.hook_test import HookTest
from hookrt.plugin.registry import Registry
from hookrt.proving.bench import run_tests
from hookrt.proving.results import Report

app = typer.Typer(add_completion=False)


@app.command("test")
def run_hook_tests(  # noqa: PLR0913 - one parameter for each option
    path: ConfigArgument = None,
    *,
    name: Annotated[
        str | None, typer.Option("-k", metavar="NAME", help="Only tests with this in `HOOK: NAME`, in any case.")
    ] = None,
    hook: Annotated[str | None, typer.Option("--hook", metavar="HOOK", help="Only the tests of this hook.")] = None,
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
      hookrt test --hook welcome -k retry
      hookrt test deploy/hooks --junit report.xml
    """
    chosen = find_path(path)
    registry = load_installed(chosen, {})
    configuration = _load(chosen, registry, read_env_file(env_file) if env_file else {})
    tests = _chosen(configuration, hook, name)
    report = Report(run_in_loop(run_tests(configuration, registry, tests)), _untested(configuration, hook, name))
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


def _chosen(configuration: Configuration, hook: str | None, name: str | None) -> list[HookTest]:
    """The tests that are meant; raises where a filter leaves none."""
    hooks = [one.name for one in configuration.hooks]
    if hook is not None and hook not in hooks:
        meant = closest(hook, hooks)
        raise HookrtError(f"there is no hook {hook!r}" + (f": did you mean {meant!r}?" if meant else ""))
    tests = [test for test in configuration.tests if hook in (None, test.hook)]
    found = [test for test in tests if name is None or name.lower() in f"{test.hook}: {test.name}".lower()]
    if name is not None and not found:
        whose = f" of the hook {hook!r}" if hook is not None else ""
        raise HookrtError(f"none of the {counted(len(tests), 'test')}{whose} has {name!r} in its name")
    return found


def _untested(configuration: Configuration, hook: str | None, name: str | None) -> list[str]:
    """The hooks without a test; with a filter by name that says nothing."""
    tested = {test.hook for test in configuration.tests}
    hooks = [one.name for one in configuration.hooks if one.name not in tested and hook in (None, one.name)]
    return [] if name is not None else hooks


def _show(report: Report, output: Format) -> None:
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(report_as_json(report)))
        return
    if output is Format.GITHUB:
        annotate_problems(screen, [one.problem for result in report.results for one in result.mismatches])
    show_report(screen, report, detailed=output is Format.TEXT)
