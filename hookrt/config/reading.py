"""From the sections of the files to a Configuration: everything that settings, conditions and steps take."""

from __future__ import annotations

from collections.abc import Sequence

from hookrt.config.clear_secrets import warn_of_clear_secrets
from hookrt.config.configuration import Configuration, LoadOptions
from hookrt.config.context import LoadContext
from hookrt.config.destinations import read_destinations
from hookrt.config.expressions import names_for
from hookrt.config.fields import Fields, Keys, as_mapping
from hookrt.config.fingerprint import fingerprints
from hookrt.config.fixed_values import FixedValues
from hookrt.config.hooks_file import read_hooks
from hookrt.config.policies import HOOK_POLICY_KEYS, Policy, read_policy
from hookrt.config.problem_log import ProblemLog
from hookrt.config.secret_check import SecretCheck
from hookrt.config.sections import Sections
from hookrt.config.service import SecretSettings, ServiceSettings
from hookrt.config.service_section import directory_of, merge_service
from hookrt.config.source_text import SourceText, Span
from hookrt.config.sources import SourceEntry, read_sources
from hookrt.config.text_files import TextFiles
from hookrt.config.tls_files import TlsFiles
from hookrt.model.hook import Destination, Hook
from hookrt.secrets.lookup import SecretLookup
from hookrt.secrets.masking import Masker
from hookrt.secrets.providers import secret_providers


class Reader:
    """Reads the sections in the order in which they need each other."""

    def __init__(self, sections: Sections, options: LoadOptions, masker: Masker, log: ProblemLog) -> None:
        self._sections = sections
        self._options = options
        self._masker = masker
        self._log = log

    def configuration(self) -> Configuration:
        """Everything that could be read; it counts only if the log has no errors."""
        options, log = self._options, self._log
        for entry in self._sections.entries():
            warn_of_clear_secrets(entry.value, self._masker, log)
        section = merge_service(self._sections.single.get("service"), options, log)
        secret_settings = section.secret_settings()
        check = SecretCheck(self._lookup(secret_settings), log, options.missing_secrets == "error")
        values = FixedValues(log, options.env, check, names_for(options.registry))
        service = section.settings(secret_settings, values)
        sources = tuple(read_sources(self._sections.named["sources"], options.registry, values))
        schemes = options.registry.schemes
        tls = TlsFiles(self._sections.base_dir, self._sections.seen)
        destinations = tuple(read_destinations(self._sections.named["destinations"], values, schemes, tls))
        _remember(self._masker, destinations, sources, service)
        context = self._context(check, destinations, sources)
        context.service_actions = service.actions
        context.service_written = section.written_actions()
        context.fingerprints = fingerprints(self._sections.named["hooks"], self._sections.single.get("defaults"))
        hooks = self._hooks(context)  # now the fingerprints are whole
        return Configuration(
            hooks=hooks,
            destinations={destination.name: destination for destination in destinations},
            sources=sources,
            service=service,
            base_dir=self._sections.base_dir,
            files=self._sections.files,
            secrets=check.lookup,
            missing_secrets=frozenset(check.missing),
            fingerprints=context.fingerprints,
            empty="hooks" not in self._sections.written,
            tests=tuple(context.tests),
            lacking_sources=tuple(sorted(self._sections.named["sources"].keys() - {one.name for one in sources})),
        )

    def _lookup(self, settings: SecretSettings) -> SecretLookup:
        options = self._options
        if options.secrets is not None:
            return options.secrets
        directory = directory_of(settings, self._sections.base_dir)
        providers = secret_providers(options.env, options.registry, settings.prefix, directory)
        return SecretLookup([*providers, *options.last_resort], self._masker)

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
            files=TextFiles(self._sections.base_dir, self._log, self._sections.seen),
            destination_urls=urls,
            source_types=types,
            signed={one.name: _made_headers(one) for one in destinations if one.signing or one.authorized},
            complete=self._sections.complete,
        )

    def _hooks(self, context: LoadContext) -> tuple[Hook, ...]:
        entries = self._sections.named["hooks"]
        hooks = tuple(read_hooks(entries, self._defaults(), context))
        if not entries and self._sections.complete and self._sections.files and "hooks" not in self._sections.misnamed:
            where = Span(SourceText(str(self._sections.files[0])), 1, 1)
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


def _made_headers(destination: Destination) -> frozenset[str]:
    made = frozenset(name for by in destination.signing for name in by.header_names)
    return made | {"authorization"} if destination.authorized else made


def _remember(
    masker: Masker, destinations: Sequence[Destination], sources: Sequence[SourceEntry], service: ServiceSettings
) -> None:
    """Let the masker know the secrets that no provider gave: those that are written into the file."""
    for written in (one for source in sources for one in source.secrets()):
        masker.add(written)
    for destination in destinations:
        for secret in (*destination.signing_secrets, *(one for by in destination.signing for one in by.secrets)):
            masker.add(secret.value)
    for token in service.tokens:
        masker.add(token.token.get_secret_value())
