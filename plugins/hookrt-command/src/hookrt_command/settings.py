"""What a step with a command says."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, model_validator

from hookrt.plugin import Duration, Settings, Size

MAX_OUTPUT = 128 * 1024
"""The most bytes of one stream that can be kept; the output of a step has at most twice that."""

_NAME = re.compile(r"[^=\x00-\x20\x7f]{1,255}")
_OURS = "HOOKRT_"
_LONGEST_GRACE = timedelta(minutes=5)

ExitCode = Annotated[int, Field(ge=0, le=255)]
"""How a program ended; one that a signal ended counts as 128 and the signal's number, as in a shell."""

Value = str | int | float | bool
"""What becomes the text of an argument or a variable."""


def _check_program(argv: list[str | int | float]) -> list[str | int | float]:
    if not argv[0] or any(isinstance(one, str) and "\0" in one for one in argv):
        raise ValueError("write the program first, then its arguments, without NUL in them")
    return argv


def _check_names(env: dict[str, Value]) -> dict[str, Value]:
    for name in env:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a variable")
    return env


def _check_inherited(names: list[str]) -> list[str]:
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a variable")
        if name.startswith(_OURS):
            raise ValueError(f"{name} is hookrt's own: hand a secret over by `env`, as ${{{{ secrets.NAME }}}}")
    return names


def _check_output(size: int) -> int:
    if size > MAX_OUTPUT:
        raise ValueError(f"at most {MAX_OUTPUT // 1024}KiB of each stream can be kept: let the program write a file")
    return size


def _check_grace(grace: timedelta) -> timedelta:
    if grace > _LONGEST_GRACE:
        raise ValueError("at most 5m")
    return grace


def _check_cpu(cpu: timedelta | None) -> timedelta | None:
    if cpu is not None and cpu < timedelta(seconds=1):
        raise ValueError("at least 1s: the system counts whole seconds")
    return cpu


class CommandSettings(Settings):
    """Settings of `command`."""

    argv: Annotated[list[str | int | float], Field(min_length=1), AfterValidator(_check_program)] = Field(
        description=(
            "The program and its arguments, each an item of its own; no shell reads them. The program is an absolute "
            "path, a path relative to hooks.yaml with a `/` in it, or a name that is looked for on the PATH. What an "
            "event says goes in by `env` or `stdin`."
        ),
        examples=[["./deploy.sh", "--fast"]],
    )
    cwd: str | None = Field(
        None,
        description="The folder to run in: absolute, or below the folder of hooks.yaml, which is where it runs else.",
    )
    env: Annotated[dict[str, Value], AfterValidator(_check_names)] = Field(
        default_factory=dict,
        description="Variables, beside PATH, HOME and LANG. A secret is written `${{ secrets.NAME }}`.",
        examples=[{"TOKEN": "${{ secrets.DEPLOY_TOKEN }}"}],
    )
    inherit: Annotated[list[str], AfterValidator(_check_inherited)] = Field(
        default_factory=list, description="Variables of the service that the program gets too, by name."
    )
    stdin: JsonValue = Field(
        None,
        description=(
            "What the program reads: a text as it is, `null` for nothing, anything else as JSON. Without it, the "
            "event as a line of JSON."
        ),
    )
    success: list[ExitCode] = Field([0], min_length=1, description="The exit codes that are a success.")
    retry_on: list[ExitCode] | None = Field(
        None,
        description=(
            "The exit codes that are tried again; every other failure is final. By default 75, by which programs say "
            "that they failed for now (EX_TEMPFAIL), and the end by a signal."
        ),
    )
    reject_on: list[ExitCode] | None = Field(
        None, description="The exit codes that are final; every other failure is tried again. Goes without `retry_on`."
    )
    output: Annotated[Size, AfterValidator(_check_output)] = Field(
        32 * 1024, description="Bytes of stdout, and of stderr, that are kept; the rest is read and thrown away."
    )
    grace: Annotated[Duration, AfterValidator(_check_grace)] = Field(
        timedelta(seconds=2), description="How long it has to end after SIGTERM, before SIGKILL, when its time is up."
    )
    memory: Size | None = Field(
        None, description="The most address space of each of its processes.", examples=["512MiB"]
    )
    cpu: Annotated[Duration | None, AfterValidator(_check_cpu)] = Field(
        None, description="The most CPU time of each of its processes.", examples=["30s"]
    )

    @model_validator(mode="after")
    def _one_list(self) -> CommandSettings:
        if self.retry_on is not None and self.reject_on is not None:
            raise ValueError("set one of `retry_on` and `reject_on`: what is not in the list is the other")
        return self

    def retries(self, code: int, *, killed: bool) -> bool:
        """Whether a failure with this exit code is tried again."""
        if self.reject_on is not None:
            return code not in self.reject_on
        if self.retry_on is not None:
            return code in self.retry_on
        return killed or code == TEMPORARY


TEMPORARY = 75
"""EX_TEMPFAIL of sysexits.h: a failure that may pass."""
