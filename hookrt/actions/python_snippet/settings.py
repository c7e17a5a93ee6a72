"""The settings of the action `python`, of a step and of the service."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from hookrt.actions.python_snippet.grants import read_grant
from hookrt.plugin import Duration, ExpressionError, SecretName, Settings, Size, WrittenUrl, check_pattern

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
Depth = Annotated[int, Field(ge=1, le=64)]
Isolation = Literal["shared", "fresh"]
Timeout = Annotated[Duration, Field(gt=timedelta(0), le=timedelta(days=1))]


def _checked_grant(text: str) -> str:
    read_grant(text)
    return text


def _checked_type(text: str) -> str:
    try:
        check_pattern(text)
    except ExpressionError as error:
        raise ValueError(str(error)) from None
    if text.partition(".")[0] == "hookrt":
        raise ValueError("`hookrt.` events are hookrt's own: nobody else emits them")
    return text


MAX_ENTRIES = 100
"""Entries of one list of `allow`."""

HttpEntry = Annotated[
    WrittenUrl,
    AfterValidator(_checked_grant),
    WithJsonSchema(
        {"type": "string", "pattern": "^https?://[^?#*@]+$", "examples": ["https://api.example.com"]},
    ),
]
TypeEntry = Annotated[
    str,
    AfterValidator(_checked_type),
    WithJsonSchema({"type": "string", "not": {"pattern": "^hookrt(\\.|$)"}, "examples": ["User.Enriched", "User.*"]}),
]


class Allow(Settings):
    """What a snippet may ask of the service; what is not listed is denied."""

    http: tuple[HttpEntry, ...] = Field(
        default=(),
        max_length=MAX_ENTRIES,
        description="Origins that `ctx.http` may send to, each with a path at most, below which it then has to stay.",
    )
    secrets: tuple[SecretName, ...] = Field(
        default=(), max_length=MAX_ENTRIES, description="Names of secrets that `ctx.secrets` gives."
    )
    state: bool = Field(default=False, description="Whether there is `ctx.state`, a small memory of this hook.")
    emit: tuple[TypeEntry, ...] = Field(
        default=(), max_length=MAX_ENTRIES, description="Types, or patterns of types, that `ctx.emit` may emit."
    )


class PythonSettings(Settings):
    """One snippet and its limits; a limit that is not set is the service's."""

    code: Source = Field(description="The snippet: define `def run(event, ctx):`; what it returns is the output.")
    allow: Allow | None = Field(
        default=None, description="What the snippet may use beside its event: http, secrets, state, emit."
    )
    memory: Memory | None = Field(
        default=None, description="The most memory that the worker may take, its own 30 MiB included."
    )
    output: Output | None = Field(default=None, description="The most that `print` and `ctx.log` may write in one run.")
    result: Result | None = Field(default=None, description="The largest result, as JSON.")
    depth: Depth | None = Field(default=None, description="How deep lists and objects of the result may be nested.")
    isolation: Isolation | None = Field(
        default=None,
        description="`shared`: a hook's runs use the same worker processes, one after the other. `fresh`: each run has "
        "a process of its own, which costs some milliseconds.",
    )


class PythonServiceSettings(Settings):
    """`service.actions.python`: how many workers there are, and the limits of snippets that set none.

    At most `workers` + `spares` processes run at a time, each bounded by its hook's `memory`.
    """

    require: Literal["full", "core", "degraded"] | None = Field(
        default=None,
        description="The isolation level that workers must reach: full (all walls), core (filter of system calls and "
        "limits; the default) or degraded (anything less; the default where there is no such filter, for a service on "
        "a loopback address).",
    )
    workers: int = Field(
        default=max(4, 2 * (os.cpu_count() or 1)), ge=1, le=1024, description="Most workers, of all hooks together."
    )
    spares: int = Field(default=1, ge=0, le=64, description="Blank workers that wait, so that a start takes no time.")
    runs_per_worker: int = Field(default=10_000, ge=1, description="A worker is replaced after so many runs.")
    timeout: Timeout = Field(
        default=timedelta(seconds=5),
        description="The time of a run whose step sets no `timeout`, nor its hook, nor `defaults`.",
    )
    memory: Memory = Field(default=256 * MIB, description="As in a step that sets none.")
    output: Output = Field(default=64 * KIB, description="As in a step that sets none.")
    result: Result = Field(default=256 * KIB, description="As in a step that sets none.")
    depth: Depth = Field(default=32, description="As in a step that sets none.")
    isolation: Isolation = Field(default="shared", description="As in a step that sets none.")
