"""One attempt of one step: it always ends in an outcome, also on a timeout, a crash or a plugin's bug."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hookrt.clock import duration_us, from_us
from hookrt.delivery.attempt_log import AttemptLog
from hookrt.delivery.keeping import fault_of, keep_logs, keep_outcome, own_copy
from hookrt.delivery.lane import Job
from hookrt.delivery.ports import Ports
from hookrt.errors import HookrtError
from hookrt.model.attempt import Attempt
from hookrt.model.hook import Hook, Scope, Step
from hookrt.model.ids import message_id
from hookrt.model.outcome import SHORT_REST, Outcome, OutcomeKind
from hookrt.model.policy import RetryPolicy
from hookrt.plugin.action import Action, ActionCall
from hookrt.plugin.at_work import AT_WORK
from hookrt.plugin.protocols import Http, HttpError

GRACE = timedelta(seconds=1)
"""An action is told its deadline; this much later it is cancelled."""

LONGEST_HOLD = timedelta(hours=1)
"""So long an action may wait for a place before its time begins."""


@dataclass(slots=True)
class Ended:
    """An attempt that is over: the outcome, and what is kept of it."""

    outcome: Outcome
    attempt: Attempt


async def run_attempt(
    job: Job, hook: Hook, step: Step, ports: Ports, around: Callable[[Http], Http] | None = None
) -> Ended:
    """Run the step's action once for this delivery; `around` puts something before its way out.

    Only a cancellation from outside (the engine stops) is raised; the attempt is then not spent.
    """
    started_us = ports.clock.now_us()
    begun = ports.clock.monotonic()
    log = AttemptLog(ports.log, {"delivery": job.delivery.id, "hook": hook.name, "step": step.id})
    way_out = ports.way_out.http_for(step.trusted_origins, step.timeout.total_seconds())
    http = way_out if around is None else around(way_out)
    outcome = await _outcome_of(_Try(job, hook, step, started_us, log, http, way_out.restart), ports)
    elapsed_us = int((ports.clock.monotonic() - begun) * 1_000_000)
    outcome = keep_outcome(outcome, ports.mask, keeps_output=step.keeps_output)
    if outcome.slow_down is not None:
        outcome = replace(outcome, slow_down=_rest(outcome.slow_down, step.retry))
    attempt = Attempt(
        number=job.delivery.attempts + 1,
        step=step.id,
        started_us=started_us,
        duration_us=elapsed_us,
        outcome=outcome.kind.value,
        reason=outcome.reason,
        message=outcome.message,
        logs=keep_logs(outcome, log, ports.mask),
        exchange=http.exchange,
    )
    return Ended(outcome, attempt)


@dataclass(slots=True)
class _Try:
    job: Job
    hook: Hook
    step: Step
    started_us: int
    log: AttemptLog
    http: Http
    restart: Callable[[], None]


async def _outcome_of(this: _Try, ports: Ports) -> Outcome:
    action = ports.actions.get(this.step.action)
    if action is None:
        return Outcome.retry("no-action", f"the action {this.step.action!r} is not installed")
    try:
        call = _call_for(this, ports, action.name)
    except HookrtError as error:
        return Outcome.reject("template", str(error))
    except BaseException as error:  # a validator of the settings is as foreign as `run`
        if _is_of_the_program(error):
            raise
        return _of_exception(error, action)
    outcome = await _run_guarded(action, call, this)
    fault = fault_of(outcome)
    if fault is None and call.emitted and outcome.kind is OutcomeKind.DONE:
        outcome = replace(outcome, events=(*outcome.events, *call.emitted))
        fault = fault_of(outcome)
    return outcome if fault is None else Outcome.retry("exception", f"the action {action.name!r} {fault}")


async def _run_guarded(action: Action[Any], call: ActionCall[Any], this: _Try) -> Outcome:
    limit = this.step.timeout
    call.patience = cut = _Cut((limit + GRACE).total_seconds(), this.restart)
    mark = AT_WORK.set(call)
    try:
        return await action.run(call)
    except HttpError as error:
        return _of_http_error(error)
    except asyncio.CancelledError:
        expired = cut.end()
        if _cancelled_from_outside():
            raise
        if expired:
            return _of_timeout(limit)
        return Outcome.retry("exception", f"the action {action.name!r} cancelled itself")
    except BaseException as error:  # also what is no Exception, such as a panic in an extension module
        if _is_of_the_program(error):
            raise
        expired = cut.end()
        if _cancelled_from_outside():
            raise asyncio.CancelledError from error
        return _of_timeout(limit) if expired else _of_exception(error, action)
    finally:
        AT_WORK.reset(mark)
        cut.end()


def _is_of_the_program(error: BaseException) -> bool:
    """Whether it was meant for the program and not raised by the plugin: the loop closes, or it is Ctrl-C.

    Ctrl-C arrives here only where Python itself answers to it: not in a thread, and not beside a handler such as the
    service's or asyncio.run's.
    """
    if isinstance(error, KeyboardInterrupt):
        in_main = threading.current_thread() is threading.main_thread()
        return in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return isinstance(error, GeneratorExit)


def is_over(call: ActionCall[Any]) -> bool:
    """Whether this attempt, made by `run_attempt`, has ended."""
    return isinstance(call.patience, _Cut) and call.patience.ended


class _Cut:
    """Cancels the present task after some seconds, unless it is ended before. `asyncio.timeout` does the same, with
    three coroutines and twice the time for each attempt. It can be put off, as `hookrt.plugin.Patience` says."""

    __slots__ = ("_expired", "_on_begin", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float, on_begin: Callable[[], None]) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._seconds = seconds
        self._on_begin = on_begin
        self._expired = False
        self._timer: asyncio.TimerHandle | None = task.get_loop().call_later(seconds, self._expire)

    def hold(self) -> None:
        """Cancel only after an hour, unless `begin` comes before."""
        self._restart(max(LONGEST_HOLD.total_seconds(), self._seconds))

    def begin(self) -> None:
        """Cancel after the seconds, counted from now."""
        self._restart(self._seconds)
        self._on_begin()

    def _restart(self, seconds: float) -> None:
        if self._timer is not None and not self._expired:
            self._timer.cancel()
            self._timer = self._task.get_loop().call_later(seconds, self._expire)

    @property
    def ended(self) -> bool:
        """Whether there is nothing to cancel any more."""
        return self._timer is None

    def end(self) -> bool:
        """Whether the time is over; the task is as if this had never been, and other cancellations of it remain."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            if self._expired:
                self._task.uncancel()
        return self._expired

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()


