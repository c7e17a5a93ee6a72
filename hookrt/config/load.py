"""From a path to a Configuration: the one way into this room."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hookrt.config.configuration import Configuration, Loaded, LoadOptions
from hookrt.config.context import LoadContext
from hookrt.config.destinations import read_destinations
from hookrt.config.fields import Fields, Keys, as_mapping
from hookrt.config.fixed_values import FixedValues
from hookrt.config.hooks_file import read_hooks
from hookrt.config.policies import HOOK_POLICY_KEYS, Policy, read_policy
from hookrt.config.problem_log import ProblemLog, TooManyProblems
from hookrt.config.secret_check import SecretCheck
from hookrt.config.sections import Sections, find_files, is_directory, read_sections
from hookrt.config.service import SecretSettings, ServiceSettings
from hookrt.config.service_section import directory_of, merge_service
from hookrt.config.source_text import SourceText, Span
from hookrt.config.sources import SourceEntry, read_sources
from hookrt.errors import ConfigError
from hookrt.model.hook import Destination, Hook
from hookrt.model.problem import Problem, Severity
from hookrt.secrets.lookup import SecretLookup
from hookrt.secrets.masking import Masker
from hookrt.secrets.providers import secret_providers

__all__ = ["Configuration", "LoadOptions", "Loaded", "SourceEntry", "load", "load_or_raise"]


def load(path: Path, options: LoadOptions) -> Loaded:
    """Read a file, or all `*.yaml` of a directory, and everything in it; whatever is wrong is a problem.

    Nothing is raised for what somebody wrote. Places name the files as `path` does.
    """
    log = ProblemLog()
    loader = _Loader(path, options, log)
    configuration: Configuration | None = None
    with suppress(TooManyProblems):
        configuration = loader.configuration()
    problems = tuple(_without_secrets(problem, loader.masker) for problem in log.sorted())
    if log.has_errors or configuration is None:
        return Loaded(None, problems)
    warnings = tuple(problem for problem in problems if problem.severity is Severity.WARNING)
    return Loaded(replace(configuration, warnings=warnings), problems)


def load_or_raise(path: Path, options: LoadOptions) -> Configuration:
    """As `load`; raises ConfigError with all problems when there is any error."""
    loaded = load(path, options)
    if loaded.configuration is None:
        raise ConfigError(loaded.errors)
    return loaded.configuration


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


def _remember(masker: Masker, destinations: Sequence[Destination], service: ServiceSettings) -> None:
    """Let the masker know the secrets that no provider gave: those that are written into the file."""
    for destination in destinations:
        for secret in destination.signing_secrets:
            masker.add(secret.value)
    for token in service.tokens:
        masker.add(token.token.get_secret_value())


class _Loader:
    """Reads the sections in the order in which they need each other."""

    def __init__(self, path: Path, options: LoadOptions, log: ProblemLog) -> None:
        self.masker = options.secrets.masker if options.secrets else options.masker or Masker()
        self._options = options
        self._log = log
        self._base_dir = path if is_directory(path) else path.parent
        self._files = find_files(path, log)
        self._sections = Sections()

    def configuration(self) -> Configuration:
        """Everything that could be read; it counts only if the log has no errors."""
        options, log = self._options, self._log
        self._sections = read_sections(self._files, log)
        section = merge_service(self._sections.single.get("service"), options, log)
        secret_settings = section.secret_settings()
        check = SecretCheck(self._lookup(secret_settings), log, options.missing_secrets == "error")
        values = FixedValues(log, options.env, check)
        service = section.settings(secret_settings, values)
        sources = tuple(read_sources(self._sections.named["sources"], options.registry, values))
        destinations = tuple(read_destinations(self._sections.named["destinations"], values))
        _remember(self.masker, destinations, service)
        context = self._context(check, destinations, sources)
        context.service_actions = service.actions.keys()
        return Configuration(
            hooks=self._hooks(context),
            destinations={destination.name: destination for destination in destinations},
            sources=sources,
            service=service,
            base_dir=self._base_dir,
            files=self._files,
            secrets=check.lookup,
            missing_secrets=frozenset(check.missing),
        )

    def _lookup(self, settings: SecretSettings) -> SecretLookup:
        options = self._options
        if options.secrets is not None:
            return options.secrets
        directory = directory_of(settings, self._base_dir)
        providers = secret_providers(options.env, options.registry, settings.prefix, directory)
        return SecretLookup([*providers, *options.last_resort], self.masker)

    def _context(
        self, check: SecretCheck, destinations: Sequence[Destination], sources: Sequence[SourceEntry]
    ) -> LoadContext:
        urls: dict[str, str | None] = dict.fromkeys(self._sections.named["destinations"])
        urls.update({destination.name: destination.url for destination in destinations})
        types: dict[str, Sequence[str] | None] = dict.fromkeys(self._sections.named["sources"])
        types.update({source.name: source.types for source in sources})
        return LoadContext(
            log=self._log,
            registry=self._options.registry,
            secrets=check,
            destination_urls=urls,
            source_types=types,
            complete=self._sections.complete,
        )

    def _hooks(self, context: LoadContext) -> tuple[Hook, ...]:
        entries = self._sections.named["hooks"]
        hooks = tuple(read_hooks(entries, self._defaults(), context))
        if not entries and self._sections.complete and self._files:
            where = Span(SourceText(str(self._files[0])), 1, 1)
            self._log.warn(where, "there are no hooks here, so that nothing will ever run", "`hookrt init` shows how")
        return hooks

    def _defaults(self) -> Policy:
        entry = self._sections.single.get("defaults")
        node = as_mapping(entry.value, "`defaults`", self._log) if entry else None
        if node is None:
            return Policy()
        fields = Fields(node, "`defaults`", self._log)
        fields.check_keys(Keys(HOOK_POLICY_KEYS, {}))
        return read_policy(fields)
