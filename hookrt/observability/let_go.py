"""Giving up a stream that cannot be written any more."""

from __future__ import annotations

import os
from typing import TextIO


def let_go(stream: TextIO) -> None:
    """Have the stream write into nothing from now on.

    What its buffers hold would otherwise be written again and again, and fail once more when Python ends, which then
    exits with a status of its own (120).
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
