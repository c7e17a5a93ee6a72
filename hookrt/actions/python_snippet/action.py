"""The action `python` itself: from a call to a run in the pool, and from the answer to an outcome.

What runs snippets is imported when it is needed: it stands on asyncio, which checking them does without.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from hookrt.actions.log import escape_control
from hookrt.actions.python_snippet.checker import Checked, shared_checker
from hookrt.actions.python_snippet.grants import Grants, ungranted
from hookrt.actions.python_snippet.settings import Allow, PythonServiceSettings, PythonSettings
from hookrt.actions.python_snippet.worker.stops import ADD_TO
from hookrt.actions.python_snippet.worker.wire import Answer, Finding
from hookrt.plugin import (
    AFTER_CRASH,
    Action,
    ActionCall,
    ActionSetup,
    FindLine,
    HttpError,
    Outcome,
    OutcomeKind,
    Place,
    PluginError,
    Settings,
    SettingsProblem,
)
from hookrt.plugin.settings import format_duration, format_size

if TYPE_CHECKING:
    from hookrt.actions.python_snippet.calls import Broker
    from hookrt.actions.python_snippet.pool import Limits, Pool, Run

MAX_LINES = 1000
"""Log lines of one run that are kept."""

MAX_EXCERPT = 200
"""Characters of the snippet's line that an error shows."""

_BESIDE = "`allow` stands beside `code` or `file`, below `python`"
_NAME_IT = "write it as `file`: `python: {file: ...}`"

FINAL = frozenset({"rejected", "denied", "bad_result"})
"""Reasons that another attempt cannot change."""


class PythonSnippet(Action[PythonSettings]):
    """Run a Python snippet on the event, in a sandboxed worker process; what it returns is the step's output."""

    name = "python"
    short = "code"
    only_http = True
    static = frozenset({"code", "allow"})
    text_files: ClassVar[Mapping[str, str]] = {"file": "code"}
    retry = AFTER_CRASH
    default_timeout = timedelta(seconds=5)
    step_defaults = frozenset({"timeout"})
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
        self._service = PythonServiceSettings()

    async def open(self, setup: ActionSetup) -> None:
        """Start the first worker; PluginError when it is not isolated as far as the service settings require."""
        from hookrt.actions.python_snippet.levels import default_level
        from hookrt.actions.python_snippet.pool import Pool, PoolSize

        if isinstance(setup.settings, PythonServiceSettings):
            self._service = setup.settings
        own = self._service
        required = own.require or default_level(setup.local)
        self._pool = Pool(PoolSize(own.workers, own.spares, own.runs_per_worker, own.memory, required))
        try:
            await self._pool.prepare()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End all workers."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    def facts(self) -> Mapping[str, str]:
        """The isolation level of the workers, and the walls that they lack."""
        from hookrt.actions.python_snippet.levels import missing_walls

        if self._pool is None or self._pool.isolation is None:
            return {}
        missing = missing_walls(self._pool.walls)
        return {"isolation": self._pool.isolation, **({"missing": " ".join(missing)} if missing else {})}

    def warnings(self) -> Iterable[str]:
        """That the isolation is degraded, as long as it is."""
        if self._pool is not None and self._pool.isolation == "degraded":
            yield (
                "the isolation of python snippets is degraded: their workers lack "
                f"{self.facts().get('missing', 'walls')}. Run only snippets of people whom you trust"
            )

    @classmethod
    def timeout_of_steps(cls, service: Settings | None) -> timedelta | None:
        """That of the service settings."""
        return service.timeout if isinstance(service, PythonServiceSettings) else cls.default_timeout

    @classmethod
    def expect_checks(cls) -> None:
        """Start the process that compiles snippets, which takes longer than reading the rest of a file."""
        shared_checker().begin()

    def check(self, settings: PythonSettings) -> Iterable[SettingsProblem]:
        """Compile the snippet in a worker process; each problem comes with its line and column."""
        lines = settings.code.split("\n")
        try:
            found = shared_checker().look(settings.code)
        except PluginError as error:
            found = Checked((Finding(message=str(error)),))
        if found.findings and _names_file(settings.code):
            found = Checked((Finding(message="this is the path of a file, not a snippet", hint=_NAME_IT),))
        problems = [_problem(finding, lines) for finding in found.findings]
        return problems + [
            _problem(Finding(message=why, line=use.line, column=use.column, hint=_BESIDE), lines, warning=True)
            for use, why in ungranted(found.uses, _grants(settings.allow, None))
        ]

    async def run(self, call: ActionCall[PythonSettings]) -> Outcome:
        """Run the snippet once."""
        from hookrt.actions.python_snippet.process import WorkerFault

        if self._pool is None:
            raise PluginError("the action python has not been opened")
        run = self._prepare(call)
        try:
            answer = await self._pool.run(call.hook, run)
        except WorkerFault as fault:
            return Outcome.retry(fault.kind, fault.message + _limit(fault.kind, run.limits))
        if self._pool.isolation == "degraded":
            call.log.warning("isolation-degraded", missing=self.facts().get("missing"))
        outcome = _outcome(answer, call, run.limits)
        return outcome if run.broker is None else _slowed(outcome, run.broker)

    def _prepare(self, call: ActionCall[PythonSettings]) -> Run:
        from hookrt.actions.python_snippet.pool import Limits, Run

        wanted, default = call.settings, self._service
        limits = Limits(
            call.timeout.total_seconds(),
            default.memory if wanted.memory is None else wanted.memory,
            default.output if wanted.output is None else wanted.output,
            default.result if wanted.result is None else wanted.result,
            default.depth if wanted.depth is None else wanted.depth,
        )
        fresh = (wanted.isolation or default.isolation) == "fresh"
        run = Run(wanted.code, call.event.as_dict(), _context(call), limits, fresh=fresh, patience=call.patience)
        return run if wanted.allow is None else _with_grants(run, call, _grants(wanted.allow, call.place))


