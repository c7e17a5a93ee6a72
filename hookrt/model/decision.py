"""The decision: what hooks of `mode: decide` say before an application goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from hookrt.errors import EventError
from hookrt.model.event import Event, encode_data
from hookrt.model.json_depth import check_depth
from hookrt.model.merge_patch import merge_patch

Choice = Literal["allow", "deny"]
"""What a hook, and a decision as a whole, can say."""

DECISION_ORIGIN = "decision"
"""The origin of the deliveries that record a decision: no hook has it, so that nothing ever runs them again."""

DECISION_ATTRIBUTE = "hookrtdecision"
"""The attribute of an event that was only asked about."""

INTERRUPTED = "decision-interrupted"
"""The reason of those that a crash, a stop or a cancellation left without an end."""

DEFAULT_TIMEOUT = timedelta(seconds=1)
"""How long a decision takes at most, unless its caller says otherwise."""

LONGEST_TIMEOUT = timedelta(seconds=30)
"""The most that a caller can say."""

MAX_REASON = 1_000
"""Characters that the reason in a hook's answer may have."""

_KEYS = ("decision", "reason", "patch")
_FORBIDDEN = "__proto__"


@dataclass(frozen=True, slots=True)
class HookDecision:
    """What one hook said, and how that came about.

    `by` is `answer` where the hook said so itself, else `on_error`: then `cause` is why it could not (`deadline`,
    `condition`, `bad-answer`, `breaker-open`, or the reason of its attempt), and `message` says it in a sentence.
    `delivery` is the record of it, None where there is none.
    """

    hook: str
    decision: Choice
    by: Literal["answer", "on_error"]
    duration: timedelta
    reason: str | None = None
    cause: str | None = None
    message: str | None = None
    delivery: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to go on, and with which data. It is true in a condition exactly when it allows.

    `reason` is that of the hook that denied. `data` is as the hooks' patches left it, yours to change. `hooks` are
    those that took part, in order; the first that denies is the last of them. `id` names the record.
    """

    id: str
    decision: Choice
    data: Any
    reason: str | None = None
    hooks: tuple[HookDecision, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether to go on."""
        return self.decision == "allow"

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hook's output says. `patch` is None where it changes nothing."""

    decision: Choice
    reason: str | None = None
    patch: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, output: Any) -> Answer:
        """The answer in a hook's output; raises ValueError, saying what is wrong, for what is none.

        It is `{decision, reason, patch}` and nothing else, of which only `decision` must be there. What an HTTP
        request gives (`{status, headers, body}`) stands for its body.
        """
        if isinstance(output, dict) and output.keys() == {"status", "headers", "body"}:
            output = output["body"]
        if not isinstance(output, dict):
            text = f"the answer is {_kind(output)}, not an object {{decision, reason, patch}}"
            raise ValueError(text)  # noqa: TRY004 - what an endpoint says is a value, not a mistake in types
        for key in output:
            if key not in _KEYS:
                raise ValueError(f"the answer has a key {str(key)[:60]!r}; it has decision, reason and patch only")
        decision = output.get("decision")
        if decision not in ("allow", "deny"):
            raise ValueError("the answer's `decision` is neither 'allow' nor 'deny'")
        return cls(decision, _read_reason(output.get("reason")), _read_patch(output.get("patch")))

    def apply(self, data: Any, most: int) -> bytes:
        """The JSON of the data as the patch leaves it; raises ValueError when it is no data for an event: above `most`
        bytes, nested too deep, or nothing that JSON has.
        """
        try:
            content = encode_data(merge_patch(data, self.patch))
            check_depth(content)
        except EventError as error:
            raise ValueError(f"the patched data is no event's: {error}") from None
        if len(content) > most:
            raise ValueError(f"the patched data has {len(content)} bytes, more than the {most} of an event")
        return content


def is_question(event: Event) -> bool:
    """Whether this is the event of a decision: it was asked about, and has not happened."""
    return DECISION_ATTRIBUTE in event.attributes


def _read_reason(reason: Any) -> str | None:
    if reason is None or (isinstance(reason, str) and len(reason) <= MAX_REASON):
        return reason
    raise ValueError(f"the answer's `reason` is no text of up to {MAX_REASON} characters")


def _read_patch(patch: Any) -> Mapping[str, Any] | None:
    """The patch, if it is one of an object: one that replaces all data would be a mistake, or worse."""
    if patch is None:
        return None
    if not isinstance(patch, dict):
        raise ValueError(f"the answer's `patch` is {_kind(patch)}, not an object")  # noqa: TRY004 - as above
    if _FORBIDDEN in _keys_in(patch):
        raise ValueError(f"the answer's `patch` has a key {_FORBIDDEN!r}, which data has no use for")
    return patch


def _keys_in(value: Any) -> Iterator[Any]:
    """All keys of all objects in a value, however deep."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield from one
            left += one.values()
        elif isinstance(one, list):
            left += one


def _kind(value: Any) -> str:
    names = {str: "text", list: "a list", bool: "true or false", int: "a number", float: "a number", dict: "an object"}
    return "empty" if value is None or value == "" else names.get(type(value), "something else")
