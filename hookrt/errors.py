"""Every error that hookrt raises on purpose, as one tree.

HookrtError
├── ConfigError          hooks.yaml or the service settings have problems; holds all of them
├── EventError           an event is not acceptable (HTTP 400)
│   ├── EventTooLarge    above the size limit (413)
│   └── EventConflict    same source and id as a stored event, other content (409)
├── Overloaded           the service cannot take more now (503); `retry_after` says when to try again
├── StoreError           the store cannot do its work
│   ├── StoreFull        no space left on its device
│   ├── StoreLocked      another process delivers from this store; the message names it
│   ├── StaleLease       the delivery was given to somebody else meanwhile
│   └── NotFound         no such event or delivery
├── ExpressionError      a CEL expression does not compile or cannot be evaluated
├── PluginError          a plugin cannot be loaded, opened or used
├── SecretMissing        a secret that is mentioned is not provided
└── UsageError           the embedding program used the runtime in a way that cannot work (closed, forked, ...)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta


class HookrtError(Exception):
    """The root of all errors that hookrt raises on purpose; its text is fit for a user."""


class EventError(HookrtError):
    """The event cannot be accepted; the text says what is wrong with it and where.

    In a batch `index` says which event is at fault, from 0.
    """

    index: int | None = None


class EventTooLarge(EventError):  # noqa: N818 - the field's word for it
    """The event or the batch exceeds its size limit."""


class EventConflict(EventError):  # noqa: N818
    """An event with the same source and id, but other content, is stored already."""


class Overloaded(HookrtError):  # noqa: N818
    """Nothing more can be taken at the moment; try again after `retry_after`."""

    def __init__(self, message: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreError(HookrtError):
    """The store cannot do what it was asked."""


class StoreFull(StoreError):  # noqa: N818
    """The store's device has no space left."""


class StoreLocked(StoreError):  # noqa: N818
    """Another process delivers from this store."""


class StaleLease(StoreError):  # noqa: N818
    """A result came for a delivery whose lease belongs to somebody else by now."""


class NotFound(StoreError):  # noqa: N818
    """No event or delivery has this id."""


class ExpressionError(HookrtError):
    """A CEL expression does not compile, or has no value for this event.

    `line` and `column` count from 1 inside the expression's own text; None where no place is known.
    """

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class PluginError(HookrtError):
    """A plugin cannot be loaded, opened or used."""


class SecretMissing(HookrtError):  # noqa: N818
    """A secret that is mentioned is not provided."""


class UsageError(HookrtError):
    """The runtime was used in a way that cannot work; the text says what to do instead."""


class ConfigError(HookrtError):
    """The configuration has problems; `problems` holds all of them, and the text shows each with its place."""

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__("\n\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
