"""What Twilio's requests tell of, found by the names of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookrt.sources.reading import first_name


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing: `word` begins the event's type, `sids` name the thing, `statuses` say what became of it."""

    word: str
    sids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def fits(self, data: Mapping[str, Any]) -> bool:
        """Whether a request with these fields tells of it."""
        return self.sid_in(data) is not None and self.status_in(data) is not None

    def sid_in(self, data: Mapping[str, Any]) -> str | None:
        """Twilio's name of the thing."""
        return first_name(*(data.get(name) for name in self.sids))

    def status_in(self, data: Mapping[str, Any]) -> str | None:
        """What became of it."""
        return first_name(*(data.get(name) for name in self.statuses))


MESSAGE = Kind("message", ("MessageSid", "SmsSid", "SmsMessageSid"), ("MessageStatus", "SmsStatus"))
"""A message, incoming (`received`) or on its way."""

KINDS = (
    MESSAGE,
    Kind("transcription", ("TranscriptionSid",), ("TranscriptionStatus", "TranscriptionEvent")),
    Kind("recording", ("RecordingSid",), ("RecordingStatus",)),
    Kind("conference", ("ConferenceSid",), ("StatusCallbackEvent",)),
    Kind("video", ("RoomSid",), ("StatusCallbackEvent",)),
    Kind("conversation", ("ConversationSid",), ("EventType",)),
    Kind("task_router", ("TaskSid", "WorkerSid", "WorkspaceSid"), ("EventType",)),
    Kind("call", ("CallSid",), ("CallStatus",)),
)
"""What is looked for, in order: a request of a recording, say, names its call as well."""

OTHER = Kind("request")
"""Whatever else Twilio tells of."""