def _cancelled_from_outside() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _call_for(this: _Try, ports: Ports, name: str) -> ActionCall[Any]:
    job, step = this.job, this.step
    delivery, event = job.delivery, job.event
    scope = Scope(event, this.hook.name, ports.env, delivery.results, ports.secret)
    return ActionCall(
        settings=step.settings.render(scope),
        event=event.fresh(),
        hook=this.hook.name,
        step=step.id,
        attempt=delivery.step_attempts + 1,
        message_id=message_id(event.source, event.id, this.hook.name, step.id, delivery.salt),
        started=from_us(this.started_us),
        deadline=from_us(this.started_us + duration_us(step.timeout)),
        log=this.log,
        http=this.http,
        steps={
            name: {**result.as_dict(), "output": own_copy(result.output)} for name, result in delivery.results.items()
        },
        destinations=ports.destinations,
        rendered=step.rendered,
        written=step.written,
        action=name,
        place=step.place,
        provisions=ports.provisions,
        origins=step.trusted_origins,
    )


def _rest(asked: timedelta, policy: RetryPolicy) -> timedelta:
    """How long the lane rests: not longer than the step's policy lets an endpoint ask for."""
    return max(min(asked, max(policy.max_retry_after, SHORT_REST)), timedelta(0))


def _of_timeout(limit: timedelta) -> Outcome:
    return Outcome.retry("timeout", f"no end after {limit.total_seconds():g} s (total timeout)")


def _of_http_error(error: HttpError) -> Outcome:
    make = Outcome.reject if error.permanent else Outcome.retry
    return make(error.reason, error.message)


def _of_exception(error: BaseException, action: Action[Any]) -> Outcome:
    whose = action.__module__.partition(".")[0] or "this program"
    return Outcome.retry("exception", f"{type(error).__name__} in {whose} ({action.name}): {_text_of(error)}")


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(it has no text)"
