"""How `hookrt receiver` judges what it gets: by the sources that are installed, hookrt's own and those of plugins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
from pydantic import ValidationError

from hookrt.cli.receiver_server import Judgement, Trust
from hookrt.config.sources import OF_REQUEST, SourceEntry
from hookrt.config.suggest import did_you_mean
from hookrt.errors import EventError
from hookrt.model.event import EventDraft
from hookrt.plugin.inbound import Inbound, InboundSource, Reply
from hookrt.plugin.inbound_settings import InboundSettings
from hookrt.plugin.refusal import REFUSALS, Refused
from hookrt.plugin.registry import Registry
from hookrt.plugin.settings import Settings
from hookrt.runtime.inbound_draft import make_drafts
from hookrt.runtime.inbound_reply import accepted_reply
from hookrt.runtime.source_facts import most_bytes

ALIASES = {"standard": "standard_webhooks"}
"""Short names of schemes."""

_MARKS = (
    ("logto-signature-sha-256", "logto"),
    ("x-hub-signature-256", "github"),
    ("x-github-event", "github"),
    ("x-gitlab-event", "gitlab"),
    ("x-gitlab-token", "gitlab"),
    ("stripe-signature", "stripe"),
    ("x-slack-signature", "slack"),
    ("x-shopify-hmac-sha256", "shopify"),
    ("x-twilio-signature", "twilio"),
    ("ce-specversion", "cloudevents"),
    ("webhook-signature", "standard_webhooks"),
    ("authorization", "token"),
)
"""Headers by which a sender is known, the surest first."""

_TIME_HEADERS = ("webhook-timestamp", "x-slack-request-timestamp")
_STRIPE_TIME = re.compile(r"(?:^|,)\s*t=(\d{1,13})")
_MILLISECONDS = 100_000_000_000


class BadScheme(ValueError):  # noqa: N818 - says it as people do
    """There is no such scheme, or it cannot be set up so; the text says why."""


@dataclass(frozen=True, slots=True)
class SchemeJudge:
    """Judges requests as one source does."""

    entry: SourceEntry
    plugin: InboundSource[Any]

    @property
    def name(self) -> str:
        """The source's name."""
        return self.plugin.name

    def __call__(self, request: Inbound) -> Judgement:
        """What the source says, whatever it raises."""
        sent = _sent(request, self.entry.settings)
        try:
            found = self._understand(request)
        except Refused as refused:
            found = Judgement(
                Trust.REFUSED, refused.message, refused.reason, REFUSALS[refused.reason], headers=refused.headers
            )
        except EventError as error:
            found = Judgement(Trust.REFUSED, str(error), "malformed", HTTPStatus.BAD_REQUEST)
        except Exception as error:  # a plugin's fault
            why = f"the source {self.name!r} failed with {type(error).__name__}"
            found = Judgement(Trust.REFUSED, why, "source-failed", HTTPStatus.INTERNAL_SERVER_ERROR)
        if sent is None and found.events:
            sent = found.events[0].time
        return replace(found, scheme=self.name, sent=sent)

    def _understand(self, request: Inbound) -> Judgement:
        if request.method not in self.plugin.methods:
            why = f"{self.name} sends {' or '.join(sorted(self.plugin.methods))}"
            return Judgement(Trust.REFUSED, why, "malformed", HTTPStatus.METHOD_NOT_ALLOWED)
        most = most_bytes(self.entry)
        if len(request.body) > most:
            raise Refused("too-large", f"the body has {len(request.body):,} bytes, {self.name} sends {most:,} at most")
        said = self.plugin.receive(request, self.entry.settings)
        if isinstance(said, Reply):
            return Judgement(Trust.VERIFIED, reply=said)
        drafts = tuple(make_drafts(self.entry, request, said))
        return Judgement(Trust.VERIFIED, events=drafts, usual=self._usual(drafts))

    def _usual(self, drafts: Sequence[EventDraft]) -> Reply | None:
        """How this sender expects to be answered, where its source knows."""
        respond = getattr(self.entry.settings, "respond", None)
        return None if respond is None else accepted_reply(respond, [draft.id or "" for draft in drafts])


