"""What third parties import: the contract of actions, sources, secret providers and observers.

Nothing else of hookrt but `hookrt.testing` is meant for plugins.
"""

from __future__ import annotations

from hookrt.clock import Clock
from hookrt.errors import EventError, PluginError
from hookrt.model.answers import DEFAULT_RULES, LITERAL_RULES, SUCCESS, AnswerRules, RetryOn
from hookrt.model.attempt import MAX_RECORDED_BODY, Attempt, Exchange
from hookrt.model.delivery import Status
from hookrt.model.event import Event, check_event, format_time
from hookrt.model.hook import Destination, FindLine, SigningSecret, WrittenLine
from hookrt.model.origin import written_origin
from hookrt.model.outcome import Emission, Outcome, OutcomeKind
from hookrt.model.policy import AFTER_CRASH, NO_RETRY, STANDARD, RetryPolicy, exponential, fixed, listed
from hookrt.plugin.action import Action, ActionCall, ActionSetup, SettingsProblem, action
from hookrt.plugin.answer_settings import Failures, Statuses
from hookrt.plugin.observer import AttemptRecorded, Observer
from hookrt.plugin.protocols import FRAMING_HEADERS, Http, HttpError, Log, Response, Secrets, State
from hookrt.plugin.settings import DestinationName, DestinationRef, Duration, Secret, Settings, SigningSecrets, Size
from hookrt.plugin.source import Source, SourceEmit, SourceRun
from hookrt.plugin.spec import impl
from hookrt.signing import SigningKey, sign

__all__ = [
    "AFTER_CRASH",
    "DEFAULT_RULES",
    "FRAMING_HEADERS",
    "LITERAL_RULES",
    "MAX_RECORDED_BODY",
    "NO_RETRY",
    "STANDARD",
    "SUCCESS",
    "Action",
    "ActionCall",
    "ActionSetup",
    "AnswerRules",
    "Attempt",
    "AttemptRecorded",
    "Clock",
    "Destination",
    "DestinationName",
    "DestinationRef",
    "Duration",
    "Emission",
    "Event",
    "EventError",
    "Exchange",
    "Failures",
    "FindLine",
    "Http",
    "HttpError",
    "Log",
    "Observer",
    "Outcome",
    "OutcomeKind",
    "PluginError",
    "Response",
    "RetryOn",
    "RetryPolicy",
    "Secret",
    "Secrets",
    "Settings",
    "SettingsProblem",
    "SigningKey",
    "SigningSecret",
    "SigningSecrets",
    "Size",
    "Source",
    "SourceEmit",
    "SourceRun",
    "State",
    "Status",
    "Statuses",
    "WrittenLine",
    "action",
    "check_event",
    "exponential",
    "fixed",
    "format_time",
    "impl",
    "listed",
    "sign",
    "written_origin",
]
