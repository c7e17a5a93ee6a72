"""What third parties import: the contract of actions, sources, secret providers and observers.

Nothing else of hookrt but `hookrt.testing` is meant for plugins.
"""

from __future__ import annotations

from hookrt.clock import Clock
from hookrt.errors import EventError, ExpressionError, Overloaded, PluginError, SecretMissing, StoreError, UsageError
from hookrt.model.access import Access
from hookrt.model.answers import DEFAULT_RULES, LITERAL_RULES, SUCCESS, AnswerRules, RetryOn
from hookrt.model.attempt import MAX_RECORDED_BODY, Attempt, Exchange
from hookrt.model.cel_function import CelFunction, cel_function
from hookrt.model.decision import Decision, HookDecision
from hookrt.model.delivery import Status
from hookrt.model.event import Event, check_event, encode_data, format_time
from hookrt.model.hook import BodyFormat, Destination, FindLine, Place, RequestSigner, SigningSecret, WrittenLine
from hookrt.model.origin import written_origin
from hookrt.model.outcome import Emission, Outcome, OutcomeKind
from hookrt.model.own_events import is_reserved
from hookrt.model.patterns import check_pattern, matches
from hookrt.model.policy import AFTER_CRASH, NO_RETRY, STANDARD, RetryPolicy, exponential, fixed, listed
from hookrt.model.web_url import check_url
from hookrt.plugin.action import Action, ActionCall, ActionSetup, SettingsProblem, action
from hookrt.plugin.answer_settings import Failures, Statuses
from hookrt.plugin.deprecation import HookrtDeprecation, warn_deprecated
from hookrt.plugin.inbound import Inbound, InboundSource, Received, Reply
from hookrt.plugin.inbound_body import read_json
from hookrt.plugin.inbound_settings import HeaderName, InboundSecrets, InboundSettings, OpenInboundSettings, Respond
from hookrt.plugin.observer import AttemptRecorded, Observer
from hookrt.plugin.protocols import (
    BAD_IN_HEADER,
    FRAMING_HEADERS,
    HEADER_NAME,
    RESERVED_PREFIXES,
    CallSecrets,
    Http,
    HttpError,
    Log,
    Patience,
    Provisions,
    Response,
    Secrets,
    State,
    StateError,
)
from hookrt.plugin.refusal import REFUSALS, Refused
from hookrt.plugin.rotating_secrets import RotatingSecrets, SigningSecrets
from hookrt.plugin.schemes import STANDARD_HEADERS, StandardScheme
from hookrt.plugin.settings import (
    DestinationName,
    DestinationRef,
    Duration,
    KnownDestinations,
    Secret,
    SecretName,
    Settings,
    Size,
    WrittenUrl,
    parse_duration,
)
from hookrt.plugin.signature import SchemeSettings, SignatureScheme, Signing, ToSign
from hookrt.plugin.signing_settings import Signings
from hookrt.plugin.source import SampleEvent, Source, SourceEmit, SourceReport, SourceRun, heed_cancellation
from hookrt.plugin.spec import impl
from hookrt.plugin.tls_settings import PemPath, TlsSettings, certificate_fault, tls_context
from hookrt.plugin.verifying import check_age, hmac_digests, matches_any, seconds_of
from hookrt.signing import DEFAULT_TOLERANCE, ContentTemplate, SigningKey, VerificationError, sign, verify

__all__ = [
    "AFTER_CRASH",
    "BAD_IN_HEADER",
    "DEFAULT_RULES",
    "DEFAULT_TOLERANCE",
    "FRAMING_HEADERS",
    "HEADER_NAME",
    "LITERAL_RULES",
    "MAX_RECORDED_BODY",
    "NO_RETRY",
    "REFUSALS",
    "RESERVED_PREFIXES",
    "STANDARD",
    "STANDARD_HEADERS",
    "SUCCESS",
    "Access",
    "Action",
    "ActionCall",
    "ActionSetup",
    "AnswerRules",
    "Attempt",
    "AttemptRecorded",
    "BodyFormat",
    "CallSecrets",
    "CelFunction",
    "Clock",
    "ContentTemplate",
    "Decision",
    "Destination",
    "DestinationName",
    "DestinationRef",
    "Duration",
    "Emission",
    "Event",
    "EventError",
    "Exchange",
    "ExpressionError",
    "Failures",
    "FindLine",
    "HeaderName",
    "HookDecision",
    "HookrtDeprecation",
    "Http",
    "HttpError",
    "Inbound",
    "InboundSecrets",
    "InboundSettings",
    "InboundSource",
    "KnownDestinations",
    "Log",
    "Observer",
    "OpenInboundSettings",
    "Outcome",
    "OutcomeKind",
    "Overloaded",
    "Patience",
    "PemPath",
    "Place",
    "PluginError",
    "Provisions",
    "Received",
    "Refused",
    "Reply",
    "RequestSigner",
    "Respond",
    "Response",
    "RetryOn",
    "RetryPolicy",
    "RotatingSecrets",
    "SampleEvent",
    "SchemeSettings",
    "Secret",
    "SecretMissing",
    "SecretName",
    "Secrets",
    "Settings",
    "SettingsProblem",
    "SignatureScheme",
    "Signing",
    "SigningKey",
    "SigningSecret",
    "SigningSecrets",
    "Signings",
    "Size",
    "Source",
    "SourceEmit",
    "SourceReport",
    "SourceRun",
    "StandardScheme",
    "State",
    "StateError",
    "Status",
    "Statuses",
    "StoreError",
    "TlsSettings",
    "ToSign",
    "UsageError",
    "VerificationError",
    "WrittenLine",
    "WrittenUrl",
    "action",
    "cel_function",
    "certificate_fault",
    "check_age",
    "check_event",
    "check_pattern",
    "check_url",
    "encode_data",
    "exponential",
    "fixed",
    "format_time",
    "heed_cancellation",
    "hmac_digests",
    "impl",
    "is_reserved",
    "listed",
    "matches",
    "matches_any",
    "parse_duration",
    "read_json",
    "seconds_of",
    "sign",
    "tls_context",
    "verify",
    "warn_deprecated",
    "written_origin",
]
