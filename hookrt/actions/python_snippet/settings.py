"""The settings of the action `python`, of a step and of the service."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import AfterValidator, Field

from hookrt.plugin import Settings, Size

MAX_SOURCE = 64 * 1024
KIB = 1024
MIB = 1024 * 1024


def _bounded_source(code: str) -> str:
    if len(code.encode("utf-8")) > MAX_SOURCE:  # half of a surrogate pair raises a ValueError too
        raise ValueError(f"a snippet has at most {MAX_SOURCE // KIB} KiB")
    return code


Source = Annotated[str, AfterValidator(_bounded_source)]
Memory = Annotated[Size, Field(ge=64 * MIB, le=16 * 1024 * MIB)]
Output = Annotated[Size, Field(ge=0, le=4 * MIB)]
Result = Annotated[Size, Field(ge=64, le=4 * MIB)]


class PythonSettings(Settings):
    """One snippet and its limits; a limit that is not set is the service's."""

    code: Source = Field(description="The snippet: define `def run(event, ctx):`; what it returns is the output.")
    memory: Memory | None = Field(
        default=None, description="The most memory that the worker may take, its own 30 MiB included."
    )
    output: Output | None = Field(default=None, description="The most that `print` and `ctx.log` may write in one run.")
    result: Result | None = Field(default=None, description="The largest result, as JSON.")


class PythonServiceSettings(Settings):
    """`service.actions.python`: how many workers there are, and the limits of snippets that set none.

    At most `workers` + `spares` processes run at a time, each bounded by its hook's `memory`.
    """

    workers: int = Field(default=max(4, 2 * (os.cpu_count() or 1)), ge=1, le=1024)
    spares: int = Field(default=1, ge=0, le=64)
    runs_per_worker: int = Field(default=1000, ge=1)
    memory: Memory = 256 * MIB
    output: Output = 64 * KIB
    result: Result = 256 * KIB
