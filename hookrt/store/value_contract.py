"""What every store promises of a small value that is changed only where it is as somebody expects; a part of the
contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(slots=True)
class ValueChange:
    """A small value to store under a key, until `expires_us` where one is given; None deletes what is there.

    With `checked` it is stored only where exactly `expected` is there now (None: nothing, or only what has expired).
    Where `most` other values of the namespace are there that have not expired, no new key is taken.
    """

    namespace: str
    key: str
    value: bytes | None
    expires_us: int | None = None
    checked: bool = False
    expected: bytes | None = None
    most: int | None = None


class ValueChanged(StrEnum):
    """What became of a change; only with DONE anything was written."""

    DONE = "done"
    DIFFERENT = "different"
    """Something else is there than was expected."""
    FULL = "full"
    """The namespace holds as many values as it may."""
