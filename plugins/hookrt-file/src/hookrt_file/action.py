"""The action `file`."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from hookrt.plugin import (
    Action,
    ActionCall,
    ActionSetup,
    Event,
    Outcome,
    PluginError,
    Settings,
    SettingsProblem,
    Size,
    exponential,
)
from hookrt_file.append import PathRefused, append_line, split_path

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ServiceSettings(Settings):
    """What stands under `service.actions.file`."""

    directory: str = Field(description="The one folder that the action writes in, relative to hooks.yaml.")
    sync: bool = Field(default=True, description="Whether a line is on the disk before its step succeeds.")
    max_line: Size = Field(1024 * 1024, description="The longest line.")


class FileSettings(Settings):
    """What a step says."""

    path: str = Field(description="The file, below the service's directory; folders are made.")
    record: Any = Field(None, description="What to write, any JSON; by default the whole event.")


class AppendToFile(Action[FileSettings]):
    """Append an event, or another record, to a file as a JSON line."""

    name = "file"
    short = "path"
    service_settings = ServiceSettings
    retry = exponential(attempts=5)
    reasons: ClassVar[Mapping[str, str]] = {
        "bad-path": "the path leads out of the directory, or is none",
        "bad-record": "the record is no JSON, or longer than `max_line`",
        "disk-full": "no space left on the device",
        "io": "any other error of the file system",
    }

    def __init__(self) -> None:
        self._directory = Path()
        self._sync = True
        self._max_line = 0

    async def open(self, setup: ActionSetup) -> None:
        """Make the directory; raises PluginError when it cannot be written in."""
        settings = setup.settings
        if not isinstance(settings, ServiceSettings):
            raise PluginError("the action `file` needs `service: {actions: {file: {directory: ...}}}`")
        self._directory = setup.base_dir / settings.directory
        self._sync = settings.sync
        self._max_line = settings.max_line
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PluginError(f"the directory of the action `file` cannot be made: {error}") from None

    def check(self, settings: FileSettings) -> Iterable[SettingsProblem]:
        """Refuse a path that leads out of the directory, where it is no expression."""
        if "${{" in settings.path:
            return
        try:
            split_path(settings.path)
        except PathRefused as refused:
            yield SettingsProblem(("path",), str(refused), hint="write a path below `service.actions.file.directory`")

    async def run(self, call: ActionCall[FileSettings]) -> Outcome:
        """Append the line, in a thread, since disks block."""
        try:
            line = encode_line(call.settings.record, call.event)
        except (TypeError, ValueError, RecursionError) as error:
            return Outcome.reject("bad-record", f"the record is no JSON: {error}")
        if len(line) > self._max_line:
            return Outcome.reject("bad-record", f"the line has {len(line)} bytes, more than {self._max_line}")
        try:
            await asyncio.to_thread(append_line, self._directory, call.settings.path, line, sync=self._sync)
        except PathRefused as refused:
            return Outcome.reject("bad-path", str(refused))
        except OSError as error:
            reason = "disk-full" if error.errno in _NO_SPACE else "io"
            return Outcome.retry(reason, f"{call.settings.path}: {error.strerror or error}")
        return Outcome.done({"path": call.settings.path, "bytes": len(line)})


def encode_line(record: Any, event: Event) -> bytes:
    """The record, or without one the event, as a JSON line; raises ValueError, TypeError or RecursionError."""
    shown = event.as_dict() if record is None else record
    text = json.dumps(shown, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"  # a lone surrogate becomes its JSON escape
