"""The action `python` itself: from a call to a run in the pool, and from the answer to an outcome.

What runs snippets is imported when it is needed: it stands on asyncio, which checking them does without.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from hookrt.actions.log import escape_control
from hookrt.actions.python_snippet.checker import shared_checker
from hookrt.actions.python_snippet.settings import PythonServiceSettings, PythonSettings
from hookrt.actions.python_snippet.worker.wire import Answer, Finding
from hookrt.plugin import (
    AFTER_CRASH,
    Action,
    ActionCall,
    ActionSetup,
    FindLine,
    Log,
    Outcome,
    PluginError,
    SettingsProblem,
)

if TYPE_CHECKING:
    from hookrt.actions.python_snippet.pool import Pool, Run

MAX_LINES = 1000
"""Log lines of one run that are kept."""

MAX_EXCERPT = 200
"""Characters of the snippet's line that an error shows."""

_NAME_IT = "write it as `file`: `python: {file: ...}`"

FINAL = frozenset({"rejected", "denied", "bad_result"})
"""Reasons that another attempt cannot change."""


class PythonSnippet(Action[PythonSettings]):
    """Run a Python snippet on the event, in a sandboxed worker process; what it returns is the step's output."""

    name = "python"
    short = "code"
    static = frozenset({"code"})
    text_files: ClassVar[Mapping[str, str]] = {"file": "code"}
    retry = AFTER_CRASH
    default_timeout = timedelta(seconds=5)
    service_settings = PythonServiceSettings
    reasons: ClassVar[Mapping[str, str]] = {
        "rejected": "the snippet does not compile, or says something that snippets may not say",
        "denied": "the snippet used something that it is not offered",
        "error": "the snippet raised an exception",
        "timeout": "the run took longer than the step's timeout and was stopped",
        "memory": "the run needed more memory than its limit",
        "output_limited": "the run printed more than its limit",
        "bad_result": "the result is not plain JSON values, or too big, or too deep",
        "crashed": "the worker process died",
        "protocol_error": "the worker answered in a way that no snippet can cause by itself; it was killed",
    }

    def __init__(self) -> None:
        self._pool: Pool | None = None
        self._log: Log | None = None
        self._service = PythonServiceSettings()

    async def open(self, setup: ActionSetup) -> None:
        """Read the service settings; no process is started before the first run."""
        from hookrt.actions.python_snippet.pool import Pool, PoolSize

        if isinstance(setup.settings, PythonServiceSettings):
            self._service = setup.settings
        service = self._service
        self._log = setup.log
        self._pool = Pool(PoolSize(service.workers, service.spares, service.runs_per_worker, service.memory))

    async def close(self) -> None:
        """End all workers."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @classmethod
    def expect_checks(cls) -> None:
        """Start the process that compiles snippets, which takes longer than reading the rest of a file."""
        shared_checker().begin()

    def check(self, settings: PythonSettings) -> Iterable[SettingsProblem]:
        """Compile the snippet in a worker process; each problem comes with its line and column."""
        lines = settings.code.split("\n")
        try:
            findings = shared_checker().check(settings.code)
        except PluginError as error:
            findings = [Finding(message=str(error))]
        if findings and _names_file(settings.code):
            findings = [Finding(message="this is the path of a file, not a snippet", hint=_NAME_IT)]
        return [_problem(finding, lines) for finding in findings]

    async def run(self, call: ActionCall[PythonSettings]) -> Outcome:
        """Run the snippet once."""
        from hookrt.actions.python_snippet.process import WorkerFault

        if self._pool is None:
            raise PluginError("the action python has not been opened")
        try:
            answer = await self._pool.run(call.hook, self._prepare(call))
        except WorkerFault as fault:
            return Outcome.retry(fault.kind, fault.message)
        self._warn_once()
        return _outcome(answer, call.written.get("code"))

    def _warn_once(self) -> None:
        if self._log is not None and self._pool is not None and self._pool.isolation == "degraded":
            self._log.warning("python snippets run without a filter of system calls: this system has none for us")
            self._log = None

    def _prepare(self, call: ActionCall[PythonSettings]) -> Run:
        from hookrt.actions.python_snippet.pool import Limits, Run

        wanted, default = call.settings, self._service
        limits = Limits(
            call.timeout.total_seconds(),
            default.memory if wanted.memory is None else wanted.memory,
            default.output if wanted.output is None else wanted.output,
            default.result if wanted.result is None else wanted.result,
        )
        return Run(wanted.code, call.event.as_dict(), _context(call), limits)


def _context(call: ActionCall[PythonSettings]) -> dict[str, Any]:
    return {
        "hook": call.hook,
        "step": call.step,
        "steps": {name: dict(result) for name, result in call.steps.items()},
        "attempt": call.attempt,
        "message_id": call.message_id,
    }


def _outcome(answer: Answer, find_line: FindLine | None) -> Outcome:
    logs = _log_lines(answer.logs)
    if answer.kind == "done":
        return Outcome.done(answer.result, logs=logs)
    message = _placed(answer.message or "", answer.line, find_line)
    if answer.kind in FINAL:
        return Outcome.reject(answer.kind, message, logs=logs)
    return Outcome.retry(answer.kind, message, logs=logs)


def _placed(message: str, line: int | None, find_line: FindLine | None) -> str:
    """The message with the snippet's line, as a line of the file that it stands in, and that line's text."""
    if line is not None and line > 0 and find_line is not None:
        found = find_line(line)
        shown = (found.text or "").strip()
        excerpt = f" | {shown if len(shown) <= MAX_EXCERPT else shown[: MAX_EXCERPT - 1] + '…'}" if shown else ""
        return escape_control(f"{found.place.file}:{found.place.line}: {message}{excerpt}")
    return escape_control(message if line is None else f"line {line}: {message}")


def _names_file(code: str) -> bool:
    return code.strip().endswith(".py") and len(code.split()) == 1


def _log_lines(lines: list[str]) -> list[str]:
    kept = [escape_control(line) for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        kept.append(f"... {len(lines) - MAX_LINES} more lines")
    return kept


def _problem(finding: Finding, lines: list[str]) -> SettingsProblem:
    shown = finding.line is not None and 0 < finding.line <= len(lines)
    return SettingsProblem(
        path=("code",),
        message=finding.message,
        hint=finding.hint,
        line=finding.line,
        column=finding.column,
        excerpt=lines[finding.line - 1] if shown and finding.line else None,
    )
