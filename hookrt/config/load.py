"""From a path to a Configuration: the one way into this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hookrt.config.configuration import Configuration, Loaded, LoadOptions
from hookrt.config.problem_log import ProblemLog, TooManyProblems
from hookrt.config.sections import Sections, read_dict, read_sections
from hookrt.errors import ConfigError
from hookrt.model.problem import Problem, Severity
from hookrt.plugin.registry import Registry
from hookrt.secrets.masking import Masker

__all__ = ["Configuration", "LoadOptions", "Loaded", "load", "load_dict", "load_or_raise"]


def load(path: Path, options: LoadOptions) -> Loaded:
    """Read a file, or all `*.yaml` of a directory, and everything in it; whatever is wrong is a problem.

    Nothing is raised for what somebody wrote. Places name the files as `path` does.
    """
    return _load(partial(read_sections, path), options, Sections(path))


def load_dict(settings: Mapping[str, Any], options: LoadOptions, base_dir: Path) -> Loaded:
    """The same for what a file in this folder would hold, as Python values; places are lines of its JSON.

    Raises UsageError for values that no file could hold.
    """
    return _load(partial(read_dict, settings, base_dir), options, Sections(base_dir))


def _load(read: Callable[[ProblemLog], Sections], options: LoadOptions, sections: Sections) -> Loaded:
    log = ProblemLog()
    masker = options.secrets.masker if options.secrets else options.masker or Masker()
    configuration: Configuration | None = None
    with suppress(TooManyProblems):
        sections = read(log)
        configuration = _read(sections, options, masker, log)
    problems = tuple(_without_secrets(problem, masker) for problem in log.sorted())
    seen = frozenset(sections.seen)
    if log.has_errors or configuration is None:
        return Loaded(None, problems, seen)
    warnings = tuple(problem for problem in problems if problem.severity is Severity.WARNING)
    return Loaded(replace(configuration, warnings=warnings), problems, seen)


def load_or_raise(path: Path, options: LoadOptions) -> Configuration:
    """As `load`; raises ConfigError with all problems when there is any error."""
    loaded = load(path, options)
    if loaded.configuration is None:
        raise ConfigError(loaded.errors)
    return loaded.configuration


def _read(sections: Sections, options: LoadOptions, masker: Masker, log: ProblemLog) -> Configuration:
    _announce_checks(sections.step_keys(), options.registry)
    # Only now, since it costs as much as what the actions began, which goes on meanwhile.
    from hookrt.config.reading import Reader  # noqa: PLC0415

    return Reader(sections, options, masker, log).configuration()


def _announce_checks(step_keys: frozenset[str], registry: Registry) -> None:
    """Tell the actions that have steps; one that fails here will say why when it checks them."""
    for name in sorted(step_keys & registry.actions.keys()):
        with suppress(Exception):
            registry.actions[name].expect_checks()


def _without_secrets(problem: Problem, masker: Masker) -> Problem:
    """The problem with secrets masked, and without its line where that holds one, as if written into the file."""
    text = problem.line_text
    hidden = text is not None and masker.mask(text) != text
    return replace(
        problem,
        message=masker.mask(problem.message),
        hint=masker.mask(problem.hint) if problem.hint else None,
        line_text=None if hidden else text,
    )
