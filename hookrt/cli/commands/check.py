"""`hookrt check`: every problem of hooks.yaml at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hookrt.cli.failures import EXIT_PROBLEMS
from hookrt.cli.options import ConfigArgument, EnvFileOption, OutputOption
from hookrt.cli.problem_view import annotate_problems, count_problems, problem_as_json, show_problems
from hookrt.cli.project import open_project
from hookrt.cli.render import Format, Screen, to_json
from hookrt.cli.wording import counted
from hookrt.config.load import Loaded
from hookrt.model.problem import Severity

app = typer.Typer(add_completion=False)


@app.command()
def check(
    path: ConfigArgument = None,
    *,
    secrets: Annotated[bool, typer.Option("--secrets", help="A missing secret is an error, not a warning.")] = False,
    env_file: EnvFileOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Find every problem of hooks.yaml, each with its line and what to do.

    Conditions, `${{ }}` expressions, snippets and the settings of every
    action are checked; nothing is sent and nothing is run. Ends with 1
    when there is an error; warnings alone end with 0.

    Examples:
      hookrt check
      hookrt check deploy/hooks --secrets --env-file .env     before a deploy
      hookrt check -o github                                  in a workflow
    """
    project = open_project(path, env_file)
    loaded = project.load("error" if secrets else "warn")
    screen = Screen()
    if output is Format.JSON:
        screen.raw(to_json(_as_json(loaded)))
    else:
        if output is Format.GITHUB:
            annotate_problems(screen, loaded.problems)
        else:
            show_problems(screen, loaded.problems)
        screen.line(*_closing_line(loaded, project.path))
    if _has_errors(loaded):
        raise typer.Exit(EXIT_PROBLEMS)


def _has_errors(loaded: Loaded) -> bool:
    return loaded.configuration is None or any(found.severity is Severity.ERROR for found in loaded.problems)


def _closing_line(loaded: Loaded, path: Path) -> list[tuple[str, str]]:
    if _has_errors(loaded):
        return [(f"{count_problems(loaded.problems)} in {path}", "bold red")]
    counts = ", ".join(_counts(loaded))
    style = "bold yellow" if loaded.problems else "bold green"
    return [(f"{path}: {counts}, ", ""), (count_problems(loaded.problems), style)]


def _counts(loaded: Loaded) -> list[str]:
    found = loaded.configuration
    if found is None:
        return []
    counts = [counted(len(found.hooks), "hook")]
    if not found.missing_secrets:  # what needs one of those is left out of the configuration
        counts.append(counted(len(found.destinations), "destination"))
        counts += [counted(len(found.sources), "source")] if found.sources else []
    return counts


def _as_json(loaded: Loaded) -> dict[str, Any]:
    found = loaded.configuration
    return {
        "valid": not _has_errors(loaded),
        "errors": sum(problem.severity is Severity.ERROR for problem in loaded.problems),
        "warnings": sum(problem.severity is Severity.WARNING for problem in loaded.problems),
        "problems": [problem_as_json(problem) for problem in loaded.problems],
        "hooks": [hook.name for hook in found.hooks] if found else [],
        "destinations": list(found.destinations) if found else [],
        "files": [str(file) for file in found.files] if found else [],
    }