def _context(call: ActionCall[PythonSettings]) -> dict[str, Any]:
    return {
        "hook": call.hook,
        "step": call.step,
        "steps": {name: dict(result) for name, result in call.steps.items()},
        "attempt": call.attempt,
        "message_id": call.message_id,
    }


@functools.lru_cache(maxsize=1024)
def _grants(allow: Allow | None, place: Place | None) -> Grants:
    """What a step grants; of the steps that run often it is known."""
    shown = f"{place.file}:{place.line}" if place is not None and place.line else ""
    return Grants(place=shown) if allow is None else Grants(allow.http, allow.secrets, allow.state, allow.emit, shown)


def _with_grants(run: Run, call: ActionCall[PythonSettings], grants: Grants) -> Run:
    from hookrt.actions.python_snippet.broker import SnippetBroker

    return replace(run, broker=SnippetBroker(call, grants), grants=grants.digest, granted=grants.names)


def _slowed(outcome: Outcome, broker: Broker) -> Outcome:
    """A failed run after an answer that asked for patience: the endpoint rests, as after a webhook's."""
    overload = getattr(broker, "overload", None)
    if overload is None or outcome.kind is not OutcomeKind.RETRY:
        return outcome
    return replace(outcome, slow_down=overload.slow_down, retry_after=overload.retry_after)


def _outcome(answer: Answer, call: ActionCall[PythonSettings], limits: Limits) -> Outcome:
    logs = _log_lines(answer.logs)
    if answer.kind == "done":
        return Outcome.done(answer.result, logs=logs)
    said = (answer.message or "") + _limit(answer.kind, limits)
    if answer.kind == "denied" and said.endswith(ADD_TO) and call.place is not None:
        said += f" ({call.place.file}:{call.place.line})"
    message = _placed(said, answer.line, call.written.get("code"))
    if answer.kind in FINAL or HttpError(answer.cause, "").permanent:
        return Outcome.reject(answer.kind, message, logs=logs)
    return Outcome.retry(answer.kind, message, logs=logs)


def _limit(kind: str, limits: Limits) -> str:
    """The key that sets the limit which ended a run, and its value, as they would be written."""
    if kind == "timeout":
        return f" (timeout: {format_duration(timedelta(seconds=limits.timeout))})"
    if kind == "memory":
        return f" (memory: {format_size(limits.memory)})"
    return f" (output: {format_size(limits.output)})" if kind == "output_limited" else ""


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


def _problem(finding: Finding, lines: list[str], *, warning: bool = False) -> SettingsProblem:
    shown = finding.line is not None and 0 < finding.line <= len(lines)
    return SettingsProblem(
        path=("code",),
        message=finding.message,
        hint=finding.hint,
        line=finding.line,
        column=finding.column,
        excerpt=lines[finding.line - 1] if shown and finding.line else None,
        warning=warning,
    )