@dataclass(frozen=True, slots=True)
class GuessingJudge:
    """Judges by the scheme that a request shows, else by whichever of all accepts it."""

    judges: Mapping[str, SchemeJudge]

    def __call__(self, request: Inbound) -> Judgement:
        """The judgement of the first that accepts it, else why the likeliest does not."""
        likely = next((name for header, name in _MARKS if header in request.headers), None)
        first = self.judges.get(likely or "")
        told = first(request) if first is not None else None
        if told is not None and told.trust is Trust.VERIFIED:
            return told
        for judge in self.judges.values():
            if judge is not first and (found := judge(request)).trust is Trust.VERIFIED:
                return found
        if told is not None:
            return told
        return Judgement(Trust.REFUSED, _unknown(likely), "bad-signature", scheme=likely or "")


def _unknown(likely: str | None) -> str:
    if likely is None:
        return "it carries no signature that is known here: name its scheme with --scheme"
    return f"it looks like {likely}, for which none of the secrets fits"


def judge_by(registry: Registry, name: str, secrets: Sequence[str], settings: Mapping[str, str]) -> SchemeJudge:
    """The judge of this scheme; raises BadScheme."""
    schemes = _schemes(registry)
    plugin = schemes.get(ALIASES.get(name, name))
    if plugin is None:
        hint = registry.why_missing(name) or did_you_mean(name, [*schemes, *ALIASES]) or ""
        raise BadScheme(f"there is no scheme {name!r}{': ' if hint else ''}{hint}")
    if taken := [key for key in settings if key in OF_REQUEST or key == "secret"]:
        raise BadScheme(f"{taken[0]!r} cannot be set here")
    return _make(plugin, secrets, {key: _value(text) for key, text in settings.items()})


def guessing(registry: Registry, secrets: Sequence[str]) -> GuessingJudge:
    """A judge that finds out the scheme, from those that need a secret only; raises BadScheme for a secret that
    looks like one of the Standard Webhooks and is none.
    """
    judges: dict[str, SchemeJudge] = {}
    for name, plugin in _schemes(registry).items():
        if not issubclass(plugin.settings, InboundSettings):
            continue  # one that takes everything says nothing
        fitting = [secret for secret in secrets if _fits(plugin, secret)]
        if fitting:
            judges[name] = _make(plugin, fitting, {})
    _check_standard(secrets)
    return GuessingJudge(judges)


def _check_standard(secrets: Sequence[str]) -> None:
    """Stripe's secrets have the same beginning, and other characters than base64 has none."""
    for secret in secrets:
        kind, mark, rest = secret.partition("_")
        if mark and kind in ("whsec", "whpk") and not re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", rest):
            raise BadScheme(f"what begins with {kind}_ goes on with base64, and this does not")


def _schemes(registry: Registry) -> dict[str, type[InboundSource[Any]]]:
    return {
        name: plugin
        for name, plugin in registry.sources.items()
        if ":" not in name and issubclass(plugin, InboundSource)
    }


def _fits(plugin: type[InboundSource[Any]], secret: str) -> bool:
    try:
        _make(plugin, [secret], {})
    except BadScheme:
        return False
    return True


def _make(plugin: type[InboundSource[Any]], secrets: Sequence[str], settings: Mapping[str, Any]) -> SchemeJudge:
    tree = {**settings, "secret": list(secrets)} if secrets else dict(settings)
    try:
        made: Settings = plugin.settings.model_validate_json(msgspec.json.encode(tree))
    except ValidationError as error:
        raise BadScheme(f"{plugin.name}: {'; '.join(_faults(error))}") from None
    return SchemeJudge(SourceEntry(plugin.name, plugin, made), plugin())


def _faults(error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(part) for part in one["loc"])
        if one["type"] == "missing":
            yield "it needs --secret" if where == "secret" else f"it needs --set {where}=..."
        elif one["type"] == "extra_forbidden":
            yield f"there is no setting {where!r}"
        else:
            message = one["msg"].removeprefix("Value error, ")
            yield f"{where}: {message}" if where else message


def _value(text: str) -> Any:
    """A setting as JSON where it is some, else as text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _sent(request: Inbound, settings: Settings) -> datetime | None:
    """The time that the request's signature carries, whether or not it is right."""
    described = getattr(settings, "timestamp_header", None)
    names = (described.lower(),) if isinstance(described, str) else _TIME_HEADERS
    written = next((request.headers[name] for name in names if name in request.headers), None)
    if found := _STRIPE_TIME.search(request.headers.get("stripe-signature", "")):
        written = found[1]
    return None if written is None else _moment(written)


def _moment(text: str) -> datetime | None:
    try:
        if text.isascii() and text.isdigit() and len(text) <= len(str(_MILLISECONDS)) + 1:
            seconds = int(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS else seconds, UTC)
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else None
    except (ValueError, OverflowError, OSError):
        return None
